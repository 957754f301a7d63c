"""`new migration`: the next pair of files, numbered as the folder numbers its own."""

from __future__ import annotations

import os
import re
from datetime import datetime, timezone
from pathlib import Path

from bgce_migrate.config.folders import FILE_NAME, MAX_VERSION
from bgce_migrate.config.project import Project
from bgce_migrate.errors import ConfigError, UsageError
from bgce_migrate.registry.references import did_you_mean, printable
from bgce_migrate.scaffold.files import render, write_new

_SLUG = re.compile(r"[a-z0-9]+(?:_[a-z0-9]+)*\Z")
_MAX_SLUG = 100
_FIRST_WIDTH = 6


def new_migration(
    project: Project, domain: str, slug: str, *, now: datetime | None = None
) -> tuple[Path, Path]:
    """Write the next up and down file of a domain.

    The number follows the folder's own style: a sequence of the same width, `YYYYMMDDHHMMSS`, or seconds
    or milliseconds since 1970.

    Args:
        slug: what it does, as `create_users_table`.
        now: for folders numbered by time; the system's clock if not given.

    Raises:
        UsageError: an unknown domain, a bad slug, no number left.
        ConfigError: a file cannot be read or written.
    """
    if domain not in project.registry:
        known = [d.name for d in project.domains]
        hint = did_you_mean(domain, known) or f"bgce-migrate new domain {printable(domain)}"
        raise UsageError(f"there is no domain '{printable(domain)}'", hint=hint)
    _check_slug(slug)
    folder = project.registry[domain].folder
    number = next_number(_numbers(folder), now or datetime.now(timezone.utc))
    values = {"slug": slug.replace("_", " "), "domain": domain}
    up, down = (folder / f"{number}_{slug}.{direction}.sql" for direction in ("up", "down"))
    write_new({up: render("next.up.sql.tmpl", values), down: render("next.down.sql.tmpl", values)})
    return up, down


def _check_slug(slug: str) -> None:
    if _SLUG.match(slug) and len(slug) <= _MAX_SLUG:
        return
    better = re.sub(r"[^a-z0-9]+", "_", slug.lower()).strip("_")[:_MAX_SLUG].strip("_")
    hint = f"say {better}" if better else "say what it does, e.g. create_users_table"
    message = (
        f"'{printable(slug[:120])}' is not a name of lower-case words joined by _, at most {_MAX_SLUG} long"
    )
    raise UsageError(message, hint=hint)


def _numbers(folder: Path) -> list[str]:
    """The numbers of the folder's files as written, of up and down files alike."""
    try:
        with os.scandir(folder) as entries:
            found = (FILE_NAME.match(entry.name) for entry in entries)
            return [match[1] for match in found if match]
    except OSError as error:
        raise ConfigError(f"folder {folder} cannot be read: {error.strerror or error}") from None


def next_number(numbers: list[str], now: datetime) -> str:
    """The number after the highest, in the style of that one.

    Raises:
        UsageError: there is none left.
    """
    if not numbers:
        return "1".zfill(_FIRST_WIDTH)
    last = max(numbers, key=lambda n: (int(n), len(n)))
    highest = int(last)
    following = max(highest + 1, _clock(last, now) or 0)
    if following > MAX_VERSION:
        raise UsageError(f"there is no number after {last}", hint="bgce-migrate renumber gives new numbers")
    return str(following).zfill(len(last))


def _clock(last: str, now: datetime) -> int | None:
    """Now in the style of a number, or None if the folder counts in sequence."""
    utc = now.astimezone(timezone.utc)
    seconds = int(utc.timestamp())
    if len(last) == 14 and _is_date(last):
        return int(utc.strftime("%Y%m%d%H%M%S"))
    # A day of leeway for clocks ahead of ours; a longer number is a sequence such as YYYYMMDDNN.
    if len(last) == 10 and 10**9 <= int(last) <= seconds + 86_400:
        return seconds
    if len(last) == 13 and 10**12 <= int(last) <= (seconds + 86_400) * 1000:
        return int(utc.timestamp() * 1000)
    return None


def _is_date(text: str) -> bool:
    try:
        datetime.strptime(text, "%Y%m%d%H%M%S")
    except ValueError:
        return False
    return True
