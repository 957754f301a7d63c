"""Ctrl-C and SIGTERM during a run: the step under way is finished or rolled back, then the run ends."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from bgce_migrate.apply.context import Stop

SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def interrupt_on_term() -> None:
    """Let SIGTERM end a command as Ctrl-C does; where something runs, `stopping` takes both over."""
    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            if signal.getsignal(number) is not signal.SIG_IGN:
                signal.signal(number, _interrupt)


@contextlib.contextmanager
def stopping(stop: Stop) -> Iterator[None]:
    """Make the signals ask the run to stop; a second one asks again."""

    def ask(number: int, frame: FrameType | None) -> None:
        stop.request()

    with _handled_by(ask):
        yield


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """While a person is asked something, the signals interrupt again."""
    with _handled_by(_interrupt):
        yield


@contextlib.contextmanager
def _handled_by(handler: Any) -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # What a shell has told us to ignore (a job in the background) stays ignored.
    heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    before = [(number, signal.signal(number, handler)) for number in heard]
    try:
        yield
    finally:
        for number, old in before:
            signal.signal(number, old)
