"""A fingerprint stays the same over what is no change: dump and restore, restart, ANALYZE, dropped columns, majors."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psycopg
import pytest

from bgce_migrate import servers
from bgce_migrate.fingerprint import digest
from bgce_migrate.fingerprint.compare import compare
from bgce_migrate.fingerprint.lens import lens
from bgce_migrate.fingerprint.model import Catalog
from bgce_migrate.fingerprint.wording import tell
from bgce_migrate.servers import Server
from tests.e2e.desks import require_done, up
from tests.e2e.platform import bootstrap, copy_platform
from tests.fingerprint.scene import BASE, dumped_and_restored, made, read, run
from tests.grants.running import grant
from tests.servers import as_superuser, start_server

#: Expressions that a server writes down in another way once it has read its own text again, and others near to them.
ODD = """
CREATE TABLE odd (
    a varchar(20) CHECK (a IN ('x', 'y,z', 'it''s', '[b]')),
    b char(3) CHECK (b NOT IN ('a', 'b')),
    c integer CHECK (c IN (1, 2, 3)),
    d text CHECK (d = ANY (ARRAY['p', 'q']::varchar[])),
    e date DEFAULT '2026-01-31' CHECK (e BETWEEN '2020-01-01' AND '2030-12-31'),
    f interval DEFAULT '1 day 02:03:04',
    g timestamptz DEFAULT '2026-06-01 00:00:00+02',
    h float8 DEFAULT 0.1,
    i bytea DEFAULT '\\xdead',
    j numeric(5, 2) DEFAULT -1,
    "K" boolean DEFAULT (NOT true),
    l varchar(10)[] DEFAULT '{}' CHECK (l <@ ARRAY['a', 'b']::varchar[])
);
CREATE INDEX odd_a ON odd (a) WHERE a IN ('x', 'y');
CREATE VIEW odd_view AS SELECT a, CASE WHEN a IN ('x', 'y') THEN 1 ELSE 0 END AS n FROM odd WHERE b IN ('a', 'c');
ALTER TABLE odd ENABLE ROW LEVEL SECURITY;
CREATE POLICY odd_policy ON odd USING (a IN ('x', 'y'));
CREATE TABLE many (id bigint, day timestamptz, kind varchar(9)) PARTITION BY RANGE (day);
CREATE TABLE many_1 PARTITION OF many FOR VALUES FROM ('2026-01-01 00:00+01') TO ('2027-01-01 00:00+01');
ALTER TABLE odd DROP COLUMN c;
ALTER TABLE odd ADD COLUMN m integer NOT NULL DEFAULT 3;
CREATE TABLE parent_of_parts (id integer PRIMARY KEY) PARTITION BY RANGE (id);
CREATE TABLE part_one PARTITION OF parent_of_parts FOR VALUES FROM (1) TO (9);
CREATE TABLE part_two (id integer NOT NULL);
ALTER TABLE parent_of_parts ATTACH PARTITION part_two FOR VALUES FROM (9) TO (19);
CREATE TABLE refers (id integer REFERENCES parent_of_parts (id)) PARTITION BY LIST (id);
CREATE TABLE refers_1 PARTITION OF refers FOR VALUES IN (1);
"""
BOOKKEEPING = "bgce_migrate"


def told(before: Catalog, after: Catalog) -> list[str]:
    return [tell(d) for d in compare(before, after)]


def test_dump_and_restore(any_server: Server, tmp_path: Path) -> None:
    with made(any_server) as make:
        url = make()
        run(as_superuser(url), BASE)
        run(url, "SET search_path = public;" + ODD)
        with psycopg.connect(as_superuser(url)) as connection:
            connection.execute("DO $$BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = ''8MB''', current_database()); END$$")
        before = read(url)
        dumped_and_restored(any_server, as_superuser(url), tmp_path)
        after = read(url)
        assert told(before, after) == []
        assert digest.of_catalog(before) == digest.of_catalog(after)
        assert len(before.objects) > 150


def test_statistics_and_rows(any_database: str) -> None:
    run(any_database, ODD)
    before = digest.of_catalog(read(any_database))
    run(any_database, "INSERT INTO odd (a, b) SELECT 'x', 'abc' FROM generate_series(1, 100)")
    run(any_database, "VACUUM FULL odd")
    run(any_database, "ANALYZE")
    run(any_database, "REINDEX TABLE odd; TRUNCATE odd")
    assert digest.of_catalog(read(any_database)) == before


@pytest.mark.parametrize("major", [18, 16, 15])
def test_restart(server_root: Path, major: int) -> None:
    start_server(server_root, major)  # or a skip with a reason
    provider = "embedded" if major > 15 else "local"
    started = servers.start(server_root, provider=provider, major=major, name="restart", fast=True)
    try:
        with psycopg.connect(started.url(), autocommit=True) as connection:
            connection.execute("CREATE DATABASE kept")
        run(started.url(database="kept"), BASE)
        before = read(started.url(database="kept"))
        servers.stop(server_root, name="restart", major=major)
        started = servers.start(server_root, provider=provider, major=major, name="restart", fast=True)
        assert told(before, read(started.url(database="kept"))) == []
    finally:
        servers.remove(server_root, name="restart", major=major)


def test_objects_made_in_another_order_have_no_other_fingerprint(any_server: Server) -> None:
    one = "CREATE TABLE a (id integer PRIMARY KEY, n text);"
    other = "CREATE TYPE m AS ENUM ('x');CREATE VIEW v AS SELECT 1 AS one;"
    with made(any_server) as make:
        urls = [make(), make()]
        run(urls[0], one + other + "CREATE TABLE b (id integer REFERENCES a);")
        run(urls[1], other + "CREATE TABLE gone (x int);" + one + "DROP TABLE gone;CREATE TABLE b (id integer);"
            "ALTER TABLE b ADD FOREIGN KEY (id) REFERENCES a")  # fmt: skip
        first, second = (read(url) for url in urls)
        assert digest.of_catalog(first) == digest.of_catalog(second)


def test_the_order_of_columns_counts_only_where_asked(any_database: str) -> None:
    run(any_database, "CREATE TABLE t (a integer, b integer, c integer)")
    before = read(any_database)
    run(any_database, "ALTER TABLE t DROP COLUMN b; ALTER TABLE t ADD COLUMN b integer")
    after = read(any_database)
    assert told(before, after) == ["table public.t: columns stand in the order (a, c, b), were (a, b, c)"]
    assert [d.is_order for d in compare(before, after)] == [True]
    assert compare(before, after, ordered=False) == ()
    loose = lens(before.major, after.major, ordered=False)
    assert digest.of_catalog(before) != digest.of_catalog(after)
    assert digest.of_catalog(before, loose) == digest.of_catalog(after, loose)


@pytest.fixture(scope="module")
def shipped(server_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[int], Catalog]]:
    """The catalog of the shipped domains, applied and granted, on a server of a major."""
    with ExitStack() as stack:

        def read_shipped(major: int) -> Catalog:
            make = stack.enter_context(made(start_server(server_root, major)))
            guarded = bootstrap(copy_platform(tmp_path_factory.mktemp("platform")), make())
            require_done(up(guarded.project, guarded.url))
            grant(guarded, guarded.admin)
            return read(guarded.url, BOOKKEEPING)

        yield read_shipped


def test_majors_agree_on_the_shipped_domains(shipped: Callable[[int], Catalog]) -> None:
    on18, on16 = shipped(18), shipped(16)
    assert len(on18.objects) > 700
    assert told(on16, on18) == []
    through = lens(16, 18)
    assert digest.of_catalog(on16, through) == digest.of_catalog(on18, through)


def test_majors_agree_on_one_of_everything(server_root: Path) -> None:
    found = []
    for major in (16, 18):
        with made(start_server(server_root, major)) as make:
            url = make()
            run(as_superuser(url), BASE)
            run(url, "SET search_path = public;" + ODD)
            found.append(read(url))
            run(url, "GRANT MAINTAIN ON odd TO fp_reader" if major == 18 else "SELECT 1")
            found.append(read(url))
            run(as_superuser(url), "ALTER TABLE odd ALTER h SET DEFAULT 0.2; CREATE OR REPLACE VIEW app.named AS SELECT id, name::varchar(50) FROM app.owners")
            found.append(read(url))
    on16, on18 = found[:3], found[3:]
    assert told(on16[0], on18[0]) == []
    assert told(on16[0], on18[1]) == []  # 16 has no such privilege
    assert told(on16[0], on18[2]) == [
        "view app.named: uses: came app.owners.id, app.owners.name; went app.things.id, app.things.name, app.things.size",
        "column public.odd.h: default is 0.2, was 0.1",
    ]
