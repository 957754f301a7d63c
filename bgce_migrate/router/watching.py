"""One thread a server that asks it where it stands, and at once where a reader waits for the answer."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

from bgce_migrate.db.positions import Positions
from bgce_migrate.errors import BgceError
from bgce_migrate.routing import RoutingSettings, Sight, Standing

#: However many readers wait, a server is asked no more often than this; seconds.
_CLOSEST = 0.002


class Watch:
    """Looks at one server until it is closed.

    Args:
        told: called with every look, in the watch's own thread.
    """

    def __init__(self, conninfo: str, settings: RoutingSettings, told: Callable[[Sight], None]) -> None:
        self._positions = Positions(conninfo)
        self._settings = settings
        self._told = told
        self._asked = threading.Event()
        self._ends = threading.Event()
        self._last: Standing | None = None
        # A daemon: a server that does not answer must not keep a service from ending.
        self._thread = threading.Thread(target=self._run, name="bgce-migrate route", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def hurry(self) -> None:
        """Look now."""
        self._asked.set()

    def close(self) -> None:
        """End; a look that is under way ends by itself."""
        self._ends.set()
        self._asked.set()

    def join(self, seconds: float) -> None:
        """Wait until it has ended."""
        if self._thread.is_alive():
            self._thread.join(seconds)

    def _run(self) -> None:
        try:
            while not self._ends.is_set():
                self._asked.clear()
                self._told(self._look())
                self._ends.wait(_CLOSEST)
                self._asked.wait(self._settings.poll)
        finally:
            self._positions.close()

    def _look(self) -> Sight:
        try:
            self._last = self._positions.look()
        except BgceError as error:
            return Sight(self._last, f"does not answer: {error.message}")
        return Sight(self._last)


def look_once(conninfos: Sequence[str]) -> tuple[Sight, ...]:
    """One look at each server, all at the same time."""
    sights = [Sight(fault="does not answer")] * len(conninfos)

    def ask(index: int, conninfo: str) -> None:
        positions = Positions(conninfo)
        try:
            sights[index] = Sight(positions.look())
        except BgceError as error:
            sights[index] = Sight(fault=f"does not answer: {error.message}")
        finally:
            positions.close()

    threads = [threading.Thread(target=ask, args=pair, daemon=True) for pair in enumerate(conninfos)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(5.0)
    return tuple(sights)
