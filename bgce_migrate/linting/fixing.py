"""Rewrites files that are not locked by the fixes that findings carry."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable
from pathlib import Path

from msgspec import Struct

from bgce_migrate.errors import UsageError
from bgce_migrate.lint.fixes import fixed
from bgce_migrate.linting.kept import Result

#: A fix may uncover another finding; so often it is looked again.
ROUNDS = 5
_BOM = b"\xef\xbb\xbf"


class Fixed(Struct, frozen=True):
    """A file that was rewritten."""

    path: str
    diff: str
    rules: tuple[str, ...]


def fix(first: Result, again: Callable[[], Result]) -> tuple[Result, tuple[Fixed, ...]]:
    """Apply all fixes, look again, and so on; what is left is in the result.

    Args:
        again: reads and lints everything anew.

    Raises:
        UsageError: a file cannot be written.
    """
    before: dict[str, str] = {}
    after: dict[str, str] = {}
    rules: dict[str, list[str]] = {}
    result = first
    for _ in range(ROUNDS):
        changed = False
        for path, text in result.sources.items():
            here = [f for f in result.findings if f.fix and f.where is not None and f.where.file == path]
            if not here or path not in result.fixable:
                continue
            new, mended = fixed(text, here)
            if new != text:
                changed = True
                before.setdefault(path, text)
                after[path] = new
                rules.setdefault(path, []).extend(f.rule for f in mended)
                _write(path, new)
        if not changed:
            break
        result = again()
    return result, tuple(Fixed(p, _diff(p, before[p], after[p]), tuple(dict.fromkeys(rules[p]))) for p in sorted(after))


def _diff(path: str, old: str, new: str) -> str:
    lines = difflib.unified_diff(
        old.split("\n"), new.split("\n"), f"a/{path}", f"b/{path}", lineterm=""
    )
    return "\n".join(lines)


def _write(path: str, text: str) -> None:
    """All of it or nothing, with the file's own line ends and mark."""
    file = Path(path)
    try:
        raw = file.read_bytes()
        out = text.replace("\n", "\r\n").encode() if b"\r\n" in raw else text.encode()
        temporary = file.with_name(f".{file.name}.{os.getpid()}")
        temporary.write_bytes((_BOM if raw.startswith(_BOM) else b"") + out)
        temporary.chmod(file.stat().st_mode & 0o777)
        temporary.replace(file)
    except OSError as error:
        raise UsageError(f"{path} cannot be rewritten: {error.strerror or error}") from None
