"""Progress of a run on standard error: one line a step in a log, one line that changes on a terminal."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from bgce_migrate.report.output import Output
from bgce_migrate.report.runs import status_word

if TYPE_CHECKING:
    from bgce_migrate.apply.context import Progress
    from bgce_migrate.migration import Step
    from bgce_migrate.outcome import StepResult

#: A step that runs longer says that it still runs (seconds); CI systems end jobs that are silent.
STILL_RUNNING = 30.0


@contextlib.contextmanager
def progress(out: Output) -> Iterator[Progress]:
    """What a run tells its story to."""
    if out.json_log:
        from bgce_migrate.report.json_progress import JsonProgress

        yield JsonProgress(out)
        return
    if not out.progress_is_terminal:
        yield PlainProgress(out)
        return
    from bgce_migrate.report.live import LiveProgress

    with LiveProgress(out) as live:
        yield live


class PlainProgress:
    """One line when a step has ended; with `-v` one a statement."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._said: dict[str, float] = {}
        self._blocked: dict[str, frozenset[str]] = {}

    def step_started(self, step: Step, statements: int) -> None:
        """Named only with `-v`: in a log the end is what counts."""
        with self._lock:
            self._said[str(step.id)] = time.monotonic()
        self._out.detail(f"{step.id} {step.direction.value} started, {statements} statements")

    def statement_done(self, step: Step, index: int, tag: str) -> None:
        """A line with `-v`, and one now and then for a step that takes long."""
        self._out.detail(f"{step.id} statement {index + 1} of {len(step.script.statements)}: {tag}")
        if not self._out.verbose:
            self._now_and_then(step, f"statement {index + 1} of {len(step.script.statements)} is done")

    def index_progress(self, step: Step, phase: str, done: int, total: int) -> None:
        """A line now and then."""
        share = f" {100 * done // total} %" if total else ""
        self._now_and_then(step, f"{phase}{share}")

    def step_finished(self, result: StepResult) -> None:
        """The line of the step."""
        self._out.note(f"{result.id} {status_word(result)} {result.duration_ms:.0f} ms")

    def waiting(self, message: str) -> None:
        """Who holds what this run waits for."""
        if message:
            self._out.note(message)

    def blocked(self, step: Step, by: Mapping[str, str]) -> None:
        """A line when others are in the way than before."""
        with self._lock:
            before = self._blocked.get(str(step.id))
            self._blocked[str(step.id)] = now = frozenset(by)
        if before != now:
            self._out.note(f"{step.id} waits for {'; '.join(by.values())}")

    def note(self, message: str) -> None:
        """Something worth knowing."""
        self._out.note(f"note: {message}")

    def _now_and_then(self, step: Step, text: str) -> None:
        now = time.monotonic()
        with self._lock:
            if now - self._said.get(str(step.id), now) < STILL_RUNNING:
                return
            self._said[str(step.id)] = now
        self._out.note(f"{step.id} still runs: {text}")
