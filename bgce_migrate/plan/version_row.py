"""golang-migrate's one row of a domain: which version and whether dirty, from what is applied and what is on disk."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from msgspec import Struct

#: What golang-migrate writes in place of a version for a dirty database in which nothing is applied.
NIL_VERSION = -1


class VersionRow(Struct, frozen=True):
    """What golang-migrate finds. `version` None: no row, or the dirty one of a first migration."""

    version: int | None = None
    dirty: bool = False

    def __str__(self) -> str:
        said = "nothing" if self.version is None else f"version {self.version}"
        return f"{said}, dirty" if self.dirty else said

    @property
    def stored(self) -> int | None:
        """The number in the table; None: the table is empty."""
        return NIL_VERSION if self.version is None and self.dirty else self.version


class Watermark:
    """The highest version of one domain below which nothing is missing, kept while versions come and go.

    A version counts while its file is on disk or it is applied: one that was undone and has no file any more is
    missing to nobody.
    """

    def __init__(self, files: Iterable[int], applied: Iterable[int]) -> None:
        self._files = frozenset(files)
        self._applied = set(applied)
        self._known = sorted(self._files | self._applied)
        self._count = 0  # of the first ones that are applied
        self._advance()

    @property
    def version(self) -> int | None:
        """None where the lowest one is missing."""
        return self._known[self._count - 1] if self._count else None

    @property
    def applied(self) -> frozenset[int]:
        """What is applied now."""
        return frozenset(self._applied)

    def switch(self, version: int, applied: bool) -> None:
        """One version is applied, or undone."""
        place = bisect_left(self._known, version)
        known = place < len(self._known) and self._known[place] == version
        if applied:
            self._applied.add(version)
            if not known:
                self._known.insert(place, version)
                self._count += place < self._count
            self._advance()
            return
        self._applied.discard(version)
        if known and version in self._files:
            self._count = min(self._count, place)
        elif known:
            del self._known[place]
            self._count -= place < self._count
            self._advance()

    def after(self, version: int, applied: bool) -> int | None:
        """What `version` will be once one more is applied, or undone."""
        if (version in self._applied) is applied:
            return self.version
        self.switch(version, applied)
        out = self.version
        self.switch(version, not applied)
        return out

    def gaps(self) -> tuple[int, ...]:
        """The versions on disk that are missing below an applied one: golang-migrate would never run them."""
        highest = max(self._applied, default=None)
        return tuple(v for v in self._known if highest is not None and v < highest and v not in self._applied)

    def _advance(self) -> None:
        while self._count < len(self._known) and self._known[self._count] in self._applied:
            self._count += 1
