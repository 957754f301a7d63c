"""Lends connections of the pools, counts what is under way, and tells errors of servers from those of the work."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from bgce_migrate.db.pooled import ServicePool, broke
from bgce_migrate.errors import Unavailable
from bgce_migrate.pools.model import DEFAULT_POOL
from bgce_migrate.router.deciding import Choice, Decider
from bgce_migrate.router.declared import Places
from bgce_migrate.router.leases import Lease
from bgce_migrate.routing import RoutingSettings

if TYPE_CHECKING:
    from psycopg import Connection


class Lending:
    """The pools of one program, made when first needed.

    Attributes:
        misrouted: by service, writes that came as reads.
    """

    def __init__(self, places: Places, settings: RoutingSettings, decider: Decider) -> None:
        self.misrouted: Counter[str] = Counter()
        self._places = places
        self._settings = settings
        self._decider = decider
        self._lock = threading.Lock()
        self._pools: dict[tuple[int, str, bool], ServicePool] = {}

    @contextmanager
    def lent(self, choice: Choice, service: str, *, reads: bool) -> Iterator[Lease[Connection[Any]]]:
        """A connection for one block; what the server failed is counted against it.

        Raises:
            Unavailable: none was to be had.
        """
        pool = self._pool(choice.index, service, reads)
        busy = self._decider.busy
        with self._lock:
            busy[choice.index] += 1
        try:
            try:
                connection = pool.take(self._settings.patience)
            except Unavailable:
                self._decider.failed(choice.index)
                raise
            try:
                yield Lease(connection, choice.server, choice.why)
            except BaseException as error:
                if broke(error):
                    self._decider.failed(choice.index)
                raise
            else:
                self._decider.worked(choice.index)
            finally:
                pool.give(connection)
        finally:
            with self._lock:
                busy[choice.index] -= 1

    def refresh(self, index: int) -> None:
        """A server answers again: what broke meanwhile is thrown away."""
        with self._lock:
            pools = [pool for (i, _, _), pool in self._pools.items() if i == index]
        for pool in pools:
            pool.refresh()

    def close(self) -> None:
        """End all connections."""
        with self._lock:
            pools = list(self._pools.values())
            self._pools.clear()
        for pool in pools:
            pool.close()

    def _pool(self, index: int, service: str, reads: bool) -> ServicePool:
        key = (index, service, reads)
        with self._lock:
            if key not in self._pools:
                size = self._places.pools.get(service, DEFAULT_POOL)
                server = self._places.servers[index].name
                self._pools[key] = ServicePool(self._places.conninfos[index], service, size, reads=reads, server=server)
            return self._pools[key]
