"""Work in a forked process beside this one, whose answer comes through a pipe."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import BinaryIO


def can_fork() -> bool:
    """Whether a second process is to be had, and a processor for it."""
    return hasattr(os, "fork") and (os.cpu_count() or 1) > 1 and threading.active_count() == 1


@contextmanager
def beside(work: Callable[[BinaryIO], None]) -> Iterator[Callable[[], bytes]]:
    """Run `work` in a child that sees everything as it is now; the value waits for what it wrote.

    A child that dies has written less; the caller does the rest itself.
    """
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _run(work, writer)
    os.close(writer)
    received: list[bytes] = []

    def drain() -> None:
        with os.fdopen(reader, "rb") as pipe:
            received.append(pipe.read())

    # Read at once, or the child waits for a full pipe.
    thread = threading.Thread(target=drain, daemon=True)
    thread.start()

    def answer() -> bytes:
        thread.join()
        return received[0] if received else b""

    try:
        yield answer
    finally:
        thread.join()
        os.waitpid(child, 0)


def _run(work: Callable[[BinaryIO], None], writer: int) -> None:
    """Never returns, and never runs what the parent would do at its end."""
    try:
        with os.fdopen(writer, "wb") as pipe:
            work(pipe)
    finally:
        os._exit(0)
