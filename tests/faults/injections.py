"""Faults put into a real server for the length of a `with` block."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Iterator

import psycopg

from bgce_migrate.servers import Server
from tests.faults.site import until


def _admin(server: Server) -> psycopg.Connection[tuple[object, ...]]:
    connection = psycopg.connect(server.url(), autocommit=True)
    # Its own commits must not wait for the standby that is not there.
    connection.execute("SET synchronous_commit = off")
    return connection


def _reload(connection: psycopg.Connection[tuple[object, ...]]) -> None:
    connection.execute("SELECT pg_reload_conf()")
    # The checkpointer publishes it to waiting backends.
    time.sleep(0.25)


@contextlib.contextmanager
def ghost_standby(server: Server) -> Iterator[Ghost]:
    """A synchronous standby that does not exist: once `appear()`ed, every COMMIT is done here and hangs."""
    ghost = Ghost(server)
    try:
        yield ghost
    finally:
        ghost.leave()


class Ghost:
    """See `ghost_standby`."""

    def __init__(self, server: Server) -> None:
        self.server = server

    def appear(self) -> None:
        """From now on commits hang."""
        with _admin(self.server) as connection:
            connection.execute("ALTER SYSTEM SET synchronous_standby_names = 'ghost'")
            _reload(connection)

    def leave(self) -> None:
        """Let waiting commits go."""
        with _admin(self.server) as connection:
            connection.execute("ALTER SYSTEM RESET synchronous_standby_names")
            _reload(connection)

    def waiting(self) -> int | None:
        """The backend of our program whose COMMIT waits."""
        with _admin(self.server) as connection:
            row = connection.execute(
                "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
                " AND application_name LIKE 'bgce-migrate%'"
            ).fetchone()
        return int(str(row[0])) if row else None

    def do(self, function: str, pid: int) -> None:
        """pg_cancel_backend or pg_terminate_backend."""
        with _admin(self.server) as connection:
            connection.execute(f"SELECT {function}(%s)".encode(), [pid])


@contextlib.contextmanager
def setting(server: Server, name: str, value: str) -> Iterator[None]:
    """A setting of the whole server."""
    with _admin(server) as connection:
        connection.execute(f"ALTER SYSTEM SET {name} = '{value}'".encode())
        _reload(connection)
        try:
            yield
        finally:
            connection.execute(f"ALTER SYSTEM RESET {name}".encode())
            _reload(connection)


def crash(server: Server, pid: int) -> None:
    """kill -9 of a backend: the postmaster ends all sessions and recovers."""
    os.kill(pid, signal.SIGKILL)
    await_server(server)


def await_server(server: Server) -> None:
    """Until it takes connections."""

    def answers() -> bool:
        try:
            psycopg.connect(server.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    until(answers, 30, "the server")
