"""Progress of a run as events: for machines that keep logs."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bgce_migrate.report.faults import error_value
from bgce_migrate.report.output import Output
from bgce_migrate.report.values import migration_value

if TYPE_CHECKING:
    from bgce_migrate.migration import Step
    from bgce_migrate.outcome import StepResult

#: Seconds between two events of one index build, and between two of a step's statements without `-v`.
_BETWEEN, _STILL_RUNNING = 5.0, 30.0


class JsonProgress:
    """One event for each thing that happens; statements and index builds are many, so with `-v` or now and then."""

    def __init__(self, out: Output) -> None:
        self._out = out
        self._lock = threading.Lock()
        self._said: dict[str, float] = {}
        self._blocked: dict[str, frozenset[str]] = {}

    def step_started(self, step: Step, statements: int) -> None:
        """It begins, or begins again in another run."""
        with self._lock:
            self._said[str(step.id)] = time.monotonic()
        self._out.event("step_started", **_named(step), statements=statements)

    def statement_done(self, step: Step, index: int, tag: str) -> None:
        """Each with `-v`; else one now and then, because CI systems end jobs that are silent."""
        if self._out.verbose or self._due(step, _STILL_RUNNING):
            level, of = "debug" if self._out.verbose else "info", len(step.script.statements)
            self._out.event("statement_done", level, **_named(step), statement=index + 1, of=of, tag=tag)

    def index_progress(self, step: Step, phase: str, done: int, total: int) -> None:
        """Now and then."""
        if self._due(step, _BETWEEN):
            self._out.event("index_progress", **_named(step), phase=phase, done=done, total=total)

    def step_finished(self, result: StepResult) -> None:
        """How it ended."""
        self._out.event(
            "step_finished",
            "error" if result.error is not None else "info",
            **migration_value(result.id),
            direction=result.direction.value,
            status=result.status.value,
            duration_ms=round(result.duration_ms, 1),
            retries=result.retries,
            lock_wait_ms=round(result.lock_wait_ms, 1),
            notes=list(result.notes),
            error=error_value(result.error) if result.error is not None else None,
        )

    def waiting(self, message: str) -> None:
        """Who holds what this run waits for."""
        if message:
            self._out.event("waiting", message=message)

    def blocked(self, step: Step, by: Mapping[str, str]) -> None:
        """When others are in the way than before."""
        with self._lock:
            before = self._blocked.get(str(step.id))
            self._blocked[str(step.id)] = now = frozenset(by)
        if before != now:
            self._out.event("blocked", "warning", **_named(step), by=list(by.values()))

    def note(self, message: str) -> None:
        """Something worth knowing."""
        self._out.note(message)

    def _due(self, step: Step, seconds: float) -> bool:
        now = time.monotonic()
        with self._lock:
            due = now - self._said.get(str(step.id), now) >= seconds
            if due:
                self._said[str(step.id)] = now
        return due


def _named(step: Step) -> dict[str, object]:
    return {**migration_value(step.id), "direction": step.direction.value}
