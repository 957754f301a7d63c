"""Templates -> files: all of them or none, and never over a file that is there."""

from __future__ import annotations

import os
from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path
from string import Template

from bgce_migrate.config.paths import shown
from bgce_migrate.errors import ConfigError, UsageError, Where


def render(template: str, values: Mapping[str, str] | None = None) -> str:
    """The text of a file in `templates/` with its `$name`s filled in."""
    text = files("bgce_migrate.scaffold").joinpath("templates").joinpath(template).read_text("utf-8")
    return Template(text).substitute(values or {})


def write_new(contents: Mapping[Path, str]) -> tuple[Path, ...]:
    """Write files that must not exist yet; on a failure those already written are removed again.

    Raises:
        UsageError: a file exists; nothing is written.
        ConfigError: the system refuses.
    """
    for path in contents:
        if os.path.lexists(path):
            raise UsageError(f"{shown(path)} exists already", hint="it is left as it is; choose another name")
    written: list[Path] = []
    try:
        for path, text in contents.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "x", encoding="utf-8", newline="\n") as file:
                written.append(path)
                file.write(text)
    except OSError as error:
        for path in written:
            path.unlink(missing_ok=True)
        message = f"{shown(path)} cannot be written: {error.strerror or error}"
        raise ConfigError(message, where=Where(shown(path))) from None
    return tuple(written)


def append_line(path: Path, line: str) -> bool:
    """Make sure that a text file has a line; the rest of it stays as it is. True if it was written.

    Raises:
        ConfigError: it cannot be written, or is a link.
    """
    try:
        if path.is_symlink():
            raise ConfigError(f"{shown(path)} is a link and is left as it is", hint=f"add the line: {line}")
        old = path.read_bytes() if path.exists() else b""
        if line.encode() in (part.strip() for part in old.splitlines()):
            return False
        ending = b"\r\n" if b"\r\n" in old else b"\n"
        gap = b"" if not old or old.endswith(b"\n") else ending
        with open(path, "ab") as file:
            file.write(gap + line.encode() + ending)
    except OSError as error:
        message = f"{shown(path)} cannot be written: {error.strerror or error}"
        raise ConfigError(message, where=Where(shown(path))) from None
    return True
