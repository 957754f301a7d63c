"""The step's protocol against hostile bodies, with the parser out of the way.

Every body gets through to the server as it stands, in each layout and mode, on each major, direct and through a
transaction pooler. The table `EXPECTED` says how the step must end; in no case may a table that the body makes
after ending the step's transaction stay, nor a history row that the run did not write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from bgce_migrate.apply import bootstrap, plain
from bgce_migrate.apply.audit import Audit
from bgce_migrate.apply.context import Access, Context, Limits, RunInfo
from bgce_migrate.apply.leader import Leadership
from bgce_migrate.apply.owned import Owned
from bgce_migrate.apply.step import StepRunner
from bgce_migrate.db.session import connect
from bgce_migrate.db.statements import MIGRATOR
from bgce_migrate.db.target import read_facts
from bgce_migrate.domain import Domain
from bgce_migrate.migration import (
    Direction,
    Directives,
    MigrationId,
    Mode,
    Script,
    SourceFile,
    Statement,
    Step,
)
from bgce_migrate.servers import Server
from tests.pooler import Pooler, start_pgbouncer
from tests.servers import DatabaseMaker, as_superuser, make_administrator

SCHEMA = "bgce_migrate"
DOMAINS = (Domain("alpha", Path(".")), Domain("beta", Path(".")))

FORGED = (
    "SELECT bgce_migrate.finish_step('00000000-0000-4000-8000-000000000000', "
    """'{"run_id":"00000000-0000-4000-8000-000000000000","version":77,"name":"x","direction":"up",\
"execution_time_ms":0,"success":true,"tool_version":"0"}')"""
)
DEFERRED = (
    "CREATE TABLE hostile (id int)",
    "CREATE FUNCTION who() RETURNS trigger LANGUAGE plpgsql AS"
    " $$ BEGIN EXECUTE 'CREATE TABLE made_at_commit (by_role text)';"
    " INSERT INTO made_at_commit VALUES (current_user); RETURN NULL; END $$",
    "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON hostile DEFERRABLE INITIALLY DEFERRED"
    " FOR EACH ROW EXECUTE FUNCTION who()",
    "INSERT INTO hostile VALUES (1)",
)
BODIES: dict[str, tuple[str, ...]] = {
    "plain": ("CREATE TABLE hostile (id int)", "INSERT INTO hostile VALUES (1)"),
    "savepoint": ("SAVEPOINT s", "CREATE TABLE hostile (id int)", "ROLLBACK TO s", "CREATE TABLE hostile (id int)"),
    "commit": ("CREATE TABLE hostile (id int)", "COMMIT"),
    "commit, begin": ("CREATE TABLE hostile (id int)", "COMMIT", "BEGIN", "CREATE TABLE hostile2 (id int)"),
    "chain": ("CREATE TABLE hostile (id int)", "COMMIT AND CHAIN", "CREATE TABLE hostile2 (id int)"),
    "prepare": ("CREATE TABLE hostile (id int)", "PREPARE TRANSACTION 'orphan'"),
    "rollback": ("CREATE TABLE hostile (id int)", "ROLLBACK"),
    "rollback, commit": ("ROLLBACK", "CREATE TABLE hostile (id int)", "COMMIT"),
    "rollback, begin, commit": ("ROLLBACK", "BEGIN", "CREATE TABLE hostile (id int)", "COMMIT"),
    "rollback, role": ("ROLLBACK", "SET ROLE alpha_owner", "CREATE TABLE hostile (id int)"),
    "constraints": ("CREATE TABLE hostile (id int)", "SET CONSTRAINTS ALL IMMEDIATE"),
    "do commit": ("CREATE TABLE hostile (id int)", "DO $$ BEGIN COMMIT; END $$"),
    "deferred trigger": DEFERRED,
    "hold cursor": ("CREATE TABLE hostile (id int)", "DECLARE c CURSOR WITH HOLD FOR SELECT current_user"),
    "forged row": ("CREATE TABLE hostile (id int)", FORGED),
    "forged row as login": ("CREATE TABLE hostile (id int)", "RESET ROLE", FORGED),
    "forged table": ("INSERT INTO bgce_migrate.migration_history (service_name) VALUES ('beta')",),
    "guard deleted": ("CREATE TABLE hostile (id int)", "DELETE FROM bgce_migrate.guard", "COMMIT"),
    "copy": ("CREATE TABLE hostile (id int)", "COPY hostile TO STDOUT"),
    "shadowed catalog": (
        "CREATE TABLE hostile (id int)",
        "CREATE FUNCTION pg_temp.spy() RETURNS oid LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'called as %', current_user; END $$",
        "CREATE TEMP VIEW pg_locks AS SELECT pg_temp.spy() AS relation",
        "CREATE TYPE pg_temp.jsonb AS ENUM ('x')",
        "CREATE TYPE pg_temp.uuid AS ENUM ('x')",
    ),
    "other role": ("RESET ROLE", "SET ROLE beta_owner", "CREATE TABLE hostile (id int)"),
}
WORKS = {"plain", "savepoint", "deferred trigger", "hold cursor", "shadowed catalog"}


def expected(body: str, layout: str) -> str:
    """How the step ends: "applied" or "failed"; and "leaks" where PostgreSQL cannot stop it (docs/explanation).

    In layout plain nothing is protected from a migration that works against its own bookkeeping, and in mode
    `role` and `login` a file that rolls back and then takes its owner's role by itself makes its own table, without
    a row (the parser refuses both words): harm it may do to itself alone.
    """
    if body in WORKS:
        return "applied"
    if layout == "plain":
        leaks = {
            "rollback, commit", "rollback, begin, commit", "forged table", "guard deleted", "other role", "rollback, role"
        }  # fmt: skip
        return "leaks" if body in leaks else "failed"
    if body == "rollback, role":
        return "leaks"
    return "failed"


@dataclass
class Bench:
    """A bootstrapped database and a way to run one body on it."""

    superuser: str
    access: Access

    @contextmanager
    def leading(self) -> Iterator[StepRunner]:
        """Hold the run lock; the step's own session is opened by the first body."""
        with self.access.lead() as control:
            facts = read_facts(control)
            context = Context(RunInfo.new("test"), self.access, Limits(retries=1, lock_wait=5), facts)
            leadership = Leadership(context, control)
            leadership.acquire()
            audit = Audit(self.access, {d.owner: d.name for d in DOMAINS})
            runner = StepRunner(context, leadership, None, audit)
            try:
                yield runner
            finally:
                leadership.release()
                audit.close()
                if runner.session is not None:
                    runner.session.close()

    def owned(self, body: str) -> Owned:
        text = ";\n".join(BODIES[body])
        statements = tuple(Statement(s, i, 1, 0, "") for i, s in enumerate(BODIES[body], 1))
        script = Script(SourceFile("000001_hostile.up.sql", text, ""), "v1:0", Mode.TRANSACTION, Directives(), statements)
        step = Step(MigrationId("alpha", 1, "hostile"), Direction.UP, script)
        owner = None if self.access.layout == "plain" else "alpha_owner"
        return Owned(step, owner, "alpha_migrator", "public")

    @cached_property
    def looking(self) -> psycopg.Connection[tuple[object, ...]]:
        """The superuser's connection, for all bodies."""
        return psycopg.connect(self.superuser, autocommit=True)

    def query(self, sql: str) -> list[tuple[object, ...]]:
        return self.looking.execute(sql.encode()).fetchall()


