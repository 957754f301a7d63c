"""Connections of asyncio services, kept in pools of psycopg_pool; no thread waits for them."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import psycopg

from bgce_migrate.db.pooled import no_connection, not_installed, own_settings, position_of
from bgce_migrate.errors import Unavailable

if TYPE_CHECKING:
    from psycopg_pool import AsyncConnectionPool


class AsyncServicePool:
    """As `pooled.ServicePool`; to be made, used and closed in one event loop."""

    def __init__(self, conninfo: str, service: str, size: int, *, reads: bool, server: str) -> None:
        self._server = server
        self._reads = reads
        self._pool = _pool_class()(
            conninfo,
            kwargs={**own_settings(conninfo), "application_name": service},
            min_size=0,
            max_size=size,
            max_idle=60.0,
            num_workers=1,
            open=False,
            name=f"{service} to {server}",
        )

    async def open(self) -> None:
        """Begin; connects nowhere yet."""
        await self._pool.open()

    async def take(self, patience: float) -> psycopg.AsyncConnection[Any]:
        """A connection; give it back with `give`.

        Raises:
            Unavailable: none was to be had in so many seconds; names the server.
        """
        try:
            connection: psycopg.AsyncConnection[Any] = await self._pool.getconn(patience)
        except psycopg.OperationalError as error:  # PoolTimeout and PoolClosed are such
            raise no_connection(self._server, patience, error) from None
        if self._reads:
            await connection.set_read_only(True)
        return connection

    async def give(self, connection: psycopg.AsyncConnection[Any]) -> None:
        """Give a connection back; an open transaction rolls back, a broken connection is thrown away."""
        if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE and not connection.closed:
            with contextlib.suppress(psycopg.Error):
                await connection.rollback()
        await self._pool.putconn(connection)

    async def refresh(self) -> None:
        """Throw away connections that broke while the server was away."""
        await self._pool.check()

    async def close(self) -> None:
        """End all connections."""
        await self._pool.close(timeout=1.0)


async def insert_position(connection: psycopg.AsyncConnection[Any]) -> tuple[int, int, int]:
    """As `pooled.insert_position`.

    Raises:
        Unavailable: the server does not say it any more. What was committed stands.
    """
    from psycopg.rows import tuple_row

    from bgce_migrate.db.session import sql

    try:
        async with connection.cursor(row_factory=tuple_row) as cursor:
            await cursor.execute(sql("routing", "standing", "").encode())
            row = await cursor.fetchone()
        await connection.rollback()
    except psycopg.Error as error:
        raise Unavailable(f"the server does not say where the write stands: {str(error).strip()}") from None
    return position_of(row)


def _pool_class() -> type[AsyncConnectionPool[Any]]:
    try:
        from psycopg_pool import AsyncConnectionPool
    except ImportError:
        raise not_installed() from None
    found: type[AsyncConnectionPool[Any]] = AsyncConnectionPool
    return found
