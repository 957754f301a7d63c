"""What was read of a file, kept by content below `.bgce/cache/facts/`; anything wrong with it is read anew."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from bgce_migrate import __version__
from bgce_migrate.lint.facts import VERSION
from bgce_migrate.linting.analysis import Analysis, Task

#: Raised when analyses change, so that cached ones are read anew; the version of the facts counts by itself.
FORMAT = 1
#: So many files are kept; the oldest go first.
LIMIT = 6_000
_STAMP = f"{__version__}/{FORMAT}/{VERSION}"
T = TypeVar("T")


def key_of(task: Task) -> str:
    """The name under which a file's analysis is kept."""
    said = (_STAMP, task.source.sha256, task.source.path, task.declared, task.direction.value, task.schema, str(task.migration))
    return hashlib.sha256(repr(said).encode("utf-8", "surrogatepass")).hexdigest()


def encode(value: object) -> bytes:
    """As it is kept and sent between processes."""
    return msgspec.msgpack.encode(value)


class Decoder:
    """Reads one type; the decoder is made once."""

    def __init__(self, type_: Any) -> None:
        self._decoder = msgspec.msgpack.Decoder(type_)

    def __call__(self, raw: bytes) -> Any:
        """The value, or None where the bytes are not one."""
        try:
            return self._decoder.decode(raw)
        except (msgspec.DecodeError, msgspec.ValidationError, ValueError, TypeError, RecursionError):
            return None


decode_analysis = Decoder(Analysis)


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
