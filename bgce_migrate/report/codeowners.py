"""`CODEOWNERS`: who reviews a domain's migrations, as a block of lines inside a file that people may also write in."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from msgspec import Struct

from bgce_migrate.errors import Refused

if TYPE_CHECKING:
    from pathlib import Path

    from bgce_migrate.config.project import CodeOwners
    from bgce_migrate.domain import Domain

BEGIN = "# Domains of bgce-migrate: begin. Written by `bgce-migrate codeowners` from the declarations."
END = "# Domains of bgce-migrate: end."

_BEGIN = re.compile(r"^# Domains of bgce-migrate: begin\b.*$", re.MULTILINE)
_END = re.compile(r"^# Domains of bgce-migrate: end\b.*$", re.MULTILINE)
#: Means something in a pattern, or cannot be written in one; `?` is any one character.
_SPECIAL = re.compile(r"[][*?!#\\\t]")


class Ownership(Struct, frozen=True):
    """The lines of all domains, and the domains that have none, each with the reason."""

    lines: tuple[tuple[str, str], ...]  # pattern, owners
    without: tuple[tuple[str, str], ...] = ()  # domain, reason


def ownership(root: Path, domains: Sequence[Domain], settings: CodeOwners) -> Ownership:
    """One line a domain, by rank. The last line that fits a file decides, so the block says nothing of other folders.

    Args:
        root: the repository's folder, or that of `bgce.toml` where it is no repository.
    """
    lines, without = [], []
    for domain in sorted(domains, key=lambda d: d.rank):
        folder = os.path.relpath(domain.folder.resolve(), root.resolve()).replace(os.sep, "/")
        owners = settings.teams.get(domain.team)
        if owners is None and domain.team and settings.owner is not None:
            owners = settings.owner.replace("{team}", domain.team)
        if folder == ".." or folder.startswith("../"):
            without.append((domain.name, "its files are not in this repository"))
        elif not domain.team:
            without.append((domain.name, "its declaration names no team"))
        elif owners is None:
            without.append((domain.name, f"nobody says who team {domain.team} is"))
        else:
            pattern = "/" if folder == "." else f"/{_SPECIAL.sub('?', folder).replace(' ', chr(92) + ' ')}/"
            lines.append((pattern, owners))
    return Ownership(tuple(lines), tuple(without))


def block(owned: Ownership) -> str:
    """The lines between their two marks, aligned."""
    width = max((len(pattern) for pattern, _ in owned.lines), default=0)
    return "\n".join([BEGIN, *(f"{pattern:<{width}}  {owners}" for pattern, owners in owned.lines), END])


def placed(before: str, owned: Ownership) -> str:
    """The whole file with the block in its old place, or at its end.

    Raises:
        Refused: somebody has taken one of the two marks away, so nobody knows where the block ends.
    """
    begins, ends = list(_BEGIN.finditer(before)), list(_END.finditer(before))
    if not begins and not ends:
        return before + ("" if not before or before.endswith("\n") else "\n") + ("\n" if before else "") + block(owned) + "\n"
    if len(begins) != 1 or len(ends) != 1 or begins[0].start() > ends[0].start():
        raise Refused(
            "the marks of the block of domains in CODEOWNERS are not one begin and one end after it",
            hint="take both marks and the lines between them out, and run it again",
        )
    return before[: begins[0].start()] + block(owned) + before[ends[0].end() :]


def differences(before: str, after: str) -> list[str]:
    """The lines to take out (`-`) and to put in (`+`)."""
    import difflib

    found = difflib.unified_diff(before.splitlines(), after.splitlines(), lineterm="", n=0)
    return [line for line in found if not line.startswith(("---", "+++", "@@"))]
