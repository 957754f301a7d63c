"""An ordinary role's database, a schema as text, and migration files applied by psql as golang-migrate would."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg.conninfo import make_conninfo

from bgce_migrate.servers import programs
from tests.servers import make_administrator

SCHEMA = "bgce_migrate"
PASSWORD = "secret"
UP = re.compile(r"(\d+)_(.*)\.up\.sql\Z")


def as_role(url: str, role: str, password: str = PASSWORD) -> str:
    """The same database, another login."""
    return make_conninfo(url, user=role, password=password)


def make_owner(url: str, role: str = "app", options: str = "") -> str:
    """An ordinary login that owns the database `url` names; its address."""
    return make_administrator(url, role, options)


def query(url: str, text: str) -> list[tuple[object, ...]]:
    """Rows of one statement, in autocommit; [] where it returns none."""
    with psycopg.connect(url, autocommit=True) as connection:
        cursor = connection.execute(text.encode())
        return cursor.fetchall() if cursor.description else []


def dump(
    url: str, *, data: bool = False, owners: bool = True, rights: bool = True, without: tuple[str, ...] = ()
) -> str:
    """`pg_dump` without the bookkeeping, the relations `without` and what differs from one call to the next."""
    words = [] if data else ["-s"]
    words += [*([] if owners else ["-O"]), *([] if rights else ["-x"])]
    words += [f"--exclude-table={name}" for name in without]
    with psycopg.connect(url) as connection:
        major = connection.info.server_version // 10000
    # The server's own: 15.20 keeps a version in each column's options that only its own pg_dump knows to leave out.
    found = [p for p in (*programs.embedded(), *programs.local()) if p.major >= major]
    program = min(found, key=lambda p: p.major).path("pg_dump")
    done = subprocess.run(
        [program, *words, "-N", SCHEMA, "-d", url], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return re.sub(r"^(\\(un)?restrict .*|--.*)?\n", "", done.stdout, flags=re.MULTILINE)


@dataclass(frozen=True)
class Outcome:
    """What psql said of one file: `sqlstate` None when all went well."""

    file: str
    sqlstate: str | None = None
    message: str = ""


def psql_file(url: str, file: Path) -> Outcome:
    """One file in a session of its own, as one simple query: what golang-migrate sends."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("SET client_min_messages = error")
        result = connection.pgconn.exec_(file.read_bytes().removeprefix(b"\xef\xbb\xbf") or b" ")
        if result.status == psycopg.pq.ExecStatus.FATAL_ERROR:
            state = result.error_field(psycopg.pq.DiagnosticField.SQLSTATE) or b""
            return Outcome(file.name, state.decode(), result.error_message.decode().strip())
    return Outcome(file.name)


def up_files(folder: Path) -> list[Path]:
    """The up files of one flat folder, lowest version first."""
    found = [(int(m[1]), p) for p in folder.iterdir() if (m := UP.match(p.name))]
    return [path for _, path in sorted(found)]


def write(folder: Path, files: Mapping[str, str | bytes]) -> Path:
    """Write files below `folder`."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


MakeDatabase = Callable[..., str]
