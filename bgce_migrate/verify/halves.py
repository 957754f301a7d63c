"""The proofs of many steps on both processors: the first part here, the rest in a second process on a second database."""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection, Iterator, Sequence
from typing import BinaryIO

import msgspec

from bgce_migrate.apply.owned import Owned
from bgce_migrate.beside import Answer, beside
from bgce_migrate.fingerprint.model import Catalog, Object, catalog
from bgce_migrate.migration import MigrationId
from bgce_migrate.verify.course import Course
from bgce_migrate.verify.kept import decode, encode
from bgce_migrate.verify.model import Proof

#: A proof is an up, a down, an up and what is read of the catalog; the second process applies the first part before.
_FIRST = 0.56
_HEAD = struct.Struct("!cI")
_PROOF, _END = b"p", b"e"
_objects = msgspec.msgpack.Decoder(list[Object]).decode


def cut(steps: Sequence[Owned], wanted: Collection[MigrationId]) -> int:
    """How many steps the first process takes."""
    ahead = round(len(wanted) * _FIRST)
    for number, owned in enumerate(steps):
        ahead -= owned.step.id in wanted
        if ahead <= 0:
            return number + 1
    return len(steps)


class Halves:
    """Two courses at once.

    Attributes:
        end: the catalog at the end of the second; None where it did not come so far.
    """

    def __init__(self, open_first: Callable[[], Course], open_second: Callable[[], Course]) -> None:
        self.open_first = open_first
        self.open_second = open_second
        self.end: Catalog | None = None
        self.course: Course | None = None
        self._ahead: list[Owned] = []

    def lead(self, steps: Sequence[Owned], wanted: Collection[MigrationId]) -> Iterator[Proof]:
        """As `Course.lead`."""
        here = cut(steps, wanted)

        def work(pipe: BinaryIO) -> None:
            course = self.open_second()
            if any(course.lead(steps[:here], ())):
                return
            for proof in course.lead(steps[here:], wanted):
                _write(pipe, _PROOF, encode(proof))
            if not course.broken:
                _write(pipe, _END, msgspec.msgpack.encode(list(course.catalog().objects.values()), enc_hook=dict))

        with beside(work) as answer:
            course = self.course = self.open_first()
            yield from course.lead(steps[:here], wanted)
            done = here
            if not course.broken:
                places = {owned.step.id: number for number, owned in enumerate(steps)}
                for kind, raw in _pieces(answer):
                    if kind == _END:
                        self.end = catalog(course.bench.session.server_version // 10000, _objects(raw))
                        done = len(steps)
                        continue
                    proof = decode(raw)
                    course.broken = course.broken or proof.up_fails
                    done = places[proof.id] + 1
                    yield proof
        self._ahead = list(steps[here:done])
        if done < len(steps) and not (course.broken and done > here):
            # The other process did not come so far: the rest is led here, from where this one stands.
            for _ in course.lead(steps[here:done], ()):
                pass
            self._ahead = []
            yield from course.lead(steps[done:], wanted)

    def catch_up(self) -> Catalog | None:
        """The first database led on through what the second proved, by ups alone; None where that did not work."""
        if self.course is None or self.end is None or any(self.course.lead(self._ahead, ())):
            return None
        return self.course.catalog()


def _write(pipe: BinaryIO, kind: bytes, raw: bytes) -> None:
    pipe.write(_HEAD.pack(kind, len(raw)) + raw)
    pipe.flush()


def _pieces(answer: Answer) -> Iterator[tuple[bytes, bytes]]:
    """What the other process wrote, one by one; a piece that is not whole is left out."""
    rest = b""
    for more in answer.pieces():
        rest += more
        while len(rest) >= _HEAD.size:
            kind, length = _HEAD.unpack_from(rest)
            end = _HEAD.size + length
            if len(rest) < end:
                break
            yield kind, rest[_HEAD.size : end]
            rest = rest[end:]
