"""Reading one TOML file within limits: size, depth, length of keys; mistakes are collected, not raised."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

import tomli
from msgspec import Struct

from bgce_migrate.config.mistakes import Mistakes
from bgce_migrate.config.paths import FileFault, read_within, shown
from bgce_migrate.config.toml_positions import Positions, positions
from bgce_migrate.errors import Where
from bgce_migrate.registry.references import KeyPath, key_text, printable

MAX_BYTES = 64 * 1024
MAX_DEPTH = 8
MAX_KEY_BYTES = 63

#: Text that may hold a key of more than MAX_DEPTH parts or brackets nested deeper; then it is scanned
#: before it is parsed, because a parser's time grows with the square of a dotted key's length.
_DOTTED = re.compile(r"(?:[\w\"'-][ \t]*\.[ \t]*[\w\"'-]*){8}")
_NESTED = re.compile(r"(?:[\[{][^\]}]*){9}")


class TomlFile(Struct):
    """A TOML file as read; `data` is the part that is ours, below the key path `prefix`."""

    path: Path
    text: str
    data: dict[str, Any]
    prefix: KeyPath = ()
    _positions: Positions | None = None

    @property
    def positions(self) -> Positions:
        """Scanned when first asked for: only mistakes need it."""
        if self._positions is None:
            self._positions = positions(self.text)
        return self._positions

    def where(self, path: KeyPath = ()) -> Where:
        """The place of a key."""
        return Where(shown(self.path), self.positions.line((*self.prefix, *path)))


def read_toml(path: Path, mistakes: Mistakes, *, prefix: KeyPath = ()) -> TomlFile | None:
    """Read and parse a file; None, and a mistake, if that cannot be done."""
    try:
        raw = read_within(str(path), os.path.realpath(path.parent), MAX_BYTES + 1)
    except FileFault as fault:
        mistakes.add(f"the file {fault}", Where(shown(path)))
        return None
    if len(raw) > MAX_BYTES:
        mistakes.add(f"the file is larger than {MAX_BYTES // 1024} KiB", Where(shown(path)))
        return None
    try:
        text = raw.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        mistakes.add(f"the file is not UTF-8 (byte {error.start})", Where(shown(path), line))
        return None
    if _maybe_deep(text) and positions(text).deepest > MAX_DEPTH + len(prefix):
        mistakes.add(f"keys are nested deeper than {MAX_DEPTH}", Where(shown(path)))
        return None
    try:
        data: Any = tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        at = getattr(error, "lineno", None), getattr(error, "colno", None)
        message = getattr(error, "msg", None) or str(error)
        mistakes.add(f"not TOML: {printable(message)}", Where(shown(path), *at))
        return None
    except RecursionError:
        mistakes.add(f"keys are nested deeper than {MAX_DEPTH}", Where(shown(path)))
        return None
    for part in prefix:
        data = data.get(part) if isinstance(data, dict) else None
    if not isinstance(data, dict):
        mistakes.add(f"{key_text(prefix)}: not a table", Where(shown(path)))
        return None
    file = TomlFile(path, text, data, prefix)
    return file if _within_limits(file, mistakes) else None


def _maybe_deep(text: str) -> bool:
    # A key is on one line, so without a line of as many dots there is none to look for.
    dotted = any(line.count(".") >= MAX_DEPTH for line in text.split("\n"))
    return (dotted and _DOTTED.search(text) is not None) or _NESTED.search(text) is not None


def _within_limits(file: TomlFile, mistakes: Mistakes) -> bool:
    good = True
    stack: list[tuple[KeyPath, Any]] = [((), file.data)]
    while stack:
        path, value = stack.pop()
        if len(path) > MAX_DEPTH:
            mistakes.add(f"keys are nested deeper than {MAX_DEPTH}", file.where(path))
            return False
        if isinstance(value, dict):
            for key, inner in value.items():
                if len(key.encode("utf-8", "surrogatepass")) > MAX_KEY_BYTES:
                    message = f"key '{printable(key[:20])}...' is longer than {MAX_KEY_BYTES} bytes"
                    mistakes.add(message, file.where((*path, key)))
                    good = False
                stack.append(((*path, key), inner))
        elif isinstance(value, list):
            stack.extend(((*path, i), inner) for i, inner in enumerate(value))
    return good
