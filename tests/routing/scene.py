"""A primary with two streaming standbys, a table on it, and a login of a service that has no other right."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import psycopg

from bgce_migrate.router import Places
from bgce_migrate.routing import Served
from bgce_migrate.servers import Server
from bgce_migrate.servers.cluster import Cluster as ServerCluster
from tests.faults.cluster import Standby, caught_up, make_standby, remove_primary, start_primary
from tests.servers import DatabaseMaker

LOGIN, SECRET = "postal_user", "secret of postal"


@dataclass
class Cluster:
    """A primary and its standbys, replica1 and replica2."""

    primary: Server
    standbys: tuple[Standby, ...]

    def superuser(self, name: str) -> str:
        server = self.primary if name == "primary" else self.standby(name).server
        return server.url(database="archive")

    def standby(self, name: str) -> Standby:
        return self.standbys[int(name.removeprefix("replica")) - 1]

    def login(self, name: str) -> str:
        server = self.primary if name == "primary" else self.standby(name).server
        return server.url(LOGIN, SECRET, "archive")

    @property
    def places(self) -> Places:
        """postal reads from both, community from the first, cortex from none."""
        names = [f"replica{i}" for i in range(1, len(self.standbys) + 1)]
        served = [Served(n, "replica", ("postal", "community") if n == "replica1" else ("postal",)) for n in names]
        return Places(
            (Served("primary", "primary"), *served),
            tuple(self.login(name) for name in ("primary", *names)),
            MappingProxyType({"postal": 8, "community": 2, "cortex": 2}),
        )

    def ask(self, name: str, statement: str) -> object:
        """The first value of a statement, as the superuser of one server."""
        with psycopg.connect(self.superuser(name), autocommit=True) as connection:
            found = connection.execute(statement.encode())
            row = found.fetchone() if found.description else None
        return row[0] if row else None

    def pause(self, *names: str) -> None:
        """Stop the replay: it is stopped when this returns."""
        for name in names:
            self.ask(name, "SELECT pg_wal_replay_pause()")
            until(lambda name=name: self.ask(name, "SELECT pg_get_wal_replay_pause_state()") == "paused")  # type: ignore[misc]

    def resume(self, *names: str) -> None:
        for name in names:
            self.ask(name, "SELECT pg_wal_replay_resume()")

    def follow(self, name: str, other: str) -> None:
        """Let a standby stream from another server: what an operator does after a failover."""
        before = str(self.ask(name, "SHOW primary_conninfo"))
        port = self.standby(other).server.port
        after = re.sub(r"port=[0-9]+", f"port={port}", before).replace("'", "''")
        self.ask(name, f"ALTER SYSTEM SET primary_conninfo = '{after}'")
        self.ask(name, "SELECT pg_reload_conf()")

    def catch_up(self) -> None:
        """Until both standbys have replayed everything."""
        for i in range(1, len(self.standbys) + 1):
            until(lambda i=i: caught_up(self.superuser("primary"), self.superuser(f"replica{i}")))  # type: ignore[misc]


def until(holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Look until something holds."""
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "it never held"
        time.sleep(0.01)


@contextmanager
def running(root: Path, major: int, count: int = 2) -> Iterator[Cluster]:
    """A cluster of its own; ends with the block."""
    primary = start_primary(root, major)
    standbys: list[Standby] = []
    try:
        url = DatabaseMaker(primary)("archive")
        with psycopg.connect(primary.url(database="archive"), autocommit=True) as connection:
            connection.execute(f"CREATE ROLE {LOGIN} LOGIN PASSWORD '{SECRET}'".encode())
            connection.execute("CREATE TABLE posts (id bigint PRIMARY KEY, n bigint NOT NULL)")
            connection.execute("INSERT INTO posts SELECT i, 0 FROM generate_series(1, 8) i")
            connection.execute(f"GRANT SELECT, INSERT, UPDATE ON posts TO {LOGIN}".encode())
        assert url
        for _ in range(count):
            standbys.append(make_standby(primary))
        cluster = Cluster(primary, tuple(standbys))
        cluster.catch_up()
        yield cluster
    finally:
        for standby in standbys:
            standby.remove()
        remove_primary(root, primary)


def primary_cluster(cluster: Cluster) -> ServerCluster:
    """The primary's data as something that is stopped and started."""
    folder = Path(cluster.primary.data).parent
    return ServerCluster(folder, cluster.standbys[0].cluster.account)

