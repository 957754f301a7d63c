"""How long the calls of one runner have waited for locks that others held."""

from __future__ import annotations

import time
from collections.abc import Mapping

from msgspec.structs import replace

from bgce_migrate.db.wire import TICK
from bgce_migrate.outcome import LockWait, StepResult


class Waits:
    """Put together from looks at the server, one each tick of a waiting call: shorter waits are not seen.

    A wait begins at the tick before the first look that sees somebody, and ends one tick after the last such look
    at the latest. Behind a transaction pooler nobody looks, and nothing is seen.
    """

    def __init__(self) -> None:
        self._past: list[LockWait] = []
        self._began = self._seen = 0.0
        self._blockers: dict[str, str] = {}

    def look(self, found: Mapping[str, str], seconds: float) -> None:
        """Who a look has seen in the way of a call that has lasted so long, by what stays the same of them."""
        now = time.time()
        if not found:
            self.over()
            return
        if not self._blockers:
            self._began = now - min(seconds, TICK)
        self._seen = now
        self._blockers.update(found)

    def over(self) -> None:
        """The call has ended, or nobody is in its way any more."""
        if self._blockers:
            seconds = max(0.0, min(time.time(), self._seen + TICK) - self._began)
            self._past.append(LockWait(self._began, seconds, tuple(self._blockers.values())))
            self._blockers = {}

    def told(self, result: StepResult) -> StepResult:
        """The result of a step with all waits since the last result."""
        self.over()
        waits, self._past = tuple(self._past), []
        if not waits:
            return result
        return replace(result, lock_wait_ms=1000 * sum(wait.seconds for wait in waits), waits=waits)
