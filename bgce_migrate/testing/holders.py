"""Which processes use the test server of a folder: the last one stops it."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from bgce_migrate.servers.place import private_folder


class Holders(Struct, frozen=True):
    """A folder with one file a process, named after it; its content is the template it uses."""

    folder: Path

    @staticmethod
    def of(home: Path) -> Holders:
        """Of the servers below a folder."""
        folder = private_folder(home) / "pytest-holders"
        folder.mkdir(mode=0o700, exist_ok=True)
        return Holders(folder)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """While this lasts no other process enters or leaves."""
        with open(self.folder / "lock", "w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def enter(self, template: str) -> None:
        """This process uses a template."""
        self._mine.write_text(template, encoding="utf-8")

    def leave(self) -> None:
        """This process uses none any more."""
        self._mine.unlink(missing_ok=True)

    def held(self) -> frozenset[str]:
        """The templates that living processes use; what dead ones left is removed."""
        used = set()
        for file in self.folder.glob("[0-9]*"):
            if _lives(int(file.name)):
                used.add(file.read_text(encoding="utf-8"))
            else:
                file.unlink(missing_ok=True)
        return frozenset(used)

    @property
    def _mine(self) -> Path:
        return self.folder / str(os.getpid())


def _lives(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
