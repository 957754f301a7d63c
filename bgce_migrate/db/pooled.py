"""Connections of services, kept in pools of psycopg_pool: one pool a service, server and kind of work."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import psycopg

from bgce_migrate.db.session import KEEPALIVE, TCP_USER_TIMEOUT, parameters
from bgce_migrate.errors import Unavailable, UsageError

if TYPE_CHECKING:
    from psycopg_pool import ConnectionPool

#: A recovery conflict (40001 as "canceling statement due to conflict with recovery"), a server that ends or starts.
_ELSEWHERE = frozenset({"40001", "40P01", "57P01", "57P02", "57P03", "53300", "25006"})
READ_ONLY = "25006"


class ServicePool:
    """At most `size` connections of one service to one server, made when they are needed.

    Args:
        reads: transactions are READ ONLY on the primary, too: a read behaves the same wherever it goes.

    Raises:
        UsageError: psycopg_pool is not installed.
    """

    def __init__(self, conninfo: str, service: str, size: int, *, reads: bool, server: str) -> None:
        self._server = server
        self._reads = reads
        made = _pool_class()(
            conninfo,
            kwargs={**own_settings(conninfo), "application_name": service},
            min_size=0,
            max_size=size,
            max_idle=60.0,
            num_workers=1,
            open=False,
            name=f"{service} to {server}",
        )
        made.open()
        self._pool = made

    def take(self, patience: float) -> psycopg.Connection[Any]:
        """A connection; give it back with `give`.

        Raises:
            Unavailable: none was to be had in so many seconds; names the server.
        """
        try:
            connection: psycopg.Connection[Any] = self._pool.getconn(patience)
        except psycopg.OperationalError as error:  # PoolTimeout and PoolClosed are such
            raise no_connection(self._server, patience, error) from None
        if self._reads:
            connection.read_only = True
        return connection

    def give(self, connection: psycopg.Connection[Any]) -> None:
        """Give a connection back; an open transaction rolls back, a broken connection is thrown away."""
        if connection.info.transaction_status != psycopg.pq.TransactionStatus.IDLE and not connection.closed:
            # The pool would do it too, with a warning in the service's log for every read.
            with contextlib.suppress(psycopg.Error):
                connection.rollback()
        self._pool.putconn(connection)

    def refresh(self) -> None:
        """Throw away connections that broke while the server was away."""
        self._pool.check()

    def close(self) -> None:
        """End all connections."""
        self._pool.close(timeout=1.0)


def no_connection(server: str, patience: float, error: psycopg.Error) -> Unavailable:
    """What to say where none was to be had."""
    said = str(error).strip().splitlines()
    return Unavailable(
        f"no connection to {server} within {patience:g} s: {said[0] if said else 'no answer'}",
        hint="`bgce-migrate route` shows how the servers stand",
    )


def elsewhere(error: BaseException) -> bool:
    """Whether a read that failed so may do well on another server."""
    if isinstance(error, Unavailable):
        return True
    if not isinstance(error, psycopg.Error):
        return False
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError)  # the connection ended
    return error.sqlstate in _ELSEWHERE or error.sqlstate.startswith("08")


def is_misrouted(error: BaseException) -> bool:
    """Whether a write was tried where nothing may be written."""
    return isinstance(error, psycopg.Error) and error.sqlstate == READ_ONLY


def broke(error: BaseException) -> bool:
    """Whether the error is the server's: it went away, ends, or has no room."""
    if isinstance(error, Unavailable):
        return True
    state = getattr(error, "sqlstate", None)
    if state is None:
        return isinstance(error, psycopg.OperationalError)
    return state in ("57P01", "57P02", "57P03", "53300") or str(state).startswith("08")


def insert_position(connection: psycopg.Connection[Any]) -> tuple[int, int, int]:
    """System identifier, timeline and position of all that this connection has committed. One round trip.

    Raises:
        Unavailable: the server does not say it any more. What was committed stands.
    """
    from psycopg.rows import tuple_row

    from bgce_migrate.db.session import sql

    try:
        with connection.cursor(row_factory=tuple_row) as cursor:
            row = cursor.execute(sql("routing", "standing", "").encode()).fetchone()
        connection.rollback()
    except psycopg.Error as error:
        raise Unavailable(f"the server does not say where the write stands: {str(error).strip()}") from None
    return position_of(row)


def position_of(row: tuple[Any, ...] | None) -> tuple[int, int, int]:
    """System identifier, timeline and position out of the answer to `routing.standing`.

    Raises:
        Unavailable: it is no primary's.
    """
    if row is None or row[0] == "true":
        raise Unavailable("the server became a standby after the write")
    return int(row[1]), int(row[3]), int(row[2])


def own_settings(conninfo: str) -> dict[str, Any]:
    """What keeps a connection from hanging, where its address does not say it."""
    known = parameters(conninfo)
    own = {**KEEPALIVE, "tcp_user_timeout": str(TCP_USER_TIMEOUT), "connect_timeout": "2"}
    return {key: value for key, value in own.items() if key not in known}


def not_installed() -> UsageError:
    """What to say without psycopg_pool."""
    return UsageError(
        "the router keeps its connections with psycopg_pool, which is not installed",
        hint="pip install 'bgce-migrate[routing]'",
    )


def _pool_class() -> type[ConnectionPool[Any]]:
    try:
        from psycopg_pool import ConnectionPool
    except ImportError:
        raise not_installed() from None
    found: type[ConnectionPool[Any]] = ConnectionPool
    return found
