"""Small values by name, kept in few files below `.bgce/cache`; anything wrong there is as if nothing were kept."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec

#: From so many packs on they are joined into one, of what was asked for last.
PACKS = 12
#: So much is kept, in bytes.
LIMIT = 64 << 20
#: The packages whose code decides what is read of a file.
READING = ("sqlparse", "sqlfile", "sqlfile/effects", "lint/facts")
_SUFFIX = ".pack"


def code_times(packages: Sequence[str]) -> tuple[int, ...]:
    """When each package changed last: a checkout changes without its version."""
    root = Path(__file__).parent.parent
    times = []
    for name in packages:
        with os.scandir(root / name) as entries:
            times.append(max(e.stat().st_mtime_ns for e in entries if e.name.endswith(".py")))
    return tuple(times)


class Store:
    """Packs of entries in a folder: each run adds one, and nothing is ever rewritten in place."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._packs: list[str] | None = None
        self._entries: dict[str, bytes] = {}

    def get(self, key: str) -> bytes | None:
        """The bytes under a key."""
        if self._packs is None:
            self._packs = self._load()
        return self._entries.get(key)

    def one(self, name: str) -> bytes | None:
        """The bytes of an entry with a file of its own."""
        if self.folder is None:
            return None
        try:
            return (self.folder / name).read_bytes()
        except OSError:
            return None

    def put_one(self, name: str, raw: bytes, *, kin: str) -> None:
        """Keep an entry in a file of its own; others whose name begins with `kin` give way."""
        if self.folder is None:
            return
        try:
            self._ready()
            for other in os.listdir(self.folder):
                if other.startswith(kin):
                    os.unlink(self.folder / other)
            self._write(name, raw)
        except OSError:
            return

    def put(self, entries: Mapping[str, bytes], asked: Sequence[str] = ()) -> None:
        """Keep entries, wholly or not at all.

        Args:
            asked: keys of this run; when packs are joined, only these stay.
        """
        if self.folder is None or not entries:
            return
        if self._packs is None:
            self._packs = self._load()
        join = len(self._packs) >= PACKS or sum(map(len, self._entries.values())) > LIMIT
        kept = {key: self._entries[key] for key in asked if key in self._entries} if join else {}
        try:
            self._ready()
            self._write(f"{os.urandom(8).hex()}{_SUFFIX}", msgspec.msgpack.encode({**kept, **entries}))
            if join:
                for name in self._packs:
                    os.unlink(self.folder / name)
        except OSError:
            return

    def _load(self) -> list[str]:
        if self.folder is None:
            return []
        names = []
        try:
            listed = sorted(name for name in os.listdir(self.folder) if name.endswith(_SUFFIX))
        except OSError:
            return []
        for name in listed:
            names.append(name)
            try:
                raw = (self.folder / name).read_bytes()
                self._entries |= msgspec.msgpack.decode(raw, type=dict[str, bytes])
            except (OSError, msgspec.DecodeError, msgspec.ValidationError, ValueError):
                continue
        return names

    def _ready(self) -> None:
        assert self.folder is not None
        if self.folder.is_dir():
            return
        # The same folder as the local server's: private, and invisible to git.
        top = self.folder.parent.parent
        top.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        mark = self.folder.parent / ".gitignore"
        if not mark.exists():
            mark.write_text("*\n", encoding="ascii")

    def _write(self, name: str, raw: bytes) -> None:
        assert self.folder is not None
        temporary = self.folder / f".{name}.{os.getpid()}"
        temporary.write_bytes(raw)
        temporary.replace(self.folder / name)
