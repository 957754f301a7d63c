"""Files read in two processes: each takes the next one when it is done with one, the largest first."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import BinaryIO

from bgce_migrate.beside import Answer, Tickets, beside
from bgce_migrate.linting.analysis import Analysis, Begun, Task, analyse, begin
from bgce_migrate.linting.cache import decode_analysis, decode_depths, encode, joined

#: Place of the task, length of what follows, and which part of the analysis it is.
_FRAME = struct.Struct("<QQB")
_WHOLE, _BEGUN, _DEPTHS = 0, 1, 2
#: Characters of files that the child keeps parsed: their trees take some thirty times as many bytes.
_ROOM = 4_000_000


@contextmanager
def in_two(
    cold: Sequence[tuple[str, Task]], found: dict[str, Analysis], meanwhile: Callable[[], None] | None
) -> Iterator[Callable[[], dict[str, bytes]]]:
    """Read files into `found`, some of them at first only as far as the order asks for.

    The child looks deeper into its files while the caller finds the order; the value waits for that, and gives
    the bytes to keep.
    """
    ranked = sorted(cold, key=lambda item: len(item[1].source.text), reverse=True)
    # Loaded once, before the child is made.
    import bgce_migrate.lint.facts.dispatch
    import bgce_migrate.sqlfile.script  # noqa: F401

    tickets = Tickets(len(ranked))
    with beside(lambda pipe: _send(ranked, tickets, pipe)) as answer:
        if meanwhile is not None:
            meanwhile()
        reader = _Reader(ranked, found, answer)
        for place in tickets:
            reader.read(place)
            for piece in answer.ready():
                reader.take(piece)
        tickets.close()
        reader.until_begun()
        yield reader.whole


def _send(tasks: Sequence[tuple[str, Task]], tickets: Tickets, pipe: BinaryIO) -> None:
    def send(place: int, part: int, value: object) -> None:
        raw = encode(value)
        pipe.write(_FRAME.pack(place, len(raw), part) + raw)

    kept: list[tuple[int, Begun]] = []
    room = _ROOM
    for place in tickets:
        task = tasks[place][1]
        if room < len(task.source.text):
            send(place, _WHOLE, analyse(task))
            continue
        begun = begin(task)
        if isinstance(begun, Begun):
            room -= len(task.source.text)
            kept.append((place, begun))
            send(place, _BEGUN, begun.known)
        else:
            send(place, _WHOLE, begun)
    pipe.flush()
    for place, begun in kept:
        send(place, _DEPTHS, begun.depths())


class _Reader:
    """The parent's side."""

    def __init__(self, ranked: Sequence[tuple[str, Task]], found: dict[str, Analysis], answer: Answer) -> None:
        self._ranked, self._found, self._answer = ranked, found, answer
        self._left = b""
        self._fresh: dict[str, bytes] = {}
        self._begun: dict[int, bytes] = {}
        self._unknown = set(range(len(ranked)))

    def read(self, place: int) -> None:
        """Read one file here."""
        key, task = self._ranked[place]
        known = self._found[task.source.path] = analyse(task)
        self._fresh[key] = encode(known)
        self._unknown.discard(place)

    def take(self, piece: bytes) -> None:
        """Understand what the child wrote, as far as its frames are whole."""
        left, at = self._left + piece, 0
        while at + _FRAME.size <= len(left):
            place, length, part = _FRAME.unpack_from(left, at)
            end = at + _FRAME.size + length
            if end > len(left):
                break
            self._frame(place, part, left[at + _FRAME.size : end])
            at = end
        self._left = left[at:]

    def _frame(self, place: int, part: int, raw: bytes) -> None:
        key, task = self._ranked[place]
        path = task.source.path
        if part == _DEPTHS:
            depths = decode_depths(raw)
            if depths is not None and place in self._begun:
                self._found[path] = self._found[path].with_depths(depths)
                self._fresh[key] = joined(self._begun.pop(place), raw)
            return
        known = decode_analysis(raw)
        if known is None:
            return
        self._found[path] = known
        self._unknown.discard(place)
        if part == _BEGUN:
            self._begun[place] = raw
        else:
            self._fresh[key] = raw

    def until_begun(self) -> None:
        """Wait until enough is known of each file; a child that died is no reason to fail."""
        if self._unknown:
            for piece in self._answer.pieces():
                self.take(piece)
                if not self._unknown:
                    return
            self._here(list(self._unknown))

    def whole(self) -> dict[str, bytes]:
        """Wait for all that is missing; the bytes of each file by its key."""
        if self._begun:
            for piece in self._answer.pieces():
                self.take(piece)
            self._here(list(self._begun))
        return self._fresh

    def _here(self, places: Iterable[int]) -> None:
        for place in places:
            self.read(place)
