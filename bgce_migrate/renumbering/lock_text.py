"""`bgce.lock` read line by line: after a merge it may hold one number twice, which its usual reader refuses."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from msgspec import Struct

from bgce_migrate.migration import MigrationId
from bgce_migrate.order import lockfile
from bgce_migrate.order.lockfile import LockFile, LockLine

Key = tuple[str, int, str]


class LockText(Struct, frozen=True):
    """All lines in their order; the same line twice counts once."""

    path: Path
    lines: tuple[LockLine, ...] = ()
    exists: bool = False

    @staticmethod
    def read(path: Path) -> LockText:
        """Read a lock file, or none.

        Raises:
            ConfigError: a line that cannot be read, e.g. what a merge conflict leaves.
        """
        if not path.is_file():
            return LockText(path)
        found: dict[tuple[Key, str], LockLine] = {}
        for number, text in enumerate(path.read_text(encoding="utf-8").splitlines()):
            # The line's number in messages comes from the line feeds before it.
            for line in lockfile.parse("\n" * number + text, path.name).lines:
                found.setdefault((key_of(line), line.up_sha256), line)
        return LockText(path, tuple(found.values()), True)

    def place(self, key: Key) -> int | None:
        """Where a migration's line stands, or None."""
        return next((n for n, line in enumerate(self.lines) if key_of(line) == key), None)

    def rewritten(self, replaced: Mapping[Key, LockLine], first: Collection[Key]) -> str:
        """The text with lines replaced, those of `first` before all others, everything else in its order."""
        lines = sorted(self.lines, key=lambda line: key_of(line) not in first)
        return lockfile.render(LockFile(tuple(replaced.get(key_of(line), line) for line in lines)))


def key_of(line: LockLine) -> Key:
    """Domain, version and name: what tells two lines of one number apart."""
    i: MigrationId = line.id
    return i.domain, i.version, i.name
