"""Commands as processes without the cost of starting Python: a loaded process forks one for each.

Run as a program it reads one JSON request a line and answers each with one line.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

REPOSITORY = Path(__file__).resolve().parents[2]


class Zygote:
    """Starts `bgce-migrate` processes. Each is a process of its own: it may be killed, stopped and signalled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._count = 0
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.zygote"],
            cwd=REPOSITORY, env={**os.environ, "PYTHONPATH": str(REPOSITORY)}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def start(self, words: Sequence[str], cwd: Path) -> Started:
        """Start one command."""
        self._count += 1
        out, err = (self.folder / f"{self._count}.{kind}" for kind in ("out", "err"))
        for path in (out, err):
            path.touch()
        answer = self._ask({"argv": list(words), "cwd": str(cwd), "out": str(out), "err": str(err)})
        return Started(self, answer["pid"], out, err)

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
        end = time.monotonic() + timeout
        while self.running:
            if time.monotonic() > end:
                os.kill(self.pid, signal.SIGKILL)
                raise AssertionError(f"the command did not end within {timeout} s: {self.err.read_text()}")
            time.sleep(0.005)
        assert self.code is not None
        out, err = self.out.read_text(), self.err.read_text()
        assert "Traceback" not in err and self.code != 70, err
        document: dict[str, Any] = {}
        if out.strip() and self.code >= 0:
            document = json.loads(out)
        return Finished(self.code, document, err)


def _fork(request: dict[str, Any]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        os.setpgid(0, 0)
        # A test run in the background has it ignored, and so would its commands, as they should.
        signal.signal(signal.SIGINT, signal.default_int_handler)
        os.chdir(request["cwd"])
        for number, path in ((1, request["out"]), (2, request["err"])):
            os.dup2(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC), number)
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        from bgce_migrate import cli

        code = cli.execute(request["argv"])
        sys.stdout.flush()
        sys.stderr.flush()
    except BaseException:
        import traceback

        traceback.print_exc()
        code = 70
    os._exit(code)


def _poll(pid: int) -> int | None:
    done, status = os.waitpid(pid, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if done else None


def main() -> None:
    """Serve until the requests end."""
    # What a run imports lazily, so that a forked command begins at once.
    import bgce_migrate.apply.recovery
    import bgce_migrate.apply.run
    import bgce_migrate.commands.history
    import bgce_migrate.commands.up
    import bgce_migrate.order
    import bgce_migrate.planning
    import bgce_migrate.report.progress
    import bgce_migrate.report.runs
    import bgce_migrate.sqlfile  # noqa: F401

    for line in sys.stdin:
        request = json.loads(line)
        answer = {"code": _poll(request["poll"])} if "poll" in request else {"pid": _fork(request)}
        print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
