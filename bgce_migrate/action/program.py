"""The program itself, asked in a process of its own: its lines go to the log, its document comes back."""

from __future__ import annotations

import contextlib
import json
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

from msgspec import Struct, field

from bgce_migrate.action.console import Console

#: The child looks for modules where this process does: never in the checked out repository.
_START = "import json, sys; sys.path[:] = json.loads(sys.argv.pop(1)); from bgce_migrate.cli import run; run()"
#: What a child has no business with: the token and the files through which a step speaks to the runner.
_OURS = (
    "INPUTS", "GITHUB_TOKEN", "GH_TOKEN", "GITHUB_OUTPUT", "GITHUB_ENV", "GITHUB_PATH", "GITHUB_STEP_SUMMARY", "GITHUB_STATE",
    "BGCE_JSON",
)
_PREFIX = "ACTIONS_"
_LARGEST = 64 << 20
#: Seconds that a step under way has after it was asked to stop, and after it was told to.
PATIENCE = (120.0, 30.0)


class Answer(Struct, frozen=True):
    """How a command ended.

    Attributes:
        code: its exit code.
        document: its JSON document; empty if it printed none.
        text: its whole standard output.
    """

    code: int
    document: Mapping[str, Any] = field(default_factory=dict)
    text: str = ""

    @property
    def error(self) -> Mapping[str, Any] | None:
        """What its document says about a failure."""
        found = self.document.get("error")
        return found if isinstance(found, dict) else None


class Program(Struct):
    """Runs commands in one folder.

    Attributes:
        shared: options that every command gets.
        timeout: seconds after which a command gets what Ctrl-C sends.
    """

    console: Console
    environment: Mapping[str, str]
    folder: Path
    shared: tuple[str, ...] = ()
    timeout: float = 600.0

    def ask(self, *words: str, quiet: bool = False) -> Answer:
        """Run one command.

        Args:
            quiet: leave what it says on standard error out of the log.
        """
        path = json.dumps([p for p in sys.path if p])
        command = [sys.executable, "-I", "-c", _START, path, *words, *self.shared, "--no-input"]
        # Its own group: a cancelled job signals ours, and the child hears of it from us, once.
        child = subprocess.Popen(
            command, cwd=self.folder, env=self._environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        assert child.stdout is not None and child.stderr is not None
        taken: list[bytes] = []
        readers = (
            threading.Thread(target=_take, args=(child.stdout, taken)),
            threading.Thread(target=self._tell, args=(child.stderr, quiet)),
        )
        with _passed_on(child):
            for reader in readers:
                reader.start()
            self._wait(child)
            for reader in readers:
                reader.join()
        text = b"".join(taken).decode("utf-8", "replace")
        code = child.returncode if child.returncode >= 0 else 128 - child.returncode
        return Answer(code, _document(text), text)

    def _environment(self) -> dict[str, str]:
        kept = {k: v for k, v in self.environment.items() if k not in _OURS and not k.startswith(_PREFIX)}
        return {**kept, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1"}

    def _tell(self, stream: IO[bytes], quiet: bool) -> None:
        for line in stream:
            if not quiet:
                self.console.say(line.decode("utf-8", "replace").rstrip("\r\n"))

    def _wait(self, child: subprocess.Popen[bytes]) -> None:
        limits: Sequence[tuple[float, int, str]] = (
            (self.timeout, signal.SIGINT, f"{self.timeout:.0f} s are over: asked to stop after the step under way"),
            (PATIENCE[0], signal.SIGTERM, "asked once more"),
            (PATIENCE[1], signal.SIGKILL, "ended; what stands in the database is recorded there"),
        )
        for seconds, number, said in limits:
            try:
                child.wait(seconds)
                return
            except subprocess.TimeoutExpired:
                self.console.say(said)
                child.send_signal(number)
        child.wait()


@contextlib.contextmanager
def _passed_on(child: subprocess.Popen[bytes]) -> Iterator[None]:
    """A cancelled job sends SIGINT, later SIGTERM: the child ends the step under way, and we report."""

    def pass_on(number: int, _: object) -> None:
        with contextlib.suppress(OSError):
            child.send_signal(number)

    before = {n: signal.signal(n, pass_on) for n in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _take(stream: IO[bytes], into: list[bytes]) -> None:
    size = 0
    while chunk := stream.read(1 << 16):
        size += len(chunk)
        if size <= _LARGEST:
            into.append(chunk)


def _document(text: str) -> Mapping[str, Any]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}
