"""A tree of migrations on disk and the database it goes to, for fault tests; both layouts, in process or beside it."""

from __future__ import annotations

import json
import os
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from bgce_migrate.apply.context import Limits, RunInfo, Silent, Stop
from bgce_migrate.apply.run import Options
from bgce_migrate.apply.target import Address, Target
from bgce_migrate.db.history import read_rows, verify
from bgce_migrate.db.statements import MIGRATOR
from bgce_migrate.desk import Desk
from bgce_migrate.migration import Step
from bgce_migrate.outcome import Head, RunReport
from bgce_migrate.servers import Server, programs
from tests.zygote import Finished, Started, Zygote

SECRET = "s3cret-of-the-login"
PLAIN_LOGIN = "plain_login"
#: What one run may last before the test fails.
PATIENCE = 60


class Watcher(Silent):
    """A progress that calls back at chosen instants, from inside the run."""

    def __init__(
        self,
        *,
        started: Callable[[Step], None] | None = None,
        statement: Callable[[Step, int], None] | None = None,
        finished: Callable[[Any], None] | None = None,
    ) -> None:
        self._started, self._statement, self._finished = started, statement, finished
        self.notes: list[str] = []
        self.waits: list[str] = []

    def step_started(self, step: Step, statements: int) -> None:
        if self._started:
            self._started(step)

    def statement_done(self, step: Step, index: int, tag: str) -> None:
        if self._statement:
            self._statement(step, index)

    def step_finished(self, result: Any) -> None:
        if self._finished:
            self._finished(result)

    def waiting(self, message: str) -> None:
        self.waits.append(message)

    def note(self, message: str) -> None:
        self.notes.append(message)


