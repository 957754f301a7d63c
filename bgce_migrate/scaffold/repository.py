"""`init`: makes a repository ready for domains."""

from __future__ import annotations

import re
from pathlib import Path

from bgce_migrate.config import find
from bgce_migrate.config.paths import shown
from bgce_migrate.errors import UsageError
from bgce_migrate.scaffold.files import append_line, render, write_new

ATTRIBUTES = "bgce.lock merge=union"
IGNORED = ".bgce/"


def init(directory: Path) -> tuple[Path, ...]:
    """Write `bgce.toml`, `migrations/`, and the lines that git needs; what is there stays.

    Returns:
        the files written or given a line; empty if all was ready.

    Raises:
        UsageError: there is no such folder.
        ConfigError: a file cannot be written.
    """
    directory = directory.absolute()
    if not directory.is_dir():
        raise UsageError(f"there is no folder {shown(directory)}")
    written: list[Path] = []
    here = find(directory)
    if here is None or here.parent != directory:
        name = re.sub(r"[^A-Za-z0-9._-]+", "-", directory.name).strip("-._")[:63] or "project"
        written += write_new({directory / "bgce.toml": render("bgce.toml.tmpl", {"name": name})})
    folder = directory / "migrations"
    if not folder.exists():
        # git keeps no empty folder.
        written += write_new({folder / ".gitkeep": ""})
    for file, line in ((".gitattributes", ATTRIBUTES), (".gitignore", IGNORED)):
        if append_line(directory / file, line):
            written.append(directory / file)
    return tuple(written)
