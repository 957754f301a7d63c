"""Lends connections of an event loop's pools, counts what is under way, and tells errors of servers from the work's."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from bgce_migrate.db.pooled import broke
from bgce_migrate.db.pooled_async import AsyncServicePool
from bgce_migrate.errors import Unavailable
from bgce_migrate.pools.model import DEFAULT_POOL
from bgce_migrate.router.deciding import Choice, Decider
from bgce_migrate.router.declared import Places
from bgce_migrate.router.leases import Lease
from bgce_migrate.routing import RoutingSettings

if TYPE_CHECKING:
    from psycopg import AsyncConnection


class AsyncLending:
    """The pools of one event loop, made when first needed.

    Attributes:
        misrouted: by service, writes that came as reads.
    """

    def __init__(self, places: Places, settings: RoutingSettings, decider: Decider) -> None:
        self.misrouted: Counter[str] = Counter()
        self._places = places
        self._settings = settings
        self._decider = decider
        self._pools: dict[tuple[int, str, bool], AsyncServicePool] = {}

    @asynccontextmanager
    async def lent(self, choice: Choice, service: str, *, reads: bool) -> AsyncIterator[Lease[AsyncConnection[Any]]]:
        """A connection for one block; what the server failed is counted against it.

        Raises:
            Unavailable: none was to be had.
        """
        pool = await self._pool(choice.index, service, reads)
        self._decider.busy[choice.index] += 1
        try:
            try:
                connection = await pool.take(self._settings.patience)
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
                await pool.give(connection)
        finally:
            self._decider.busy[choice.index] -= 1

    async def refresh(self, index: int) -> None:
        """A server answers again: what broke meanwhile is thrown away."""
        for pool in [pool for (i, _, _), pool in self._pools.items() if i == index]:
            await pool.refresh()

    async def close(self) -> None:
        """End all connections."""
        pools = list(self._pools.values())
        self._pools.clear()
        for pool in pools:
            await pool.close()

    async def _pool(self, index: int, service: str, reads: bool) -> AsyncServicePool:
        key = (index, service, reads)
        found = self._pools.get(key)
        if found is None:
            size = self._places.pools.get(service, DEFAULT_POOL)
            server = self._places.servers[index].name
            found = self._pools[key] = AsyncServicePool(
                self._places.conninfos[index], service, size, reads=reads, server=server
            )
            # Nothing in it waits, so nobody finds it in the table before it is open.
            await found.open()
        return found
