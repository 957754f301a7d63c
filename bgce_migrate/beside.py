"""Work in a forked process beside this one, whose answer comes through a pipe."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from queue import Empty, SimpleQueue
from typing import BinaryIO

#: Threads of ours that only wait for a child's answer: they hold nothing that another child could miss.
_waiting: set[threading.Thread] = set()


def can_fork() -> bool:
    """Whether a second process is to be had, and a processor for it."""
    others = threading.active_count() - 1 - sum(thread.is_alive() for thread in _waiting)
    return hasattr(os, "fork") and (os.cpu_count() or 1) > 1 and others == 0


class Answer:
    """What a child writes: by pieces as they come, or, called, all that has not been taken yet."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[bytes] = SimpleQueue()

    def pieces(self) -> Iterator[bytes]:
        """Waits for each; ends with the child."""
        while piece := self._queue.get():
            yield piece
        # The end stays, for whoever asks again.
        self._queue.put(b"")

    def ready(self) -> Iterator[bytes]:
        """Those that are there already."""
        try:
            while piece := self._queue.get_nowait():
                yield piece
        except Empty:
            return
        self._queue.put(b"")

    def __call__(self) -> bytes:
        return b"".join(self.pieces())

    def take(self, reader: int) -> None:
        """Everything that comes from a descriptor, to its end."""
        try:
            while piece := os.read(reader, 1 << 18):
                self._queue.put(piece)
        finally:
            os.close(reader)
            self._queue.put(b"")


class Tickets:
    """The numbers below `count`, for this process and a child to take: each gets one of them, whoever is free."""

    #: What any pipe holds, in numbers of four bytes.
    _ROOM = 1_024

    def __init__(self, count: int) -> None:
        self._count = count
        self._step = -(-count // self._ROOM) or 1
        self._reader, writer = os.pipe()
        with os.fdopen(writer, "wb") as pipe:
            pipe.write(b"".join(n.to_bytes(4, "little") for n in range(0, count, self._step)))

    def __iter__(self) -> Iterator[int]:
        while ticket := os.read(self._reader, 4):
            first = int.from_bytes(ticket, "little")
            yield from range(first, min(first + self._step, self._count))

    def close(self) -> None:
        """Nobody here takes one any more."""
        os.close(self._reader)


@contextmanager
def beside(work: Callable[[BinaryIO], None]) -> Iterator[Answer]:
    """Run `work` in a child that sees everything as it is now; the value has what it writes.

    A child that dies has written less; the caller does the rest itself.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _run(work, writer)
    os.close(writer)
    answer = Answer()
    # Read at once, or the child waits for a full pipe.
    thread = threading.Thread(target=answer.take, args=(reader,), daemon=True)
    _waiting.add(thread)
    thread.start()
    try:
        yield answer
    finally:
        thread.join()
        _waiting.discard(thread)
        os.waitpid(child, 0)


def _run(work: Callable[[BinaryIO], None], writer: int) -> None:
    """Never returns, and never runs what the parent would do at its end."""
    try:
        with os.fdopen(writer, "wb") as pipe:
            work(pipe)
    finally:
        os._exit(0)
