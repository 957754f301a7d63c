"""Commands as processes without the cost of starting Python: a loaded process forks one for each.

Run as a program it reads one JSON request a line and answers each with one line.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[1]
#: Programs of their own, or slow to import.
NOT_LOADED = ("__main__", "sqlfluff_plugin", ".style", ".action")


class Zygote:
    """Starts `bgce-migrate` processes. Each is a process of its own: it may be killed, stopped and signalled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._count = 0
        self._lock = threading.Lock()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.zygote"],
            cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def start(
        self, words: Sequence[str], cwd: Path, env: Mapping[str, str] | None = None, answers: str = ""
    ) -> Started:
        """Start one command; without `env` it has the zygote's own, and `answers` is what it reads."""
        with self._lock:
            self._count += 1
            given, out, err = (self.folder / f"{self._count}.{kind}" for kind in ("in", "out", "err"))
        given.write_text(answers, encoding="utf-8")
        for path in (out, err):
            path.touch()
        streams = [str(given), str(out), str(err)]
        asked = {"argv": list(words), "cwd": str(cwd), "streams": streams, "env": None if env is None else dict(env)}
        return Started(self, self._ask(asked)["pid"], out, err)

    def poll(self, pid: int) -> int | None:
        """The exit code (negative: the signal), or None while it runs."""
        code = self._ask({"poll": pid})["code"]
        return None if code is None else int(code)

    def close(self) -> None:
        """End; commands that still run go on."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process.wait(10)

    def _ask(self, request: dict[str, Any]) -> dict[str, Any]:
        assert self._process.stdin is not None and self._process.stdout is not None
        with self._lock:
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
            answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer


@dataclass
class Finished:
    """A command that ended: its code, its JSON document (if it printed one) and what it said."""

    code: int
    document: dict[str, Any]
    stderr: str

    @property
    def steps(self) -> dict[str, str]:
        """Status by `domain/version`."""
        return {f"{s['domain']}/{s['version']}": s["status"] for s in self.document.get("steps", ())}

    @property
    def message(self) -> str:
        """The sentence of the error that the exit code comes from."""
        return str((self.document.get("error") or {}).get("message", ""))


@dataclass
class Started:
    """A command under way."""

    zygote: Zygote
    pid: int
    out: Path
    err: Path
    code: int | None = None

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, unless it has ended."""
        if self.running:
            os.kill(self.pid, number)

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        if self.code is None:
            self.code = self.zygote.poll(self.pid)
        return self.code is None

    def wait(self, timeout: float = 60) -> Finished:
        """Wait for the end; a traceback or a reported bug fails the test."""
        code = self.ended(timeout)
        out, err = self.out.read_text(), self.err.read_text()
        assert "Traceback" not in err and code != 70, err
        document: dict[str, Any] = {}
        if out.strip() and code >= 0:
            document = json.loads(out)
        return Finished(code, document, err)

    def ended(self, timeout: float = 60) -> int:
        """Wait for the end; the code."""
        end = time.monotonic() + timeout
        while self.running:
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                raise AssertionError(f"the command did not end within {timeout} s: {self.err.read_text()}")
            time.sleep(0.005)
        assert self.code is not None
        return self.code


def _fork(request: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setpgid(0, 0)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.chdir(request["cwd"])
        given, *written = request["streams"]
        os.dup2(os.open(given, os.O_RDONLY), 0)
        for number, path in enumerate(written, 1):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_APPEND), number)
        # The old one may have read the next requests already.
        sys.stdin = open(0, encoding="utf-8", closefd=False)  # noqa: SIM115
        if request["env"] is not None:
            os.environ.clear()
            os.environ.update(request["env"])
        from bgce_migrate import cli

        sys.argv = ["bgce-migrate", *request["argv"]]
        cli.run()
    except BaseException:
        import traceback

        traceback.print_exc()
    os._exit(70)


def _poll(pid: int, codes: dict[int, int]) -> int | None:
    """The exit code, as often as it is asked for: two threads of a test may both wait for one command."""
    if pid not in codes:
        done, status = os.waitpid(pid, os.WNOHANG)
        if not done:
            return None
        codes[pid] = os.waitstatus_to_exitcode(status)
    return codes[pid]


def _load() -> None:
    """Everything that a command imports lazily, so that a forked one begins at once."""
    for path in (REPOSITORY / "bgce_migrate").rglob("*.py"):
        name = ".".join(path.relative_to(REPOSITORY).with_suffix("").parts).removesuffix(".__init__")
        if not any(part in name for part in NOT_LOADED):
            importlib.import_module(name)
    gc.freeze()


def main() -> None:
    """Serve until the requests end."""
    _load()
    codes: dict[int, int] = {}
    for line in sys.stdin:
        request = json.loads(line)
        if "poll" in request:
            answer = {"code": _poll(request["poll"], codes)}
        else:
            answer = {"pid": _fork(request)}
            # The system gives numbers out again: an older command may have had this one, and ended long ago.
            codes.pop(answer["pid"] or 0, None)
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
