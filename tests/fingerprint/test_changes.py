"""Every kind of change, made alone on a real server, is seen and told so that one knows what it was."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from bgce_migrate.db import catalog_reader
from bgce_migrate.db.session import Session
from bgce_migrate.fingerprint import digest
from bgce_migrate.fingerprint.compare import compare
from bgce_migrate.fingerprint.model import Catalog
from bgce_migrate.fingerprint.wording import tell
from bgce_migrate.servers import Server
from tests.fingerprint.scene import Change, changes, made, read, run
from tests.servers import as_superuser

CHANGES = changes()

pytestmark = pytest.mark.superuser("makes each change and reads it in one transaction; only superusers make some")


def test_there_are_enough_kinds() -> None:
    assert len({change.sql for change in CHANGES}) == len(CHANGES) >= 280


@pytest.fixture(scope="module")
def reader(everything: tuple[Session, Catalog]) -> catalog_reader.Reader:
    """Reads from one change to the next."""
    return catalog_reader.Reader(everything[0])


@pytest.mark.parametrize("change", CHANGES, ids=str)
def test_a_change_is_seen_and_told(
    everything: tuple[Session, Catalog], reader: catalog_reader.Reader, change: Change
) -> None:
    session, before = everything
    if before.major < change.since:
        pytest.skip(f"PostgreSQL {before.major} has no such change")
    session.execute("BEGIN")
    try:
        session.connection.execute(change.sql.encode())
        after = catalog_reader.read(session, within=True)
        # What reads only what has changed says what reads everything says.
        assert reader.read(within=True) == after
    finally:
        session.execute("ROLLBACK")
    assert digest.of_catalog(after) != digest.of_catalog(before)
    told = [tell(d) for d in compare(before, after)]
    assert _for_all(told, before.major) == _for_all(change.told, before.major)


def _for_all(told: tuple[str, ...] | list[str], major: int) -> list[str]:
    """Majors before 17 have no MAINTAIN; those before 16 name the table of each column in a view's text."""
    views = ("view ", "materialized view ")
    if major < 16:
        told = [line.partition(": definition is")[0] if line.startswith(views) else line for line in told]
    return [line.replace("fp_writer: MAINTAIN, ", "") if major < 17 else line for line in told]


def test_reading_within_a_transaction_changes_nothing_of_it(everything: tuple[Session, Catalog]) -> None:
    session, before = everything
    session.execute("BEGIN")
    session.execute("SET LOCAL DateStyle = 'German'")
    assert catalog_reader.read(session, within=True) == before
    assert session.execute("SHOW search_path") == (("app",),)
    assert session.execute("SHOW DateStyle") == (("German, DMY",),)
    session.execute("ROLLBACK")


def test_a_reader_reads_the_same_again_and_again(everything: tuple[Session, Catalog]) -> None:
    session, before = everything
    reader = catalog_reader.Reader(session, ["other"])
    assert reader.read(within=False) == catalog_reader.read(session, without=["other"]) != before
    session.execute("BEGIN")
    session.execute("ALTER TABLE things ADD COLUMN late integer")
    told = [tell(d) for d in compare(before, reader.read(within=True))]
    session.execute("ROLLBACK")
    assert told == ["column app.things.late is new", "schema other is gone"]
    assert reader.read(within=False) == catalog_reader.read(session, without=["other"])


def test_an_index_that_could_not_be_built(any_database: str) -> None:
    run(any_database, "CREATE TABLE t (id integer); INSERT INTO t VALUES (1), (1)")
    before = read(any_database)
    with pytest.raises(psycopg.errors.UniqueViolation):
        run(any_database, "CREATE UNIQUE INDEX CONCURRENTLY twice ON t (id)")
    broken = read(any_database)
    assert [tell(d) for d in compare(before, broken)] == ["index public.twice is new"]
    run(any_database, "DELETE FROM t")
    run(any_database, "REINDEX INDEX twice")
    assert [tell(d) for d in compare(broken, read(any_database))] == [
        "index public.twice: not ready is set no more",
        "index public.twice: not valid is set no more",
    ]


def test_what_cannot_be_done_in_a_transaction(any_server: Server) -> None:
    with made(any_server) as make:
        url = make()
        run(url, "CREATE TABLE d (n integer) PARTITION BY RANGE (n)")
        run(url, "CREATE TABLE d1 PARTITION OF d FOR VALUES FROM (1) TO (2)")
        before = read(url)
        run(url, "ALTER TABLE d DETACH PARTITION d1 CONCURRENTLY")
        told = [tell(d) for d in compare(before, read(url))]
        assert "table public.d1: partition of is not set, was public.d" in told


def test_another_place_on_disk(any_server: Server, tmp_path: Path) -> None:
    with made(any_server) as make:
        url = make()
        run(url, "CREATE TABLE t (id integer PRIMARY KEY); CREATE INDEX i ON t (id)")
        before = read(url)
        with psycopg.connect(as_superuser(url), autocommit=True) as connection:
            connection.execute("SET allow_in_place_tablespaces = on")
            connection.execute("CREATE TABLESPACE fp_fast LOCATION ''")
            try:
                connection.execute("ALTER TABLE t SET TABLESPACE fp_fast")
                connection.execute("ALTER INDEX i SET TABLESPACE fp_fast")
                connection.execute("ALTER INDEX t_pkey SET TABLESPACE fp_fast")
                after = read(url)
            finally:
                connection.execute("DROP TABLE t")
                connection.execute("DROP TABLESPACE fp_fast")
        assert [tell(d) for d in compare(before, after)] == [
            "index public.i: tablespace is fp_fast, was not set",
            "table public.t: tablespace is fp_fast, was not set",
            "constraint t_pkey on public.t: tablespace is fp_fast, was not set",
        ]


def test_an_extension_is_one_thing(server_root: Path) -> None:
    from tests.servers import start_server

    with made(start_server(server_root, 15)) as make:
        url = as_superuser(make())
        before = read(url)
        run(url, "CREATE EXTENSION citext; CREATE EXTENSION hstore")
        assert [tell(d) for d in compare(before, read(url))] == ["extension citext is new", "extension hstore is new"]
        before = read(url)
        run(url, "ALTER EXTENSION citext SET SCHEMA pg_catalog")
        assert [tell(d) for d in compare(before, read(url))] == [
            "extension citext: in schema is pg_catalog, was public"
        ]
