"""Whether two folders deliver the same domain: the bytes of all their files are equal."""

from __future__ import annotations

import os
from pathlib import Path

from bgce_migrate.config.paths import FileFault, read_regular
from bgce_migrate.config.toml_file import MAX_DEPTH

MAX_FILES = 100_000
_LIMIT = 16 * 1024 * 1024 + 1


def difference(one: Path, other: Path) -> str | None:
    """The first file that is not the same in both folders, or None if the folders are equal.

    Hidden files and compiled Python do not count.

    Raises:
        FileFault: a file that cannot be read, or too many of them.
    """
    if os.path.realpath(one) == os.path.realpath(other):
        return None
    mine, theirs = set(_files(one)), set(_files(other))
    if lone := sorted(mine ^ theirs):
        return lone[0]
    for name in sorted(mine):
        if read_regular(str(one / name), _LIMIT) != read_regular(str(other / name), _LIMIT):
            return name
    return None


def _files(folder: Path, below: str = "", depth: int = 0) -> list[str]:
    if depth > MAX_DEPTH:
        raise FileFault(f"is nested deeper than {MAX_DEPTH} folders")
    out: list[str] = []
    try:
        entries = sorted(os.scandir(folder / below), key=lambda e: e.name)
    except OSError as error:
        raise FileFault(f"cannot be read: {error.strerror or error}") from None
    for entry in entries:
        if entry.name.startswith(".") or entry.name == "__pycache__" or entry.name.endswith(".pyc"):
            continue
        name = f"{below}/{entry.name}" if below else entry.name
        if entry.is_dir(follow_symlinks=False):
            out.extend(_files(folder, name, depth + 1))
        else:
            out.append(name)
        if len(out) > MAX_FILES:
            raise FileFault(f"holds more than {MAX_FILES} files")
    return out
