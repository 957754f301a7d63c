"""One server for everybody: the embedded PostgreSQL 18, durable as in production, and fresh databases on it."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from bench.workload import Workload
from bgce_migrate import servers
from bgce_migrate.db.statements import MIGRATOR
from bgce_migrate.servers import Server
from bgce_migrate.servers import programs as server_programs

MAJOR = 18
NAME = "bench"

#: Everything of the workload that a tool could have got wrong: columns, keys and indexes, rows.
_SIGNATURE = """
SELECT 'column', c.relname, a.attname, format_type(a.atttypid, a.atttypmod) || a.attnotnull
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
 WHERE c.relname = ANY (%(tables)s) AND c.relkind = 'r'
UNION ALL
SELECT 'constraint', c.relname, k.conname, pg_get_constraintdef(k.oid)
  FROM pg_class c JOIN pg_constraint k ON k.conrelid = c.oid WHERE c.relname = ANY (%(tables)s)
UNION ALL
SELECT 'index', tablename, indexname, indexdef FROM pg_indexes WHERE tablename = ANY (%(tables)s)
ORDER BY 1, 2, 3
"""


def cache_folder() -> Path:
    """Where the server and the other tools live: outside the repository, kept between runs."""
    base = os.environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    folder = Path(base) / "bgce-bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Ground:
    """The running server and what contestants need to know of it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.programs = server_programs.find("embedded", MAJOR)
        self._numbers = itertools.count(1)

    @property
    def psql(self) -> Path:
        """The psql that came with the server."""
        return self.programs.path("psql")

    def url(self, database: str) -> str:
        """The administrator's URL of a database."""
        return self.server.url(database=database)

    def migrator_url(self, database: str) -> str:
        """The URL of the login that runs steps. It outlives databases and runs, so its password is the server's."""
        password = hashlib.sha256(self.server.admin_password.encode()).hexdigest()[:32]
        self._admin(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(MIGRATOR), sql.Literal(password)))
        return self.server.url(role=MIGRATOR, password=password, database=database)

    @contextmanager
    def fresh(self) -> Iterator[str]:
        """The name of an empty database, dropped afterwards."""
        name = f"bench_{os.getpid()}_{next(self._numbers)}"
        self._admin(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        try:
            yield name
        finally:
            self._admin(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def settle(self) -> None:
        """Write everything out, so that no contestant pays for the one before."""
        self._admin(sql.SQL("CHECKPOINT"))

    def signature(self, database: str, workload: Workload) -> tuple[int, int]:
        """How many of the workload's tables a database has, and a hash of all that is in and about them."""
        with psycopg.connect(self.url(database)) as connection:
            tables = workload.all_tables()
            rows = connection.execute(_SIGNATURE, {"tables": tables}).fetchall()
            made = sorted({row[1] for row in rows})
            for table in made:
                count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
                rows += connection.execute(count).fetchall()
        return len(made), hash(tuple(rows))

    def _admin(self, statement: sql.Composed | sql.SQL) -> None:
        with psycopg.connect(self.server.url(), autocommit=True) as connection:
            connection.execute(statement)


@contextmanager
def running() -> Iterator[Ground]:
    """The server, started for this run and stopped afterwards; its data directory stays in the cache."""
    root = cache_folder()
    server = servers.start(root, provider="embedded", major=MAJOR, name=NAME, fast=False)
    try:
        yield Ground(server)
    finally:
        servers.stop(root, name=NAME, major=MAJOR)
