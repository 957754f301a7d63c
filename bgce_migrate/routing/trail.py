"""Where the primary was, and when: how old a replica is, without a table that somebody has to write.

Seconds since a standby's last replayed transaction say nothing on an idle primary (they grow while nothing is missing).
Positions of the primary at known moments are a heartbeat that costs no write and is right when nothing happens.
"""

from __future__ import annotations

from bisect import bisect_right


class Trail:
    """Positions of one primary on one timeline, in the order they were asked for."""

    def __init__(self, most: int = 600) -> None:
        self._most = most
        self._moments: list[float] = []
        self._positions: list[int] = []

    @property
    def last(self) -> tuple[float, int] | None:
        """When the primary was last asked, and its position."""
        return (self._moments[-1], self._positions[-1]) if self._moments else None

    def add(self, asked: float, position: int) -> None:
        """Remember a position that was true at `asked` or later; an answer that came too late is left out."""
        if self._moments and (asked <= self._moments[-1] or position < self._positions[-1]):
            return
        self._moments.append(asked)
        self._positions.append(position)
        if len(self._moments) > self._most:
            # Half at once, so that it costs nothing on most calls.
            del self._moments[: self._most // 2]
            del self._positions[: self._most // 2]

    def fresh(self, position: int) -> float | None:
        """The last moment of which a standby at `position` surely has everything; None if that was before all of it."""
        found = bisect_right(self._positions, position)
        return self._moments[found - 1] if found else None

    def behind(self, position: int) -> float | None:
        """Seconds between that moment and the last one; None if nobody knows."""
        fresh = self.fresh(position)
        return None if fresh is None else self._moments[-1] - fresh

    def clear(self) -> None:
        """Begin anew: another primary."""
        self._moments.clear()
        self._positions.clear()
