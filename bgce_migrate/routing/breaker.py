"""Gives a replica that fails a rest, longer each time."""

from __future__ import annotations

from bgce_migrate.routing.model import RoutingSettings


class Breaker:
    """Counts errors in a row of one server. No clock of its own: moments are given (monotonic seconds)."""

    def __init__(self, settings: RoutingSettings) -> None:
        self._settings = settings
        self._failures = 0
        self._rests = 0
        self.until = 0.0  #: nothing is sent there before

    def failed(self, now: float) -> bool:
        """An error; whether the server rests from now on. After a rest one error is enough for the next."""
        self._failures += 1
        if self._failures < self._settings.failures and not (self._rests and now >= self.until):
            return False
        if now < self.until:
            return True  # of somebody who was there before the rest began
        length = min(self._settings.rest * 2**self._rests, self._settings.rest_most)
        self._rests = min(self._rests + 1, 16)
        self._failures = 0
        self.until = now + length
        return True

    def worked(self) -> None:
        """No error: forget those before."""
        if self._failures or self._rests:
            self._failures = self._rests = 0
