"""What the `metrics` hook hears of a run as a whole: its wait for the run lock, and its end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from bgce_migrate.apply.context import RunInfo
from bgce_migrate.errors import BgceError
from bgce_migrate.outcome import Measurement, RunReport


class Observers(Protocol):
    """The part of the plugins' host that observes."""

    def metrics(self, measurement: Measurement) -> None: ...


class Measured:
    """The measurements of one run. A run that asks for no lock has none."""

    def __init__(self, observers: Observers, info: RunInfo, database: str) -> None:
        self._observers = observers
        self._info = info
        self._database = database
        self._began = False

    @contextmanager
    def lock(self) -> Iterator[None]:
        """The run asks for its lock inside; how long that took is told even where it got none."""
        began, self._began = time.monotonic(), True
        try:
            yield
        finally:
            labels = {"command": self._info.command, "database": self._database}
            self._tell("run_lock_wait_seconds", time.monotonic() - began, labels)

    def ended(self, report: RunReport) -> None:
        """The lock is given back: whoever writes something somewhere holds nobody up now."""
        if self._began:
            self._tell("run_success", float(report.failure is None), {"run_id": self._info.run_id}, report)

    def failed(self, error: BgceError) -> None:
        """It ended without a report."""
        self.ended(failed_report(self._info, error))

    def _tell(self, name: str, value: float, labels: dict[str, str], of: RunReport | None = None) -> None:
        self._observers.metrics(Measurement(name, value, labels, self._info.run_id, of))


def failed_report(info: RunInfo, error: BgceError) -> RunReport:
    """The report of a run that ended before its first step."""
    result = "interrupted" if error.exit_code == 130 else "failed"
    return RunReport(info.run_id, result, failure=error, deployment=info.deployment)
