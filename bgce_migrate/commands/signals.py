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
    """Let SIGTERM end a command as Ctrl-C does; where something runs, `stop_on_signals` takes both over."""
    _handle(_interrupt)


def stop_on_signals(stop: Stop) -> None:
    """Make the signals ask the run to stop, until the process ends: its report is still to be printed."""

    def ask(number: int, frame: FrameType | None) -> None:
        stop.request()

    _handle(ask)


def ignore_signals() -> None:
    """At the very end, so that a late signal does not hide the exit code."""
    _handle(signal.SIG_IGN)


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """While a person is asked something, the signals interrupt again."""
    before = _handle(_interrupt)
    try:
        yield
    finally:
        for number, old in before:
            signal.signal(number, old)


def _handle(handler: Any) -> list[tuple[signal.Signals, Any]]:
    """Set the handler of both signals, and return those before."""
    if threading.current_thread() is not threading.main_thread():
        return []
    # What a shell has told us to ignore (a job in the background) stays ignored.
    heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    return [(number, signal.signal(number, handler)) for number in heard]