@pytest.fixture
def pooler(any_server: Server) -> Iterator[Pooler]:
    with start_pgbouncer(any_server) as pooler:
        yield pooler


@pytest.fixture(params=["direct", "pooled"])
def make_bench(
    request: pytest.FixtureRequest, any_server: Server, maker: DatabaseMaker
) -> Callable[[str], Bench]:
    def make(layout: str) -> Bench:
        url = maker()
        superuser = as_superuser(url)
        if layout != "plain":
            with connect(make_administrator(url), SCHEMA) as session:
                statements, _ = bootstrap.plan(session, bootstrap.Wanted(DOMAINS, SCHEMA, layout))
                bootstrap.run(session, statements)
            with psycopg.connect(superuser, autocommit=True) as c:
                for role in (MIGRATOR, *([d.migrator for d in DOMAINS] if layout == "login" else [])):
                    c.execute(f"ALTER ROLE {role} PASSWORD 'secret'".encode())
            url = any_server.url(MIGRATOR, "secret", str(conninfo_to_dict(url)["dbname"]))
        if request.param == "pooled":
            url = request.getfixturevalue("pooler").url(url)
        if layout == "plain":
            with connect(url, SCHEMA) as session:
                plain.create_plain(session, read_facts(session), SCHEMA)
        passwords = {d.migrator: "secret" for d in DOMAINS}
        access = Access(url, SCHEMA, "plain" if layout == "plain" else "guarded", layout, passwords)
        return Bench(superuser, access)

    return make


@pytest.mark.parametrize("layout", ["plain", "role", "login"])
def test_hostile_bodies(layout: str, make_bench: Callable[[str], Bench]) -> None:
    bench = make_bench(layout)
    with bench.leading() as runner:
        for body in BODIES:
            check_body(bench, runner, layout, body)
    bench.looking.close()


def check_body(bench: Bench, runner: StepRunner, layout: str, body: str) -> None:
    """Run one body and compare with the table; leaves the database as it was."""
    outcome = expected(body, layout)
    before = bench.query("SELECT count(*) FROM bgce_migrate.migration_history WHERE success")[0][0]
    result = runner.run(bench.owned(body), None)[0]
    status = "applied" if result.error is None else "failed"
    tables = {r[0] for r in bench.query("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")}
    rows = bench.query(
        f"SELECT service_name, version FROM bgce_migrate.migration_history WHERE success OFFSET {before}"
    )
    said = f"{layout}, {body}: {status}, {sorted(map(str, tables))}, {rows}, {result.error}"
    if outcome == "applied":
        assert status == "applied" and rows == [("alpha", 1)] and "hostile" in tables, said
    elif outcome == "failed":
        assert status == "failed" and rows == [] and not tables, said
    else:
        # What gets through is the file's own table; never a row of another domain.
        assert (status == "failed" and all(r[0] == "alpha" for r in rows)) or body == "forged table", said
    assert bench.query("SELECT count(*) FROM bgce_migrate.guard")[0][0] == 0 or outcome == "leaks", said
    assert bench.query("SELECT gid FROM pg_prepared_xacts WHERE database = current_database()") == [], said
    reset(bench)


def reset(bench: Bench) -> None:
    """The database as before the body."""
    c = bench.looking
    for name in ("hostile", "hostile2", "made_at_commit"):
        c.execute(f"DROP TABLE IF EXISTS {name} CASCADE".encode())
    c.execute("DROP FUNCTION IF EXISTS who()")
    # What a body has left in its session's temporary schema goes with the session, which the next body shares.
    for row in c.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'pg_temp_%'").fetchall():
        c.execute(f"DROP SCHEMA IF EXISTS {row[0]} CASCADE".encode())
    c.execute("ALTER TABLE bgce_migrate.migration_history DISABLE TRIGGER ALL")
    c.execute("DELETE FROM bgce_migrate.migration_history")
    c.execute("ALTER TABLE bgce_migrate.migration_history ENABLE TRIGGER ALL")
