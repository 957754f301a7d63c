"""Databases to read fingerprints of: one of everything, the shipped domains, dumped and restored ones."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from bgce_migrate.db import catalog_reader
from bgce_migrate.db.session import connect
from bgce_migrate.fingerprint.model import Catalog
from bgce_migrate.servers import Server
from bgce_migrate.servers import programs as server_programs
from tests.servers import DatabaseMaker

HERE = Path(__file__).parent
BASE = (HERE / "base.sql").read_text(encoding="utf-8")


@dataclass(frozen=True)
class Change:
    """A statement and the lines that are to be told; `since`: the first major that has it."""

    sql: str
    told: tuple[str, ...]
    since: int = 14

    def __str__(self) -> str:
        return self.sql[:70]


def changes() -> list[Change]:
    """Those of `changes.txt`."""
    found = []
    for block in (HERE / "changes.txt").read_text(encoding="utf-8").split("\n\n")[1:]:
        sql, *told = block.rstrip("\n").split("\n")
        mark = re.match(r"\[(\d+)\] ", sql)
        lines = tuple(line.strip() for line in told)
        found.append(Change(sql[mark.end() :], lines, int(mark[1])) if mark else Change(sql, lines))
    return found


def run(url: str, sql: str) -> None:
    """Run statements as one text, in one transaction unless they say otherwise."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(sql.encode())


def read(url: str, *without: str) -> Catalog:
    """The catalog of a database."""
    with connect(url, "bgce_migrate") as session:
        return catalog_reader.read(session, without=without)


@contextmanager
def made(server: Server) -> Iterator[DatabaseMaker]:
    """A maker of databases on a server; what it made is dropped at the end."""
    maker = DatabaseMaker(server)
    try:
        yield maker
    finally:
        maker.clean()


def dumped_and_restored(server: Server, url: str, folder: Path) -> None:
    """Dump a database with pg_dump of the server's own major, drop it, and make it again from the dump."""
    programs = server_programs.find(server.provider, server.major)
    file, name = folder / "dump", url.partition("?")[0].rpartition("/")[2]
    subprocess.run([programs.path("pg_dump"), "-Fc", "-f", file, url], check=True)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
    subprocess.run([programs.path("pg_restore"), "-C", "-e", "-d", server.url(), file], check=True)
