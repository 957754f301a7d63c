"""A database with the shipped domains applied, and the programs that look at it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator

import psycopg
import pytest

from bgce_migrate.servers import programs
from tests.plugins.shipped_domains import Connection, all_pairs, run


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    """An empty database, in autocommit."""
    with psycopg.connect(database, autocommit=True) as opened:
        yield opened


@pytest.fixture
def migrated(connection: Connection) -> Connection:
    """A database with all eleven domains."""
    for pair in all_pairs():
        run(connection, pair.up)
    return connection


@pytest.fixture
def schema_dump(database: str) -> Callable[[], str]:
    """`pg_dump -s` of the database, without what differs from one call to the next."""
    program = programs.find("embedded").path("pg_dump")

    def dump() -> str:
        done = subprocess.run([program, "-s", "-d", database], capture_output=True, text=True, check=True)
        return re.sub(r"^\\(un)?restrict .*\n", "", done.stdout, flags=re.MULTILINE)

    return dump
