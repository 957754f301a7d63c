"""A folder of small files by name, below `.bgce/cache`."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

#: So many files are kept; the oldest go first.
LIMIT = 6_000

#: The packages whose code decides what is read of a file.
READING = ("sqlparse", "sqlfile", "sqlfile/effects", "lint/facts")


def code_times(packages: Sequence[str]) -> tuple[int, ...]:
    """When each package changed last: a checkout changes without its version."""
    root = Path(__file__).parent.parent
    times = []
    for name in packages:
        with os.scandir(root / name) as entries:
            times.append(max(e.stat().st_mtime_ns for e in entries if e.name.endswith(".py")))
    return tuple(times)


class Store:
    """A folder of small files; never an error, at worst nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = str(folder) if folder is not None else None

    def get(self, key: str) -> bytes | None:
        """The bytes under a key."""
        if self.folder is None:
            return None
        try:
            with open(f"{self.folder}/{key}", "rb") as file:
                return file.read()
        except OSError:
            return None

    def put(self, entries: Iterable[tuple[str, bytes]]) -> None:
        """Keep entries, each wholly or not at all."""
        if self.folder is None:
            return
        try:
            self._ready()
            for key, raw in entries:
                temporary = f"{self.folder}/.{key}.{os.getpid()}"
                with open(temporary, "wb") as file:
                    file.write(raw)
                os.replace(temporary, f"{self.folder}/{key}")
            self._prune()
        except OSError:
            return

    def _ready(self) -> None:
        assert self.folder is not None
        if os.path.isdir(self.folder):
            return
        top = Path(self.folder).parent.parent
        # The same folder as the local server's: private, and invisible to git.
        top.mkdir(mode=0o700, parents=True, exist_ok=True)
        os.makedirs(self.folder, exist_ok=True)
        mark = top / ".gitignore"
        if not mark.exists():
            mark.write_text("*\n", encoding="ascii")

    def _prune(self) -> None:
        assert self.folder is not None
        names = os.listdir(self.folder)
        if len(names) <= LIMIT:
            return
        aged = sorted((os.stat(f"{self.folder}/{name}").st_mtime, name) for name in names)
        for _, name in aged[: len(aged) - LIMIT // 2]:
            os.unlink(f"{self.folder}/{name}")
