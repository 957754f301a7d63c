"""The programs of a deployment: its command and its health check, with a time limit, ended together with us."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence

from bgce_migrate.apply.context import Stop
from bgce_migrate.deploying.model import Ended
from bgce_migrate.errors import Interrupted, UsageError

_LOOK = 0.05  # seconds between two looks at a program
_GRACE = 10.0  # seconds between SIGTERM and SIGKILL
_BETWEEN = 1.0  # seconds between two questions for health
_LAST_WORDS = 1.0  # seconds for output that is still under way when a program has ended

#: Who gets the output of a program: what it is, and a line.
Heard = Callable[[str, str], None]


def require_program(words: Sequence[str]) -> None:
    """Refuse a command that is not there, before anything is applied."""
    if shutil.which(words[0]) is None:
        raise UsageError(f"there is no program {words[0]} to run", hint="give its path, e.g. -- ./deploy.sh")


def run(
    what: str, words: Sequence[str], timeout: float, stop: Stop, more: Mapping[str, str], heard: Heard | None = None
) -> Ended:
    """Run a program to its end. Its output goes to our standard error.

    Args:
        timeout: seconds; then it and what it has started are ended.
        more: variables besides our own.
        heard: gets its output instead, line by line.

    Raises:
        Interrupted: we were asked to stop; the program is ended.
        UsageError: it cannot be started.
    """
    began = time.monotonic()
    try:
        # A session of its own: it and what it starts get one signal, from us, and no second one from the terminal.
        process = subprocess.Popen(
            words, stdout=2 if heard is None else subprocess.PIPE, stderr=2 if heard is None else subprocess.STDOUT,
            env={**os.environ, **more}, start_new_session=True,
        )  # fmt: skip
    except OSError as error:
        raise UsageError(f"{words[0]} cannot be started: {error.strerror or error}") from None
    listening = _listen(process, what, heard) if heard is not None else None
    try:
        while process.poll() is None and time.monotonic() - began < timeout:
            stop.sleep(_LOOK)
        in_time = process.poll() is not None
    except Interrupted:
        raise Interrupted(f"stopped while the {what} was running; it was ended") from None
    finally:
        if process.poll() is None:
            _end(process)
        if listening is not None:
            listening.join(_LAST_WORDS)  # what it has left running may keep its output open
    return Ended(what, process.returncode if in_time else None, time.monotonic() - began)


def healthy(line: str, timeout: float, stop: Stop, more: Mapping[str, str], heard: Heard | None = None) -> Ended:
    """Ask for health until the answer is 0 or time is up; the last answer. `line` is for the shell."""
    began = time.monotonic()
    while True:
        left = timeout - (time.monotonic() - began)
        ended = run("health", ["/bin/sh", "-c", line], max(left, _LOOK), stop, more, heard)
        seconds = time.monotonic() - began
        if ended.well or seconds + _BETWEEN >= timeout:
            return Ended("health", ended.code, seconds)
        try:
            stop.sleep(_BETWEEN)
        except Interrupted:
            raise Interrupted("stopped while health was asked for") from None


def _listen(process: subprocess.Popen[bytes], what: str, heard: Heard) -> threading.Thread:
    def read() -> None:
        for raw in process.stdout or ():
            heard(what, raw.decode("utf-8", "replace").rstrip("\r\n"))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()
    return thread


def _end(process: subprocess.Popen[bytes]) -> None:
    for number, seconds in ((signal.SIGTERM, _GRACE), (signal.SIGKILL, None)):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(seconds)
            return
