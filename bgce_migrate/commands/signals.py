"""Ctrl-C and SIGTERM during a run: the step under way is finished or rolled back, then the run ends."""

from __future__ import annotations

import contextlib
import os
import select
import signal
import sys
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


def typed_line() -> str:
    """The next line a person types; empty at the end of the input. To be called where signals are `interruptible`.

    Raises:
        KeyboardInterrupt: also for a signal that comes just before the reading begins, which `readline` alone sleeps
            over: the interpreter has noted it, and nothing wakes the read.
    """
    with _woken() as wake:
        if wake is not None and wake in select.select([sys.stdin, wake], [], [])[0]:
            raise KeyboardInterrupt
        return sys.stdin.readline()


@contextlib.contextmanager
def interruptible() -> Iterator[None]:
    """While a person is asked something, the signals interrupt again."""
    before = _handle(_interrupt)
    try:
        yield
    finally:
        for number, old in before:
            signal.signal(number, old)


@contextlib.contextmanager
def _woken() -> Iterator[int | None]:
    """A descriptor that becomes readable with every signal; None away from the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield None
        return
    wake, told = os.pipe()
    os.set_blocking(told, False)
    before = signal.set_wakeup_fd(told)
    try:
        yield wake
    finally:
        signal.set_wakeup_fd(before)
        os.close(told)
        os.close(wake)


def _handle(handler: Any) -> list[tuple[signal.Signals, Any]]:
    """Set the handler of both signals, and return those before."""
    if threading.current_thread() is not threading.main_thread():
        return []
    # What a shell has told us to ignore (a job in the background) stays ignored.
    heard = [number for number in SIGNALS if signal.getsignal(number) is not signal.SIG_IGN]
    return [(number, signal.signal(number, handler)) for number in heard]