@dataclass
class Site:
    """Migrations in `root` and the database at `url`; `admin` bootstraps a guarded one, `superuser` looks and breaks things."""

    root: Path
    layout: str
    admin: str
    superuser: str
    url: str
    server: Server
    zygote: Zygote
    _domains: dict[str, dict[str, Any]] = field(default_factory=dict)

    # -- files -------------------------------------------------------------------------------------------------

    def domain(self, name: str, *, tables: Sequence[str] = (), requires: Sequence[str] = (), more: str = "") -> None:
        """Declare a domain (guarded); in layout plain its folder alone says all."""
        (self.folder / name).mkdir(parents=True, exist_ok=True)
        if self.layout == "plain":
            return
        lines = [f'name = "{name}"', f"requires = {json.dumps(list(requires))}", more]
        lines += [f"[tables.{table}]" for table in tables]
        (self.folder / name / "domain.toml").write_text("\n".join(lines) + "\n")
        self._domains[name] = {}
        listed = json.dumps([f"migrations/{n}" for n in self._domains])
        (self.root / "bgce.toml").write_text(f'[project]\nname = "site"\ndomains = {listed}\n')

    @property
    def folder(self) -> Path:
        """Where the domains' folders are."""
        return self.root / "migrations"

    def write(self, domain: str, version: int, up: str | bytes, down: str | None = "SELECT 1;\n", name: str = "step") -> Path:
        """A pair of files; the up file's path."""
        if not (self.folder / domain).is_dir():
            self.domain(domain)
        stem = self.folder / domain / f"{version:06d}_{name}"
        path = stem.with_name(stem.name + ".up.sql")
        path.write_bytes(up.encode() if isinstance(up, str) else up)
        if down is not None:
            stem.with_name(stem.name + ".down.sql").write_text(down)
        return path

    def bootstrap(self) -> None:
        """Layout guarded: what the administrator does once, and again after a new domain."""
        if self.layout == "guarded":
            self.desk().bootstrap(Address(self.admin), passwords={MIGRATOR: SECRET})

    # -- running in this process -------------------------------------------------------------------------------

    def desk(self) -> Desk:
        """The project as a command reads it."""
        if self.layout == "plain":
            return Desk.load(self.root, migrations=self.folder)
        return Desk.load(self.root)

    def open(self, url: str | None = None, *, check: bool = True) -> Target:
        """The database as a run opens it."""
        return self.desk().open(Address(url or self.url), check=check)

    def up(
        self,
        url: str | None = None,
        *,
        limits: Mapping[str, Any] | None = None,
        progress: Silent | None = None,
        stop: Stop | None = None,
        jobs: int = 1,
        expect: str | None = None,
        atomic: bool = False,
        after: Mapping[str, Head] | None = None,
        **select: Any,
    ) -> RunReport:
        """`bgce_migrate.up` with everything that a test may want to set."""
        waits = Limits(**{"lock_wait": 20.0, "resolve_timeout": 15.0, **(limits or {})})
        options = Options(
            limits=waits, jobs=jobs, atomic=atomic, expect=expect, progress=progress or Silent(), stop=stop or Stop()
        )
        desk = self.desk()
        with desk.open(Address(url or self.url)) as target:
            return desk.up(target, RunInfo.new("up"), options, after=after, **select)

    def in_background(self, *args: Any, **settings: Any) -> Background:
        """`up` in a thread of its own."""
        return Background(lambda: self.up(*args, **settings))

    # -- running beside it -------------------------------------------------------------------------------------

    def words(self, *words: str, url: str | None = None) -> list[str]:
        """The words of a command line of the shipped program."""
        where = ["--migrations", str(self.folder)] if self.layout == "plain" else []
        return ["--no-input", "--json", "-d", url or self.url, *where, *words]

    def start(self, *words: str, url: str | None = None) -> Started:
        """Start a command as a process."""
        return self.zygote.start(self.words(*words, url=url), self.root)

    def run(self, *words: str, url: str | None = None) -> Finished:
        """Run a command to its end; its password must not be in what it says."""
        done = self.start(*words, url=url).wait()
        assert SECRET not in json.dumps(done.document) + done.stderr
        return done

    # -- looking -----------------------------------------------------------------------------------------------

    def query(self, sql: str, *values: Any) -> list[tuple[Any, ...]]:
        """Rows, as the superuser sees them."""
        with psycopg.connect(self.superuser, autocommit=True) as connection:
            cursor = connection.execute(sql.encode(), values or None)
            return cursor.fetchall() if cursor.description else []

    def value(self, sql: str, *values: Any) -> Any:
        """The first value of the first row."""
        return self.query(sql, *values)[0][0]

    def applied(self) -> list[str]:
        """`domain/version` of every successful up row, in order; twice where it was recorded twice."""
        rows = self.query(
            "SELECT service_name, version FROM bgce_migrate.migration_history"
            " WHERE success AND direction = 'up' ORDER BY id"
        )
        return [f"{d}/{v}" for d, v in rows]

    def chain_faults(self, anchors: Mapping[str, Head] | None = None) -> tuple[str, ...]:
        """What `history --verify` finds."""
        with self.open(check=False) as target:
            return verify(read_rows(target.control), anchors or {})

    def catalog(self) -> str:
        """The schema as pg_dump tells it, the bookkeeping left out."""
        return dump(self.server, self.superuser)

    def tables(self) -> set[str]:
        """Tables outside the system and the bookkeeping."""
        rows = self.query(
            "SELECT relname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
            " WHERE relkind = 'r' AND nspname NOT IN ('pg_catalog', 'information_schema', 'bgce_migrate')"
        )
        return {r[0] for r in rows}

    def backends(self) -> list[tuple[int, str, str]]:
        """pid, program and query of every session of our program on this database."""
        return self.query(
            "SELECT pid, application_name, query FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name LIKE 'bgce-migrate%'"
        )

    def working(self, words: str) -> int | None:
        """The backend of our program that runs a statement that begins so."""
        rows = self.query(
            "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND state = 'active'"
            " AND application_name LIKE 'bgce-migrate%%' AND query LIKE %s",
            words + "%",
        )
        return rows[0][0] if rows else None

    def terminate(self, pid: int) -> None:
        """End a backend."""
        self.query("SELECT pg_terminate_backend(%s)", pid)

    def connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """A session of the superuser, not in autocommit mode; to hold something."""
        return psycopg.connect(self.superuser, application_name="holder of the test")

    def lock_holder(self) -> int | None:
        """The backend that holds the run lock."""
        rows = self.query(
            "SELECT l.pid FROM pg_locks l JOIN pg_class c ON c.oid = l.relation WHERE c.relname = 'run_lock'"
            " AND l.mode = 'ExclusiveLock' AND l.granted"
            " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        )
        return rows[0][0] if rows else None


class Background:
    """Something that runs in a thread; `result()` gives what it returned or raises what it raised."""

    def __init__(self, work: Callable[[], Any]) -> None:
        self._out: list[Any] = []
        self._error: list[BaseException] = []

        def call() -> None:
            try:
                self._out.append(work())
            except BaseException as error:
                self._error.append(error)

        self.thread = threading.Thread(target=call, daemon=True)
        self.thread.start()

    @property
    def running(self) -> bool:
        """Whether it has not ended yet."""
        return self.thread.is_alive()

    def result(self, timeout: float = PATIENCE) -> Any:
        """Wait for the end."""
        self.thread.join(timeout)
        assert not self.thread.is_alive(), f"still running after {timeout} s"
        if self._error:
            raise self._error[0]
        return self._out[0]


def dump(server: Server, url: str) -> str:
    """`pg_dump -s` without the bookkeeping and the lines that differ by chance."""
    found = programs.find(server.provider, server.major)
    known = conninfo_to_dict(url)
    done = subprocess.run(
        [found.path("pg_dump"), "-s", "-N", "bgce_migrate", "-h", str(known["host"]), "-p", str(known["port"]),
         "-U", str(known["user"]), str(known["dbname"])],
        capture_output=True, text=True, env={**os.environ, "PGPASSWORD": str(known["password"])}, check=True,
    )  # fmt: skip
    skipped = ("\\restrict", "\\unrestrict", "--")
    return "\n".join(line for line in done.stdout.splitlines() if line and not line.startswith(skipped))


def until(found: Callable[[], Any], seconds: float = 20.0, what: str = "what the test waits for") -> Any:
    """Poll until `found()` is true; its value."""
    end = time.monotonic() + seconds
    while True:
        value = found()
        if value:
            return value
        assert time.monotonic() < end, f"{what} did not come within {seconds} s"
        time.sleep(0.01)


#: Where the layout makes no difference to the fault, one is enough.
only_plain = pytest.mark.parametrize("site", ["plain"], indirect=True)
only_guarded = pytest.mark.parametrize("site", ["guarded"], indirect=True)
