"""Verdicts by key, one small file each below `.bgce/cache/style`; a file that was tampered with is not believed."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

import msgspec

from bgce_migrate.style.verdict import Verdict

#: So many verdicts are kept; when there are more the older half goes.
LIMIT = 6_000
_DIGEST = 32


class Kept:
    """The cache. Never an error: at worst nothing is kept."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder
        self._decoder = msgspec.json.Decoder(Verdict)

    def get(self, key: str) -> Verdict | None:
        """The verdict under a key, if it is there and whole."""
        if self.folder is None:
            return None
        try:
            with open(f"{self.folder}/{key}", "rb") as file:
                raw = file.read()
        except OSError:
            return None
        if raw[:_DIGEST] != _digest(key, raw[_DIGEST:]):
            return None
        try:
            return self._decoder.decode(raw[_DIGEST:])
        except (msgspec.DecodeError, ValueError, RecursionError):
            return None

    def put(self, verdicts: Mapping[str, Verdict]) -> None:
        """Keep verdicts, each wholly or not at all."""
        if self.folder is None or not verdicts:
            return
        try:
            self._ready(self.folder)
            for key, verdict in verdicts.items():
                body = msgspec.json.encode(verdict)
                temporary = self.folder / f".{key}.{os.getpid()}"
                temporary.write_bytes(_digest(key, body) + body)
                temporary.replace(self.folder / key)
            self._prune(self.folder)
        except OSError:
            return

    def _ready(self, folder: Path) -> None:
        top = folder.parent.parent
        # The same folder as the local server's: private, and invisible to git.
        top.mkdir(mode=0o700, parents=True, exist_ok=True)
        folder.mkdir(parents=True, exist_ok=True)
        mark = top / ".gitignore"
        if not mark.exists():
            mark.write_text("*\n", encoding="ascii")

    def _prune(self, folder: Path) -> None:
        names = os.listdir(folder)
        if len(names) <= LIMIT:
            return
        aged = sorted((os.stat(folder / name).st_mtime, name) for name in names)
        for _, name in aged[: len(aged) - LIMIT // 2]:
            (folder / name).unlink(missing_ok=True)


def _digest(key: str, body: bytes) -> bytes:
    """Binds the contents to the name: a copied or cut file is not believed."""
    return hashlib.sha256(key.encode("ascii") + b"\0" + body).digest()
