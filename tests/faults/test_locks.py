"""Other people's locks, deadlocks between lanes, catalogs written at once, orphans, poolers."""

from __future__ import annotations

import threading
import time

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.faults import trees
from tests.faults.site import SECRET, Site, only_guarded, only_plain, until
from tests.pooler import Pooler


def with_table(site: Site, body: str = "ALTER TABLE goods ADD COLUMN extra int;") -> None:
    site.domain("shop", tables=["goods"])
    site.write("shop", 1, "CREATE TABLE goods (id int PRIMARY KEY);", "DROP TABLE goods;")
    site.bootstrap()
    assert site.up().exit_code == 0
    site.write("shop", 2, body)


def test_a_reader_is_not_queued_behind_an_alter(site: Site) -> None:
    """F7, L14: readers wait no longer than lock_timeout; the blocker is named; exit 4; nothing changed."""
    with_table(site)
    waits: list[float] = []
    quit_ = threading.Event()

    def read() -> None:
        with psycopg.connect(site.superuser, autocommit=True) as reader:
            while not quit_.is_set():
                began = time.monotonic()
                reader.execute("SELECT count(*) FROM goods")
                waits.append(time.monotonic() - began)
                time.sleep(0.005)

    with site.connect() as holder:
        holder.execute("SELECT count(*) FROM goods")
        pid = holder.info.backend_pid
        reader = threading.Thread(target=read)
        reader.start()
        done = site.run("up")
        quit_.set()
        reader.join()
    assert done.code == 4, done.stderr
    # A login of layout plain sees of others who they are, not what they do.
    seen = "idle in transaction, " if site.layout == "guarded" else "state hidden"
    assert f"pid {pid} (postgres, holder of the test, {seen}" in done.message, done.message
    assert max(waits) < 0.3 + 0.5, f"a reader waited {max(waits):.2f} s"
    assert done.steps == {"shop/2": "failed"}
    assert site.run("up").code == 0
    assert site.applied() == ["shop/1", "shop/2"]


@only_plain
def test_a_lock_that_goes_away_is_retried(site: Site) -> None:
    """F7: the whole step is tried again; exit 0."""
    with_table(site)
    with site.connect() as holder:
        holder.execute("SELECT count(*) FROM goods")
        run = site.start("up")
        until(lambda: site.working("ALTER TABLE"))
        time.sleep(0.6)
        holder.rollback()
    done = run.wait()
    assert done.code == 0, done.stderr
    assert done.document["steps"][0]["retries"] >= 1


@only_guarded
def test_lanes_that_deadlock(site: Site) -> None:
    """F8: two lanes lock crosswise; the loser is rolled back whole and tried again; both applied once."""
    for domain in ("aaa", "bbb"):
        site.domain(domain, tables=[f"{domain}_t"], requires=[])
        site.write(domain, 1, f"CREATE TABLE {domain}_t (id int PRIMARY KEY);", f"DROP TABLE {domain}_t;")
    site.bootstrap()
    assert site.up().exit_code == 0
    for domain, other in (("aaa", "bbb"), ("bbb", "aaa")):
        site.write(
            domain, 2,
            f"SELECT pg_advisory_xact_lock(hashtext('{domain}'));\nSELECT pg_sleep(0.4);\n"
            f"SELECT pg_advisory_xact_lock(hashtext('{other}'));\nALTER TABLE {domain}_t ADD COLUMN x int;",
        )  # fmt: skip
    report = site.up(jobs=2, limits={"lock_timeout": "10s"})
    assert report.exit_code == 0, report.failure
    assert sum(step.retries for step in report.steps) >= 1
    assert sorted(site.applied()) == ["aaa/1", "aaa/2", "bbb/1", "bbb/2"]


def test_keys_to_one_table_from_many_lanes(site: Site) -> None:
    """F8, F9: eight lanes add keys to one table and grants on one schema at once; all applied, no retry shown."""
    site.domain("core", tables=["base"])
    site.write("core", 1, "CREATE TABLE base (id int PRIMARY KEY);", "DROP TABLE base;")
    site.query("CREATE ROLE reader")
    for n in range(8):
        name = f"lane{n}"
        site.domain(name, tables=[f"{name}_t"], requires=["core"])
        body = f"CREATE TABLE {name}_t (id int REFERENCES base (id));\nGRANT SELECT ON {name}_t TO reader;"
        if site.layout == "plain":
            body += "\nGRANT USAGE ON SCHEMA public TO reader;"
        site.write(name, 1, body, f"DROP TABLE {name}_t;")
    site.bootstrap()
    done = site.run("up", "--jobs", "8")
    assert done.code == 0, done.stderr
    assert "concurrently" not in done.stderr
    assert len(site.applied()) == 9
    granted = "SELECT count(*) FROM information_schema.role_table_grants WHERE grantee = 'reader'"
    assert site.value(granted) == 8


@only_guarded
def test_another_lanes_lost_connection(site: Site) -> None:
    """F33, F8: one lane comes back and raises the epoch; the others of the same run go on."""
    for name in ("aaa", "bbb"):
        site.domain(name, tables=[f"{name}_{n}" for n in range(1, 8)])
        for n in range(1, 8):
            sleep = 0.6 if (name, n) == ("aaa", 1) else 0.1
            site.write(name, n, f"CREATE TABLE {name}_{n} (id int);\nSELECT pg_sleep({sleep});", f"DROP TABLE {name}_{n};")
    site.bootstrap()
    run = site.in_background(jobs=2)
    victim = until(lambda: [b for b in site.backends() if b[1].endswith(" aaa/1")])[0][0]
    site.terminate(victim)
    report = run.result()
    assert report.exit_code == 0, report.failure
    assert len(site.applied()) == 14 and len(set(site.applied())) == 14


@only_plain
def test_an_orphan_of_two_phase_commit(site: Site) -> None:
    """F11: a prepared transaction that nobody ends holds a lock: exit 4, and it is named."""
    with_table(site)
    with site.connect() as holder:
        holder.execute("LOCK TABLE goods IN ACCESS SHARE MODE")
        holder.execute("PREPARE TRANSACTION 'forgotten'")
    done = site.run("up")
    assert done.code == 4, done.stderr
    assert "prepared transaction 'forgotten'" in done.message, done.message
    site.query("ROLLBACK PREPARED 'forgotten'")
    assert site.run("up").code == 0


@pytest.mark.postgres(18)
@only_plain
def test_a_file_may_not_prepare(site: Site) -> None:
    """F11, F46: refused with file and line before anything runs."""
    site.domain("core", tables=["one"])
    site.write("core", 1, "CREATE TABLE one (id int);\nPREPARE TRANSACTION 'mine';", "DROP TABLE one;")
    site.bootstrap()
    done = site.run("up")
    assert done.code == 2
    assert "000001_step.up.sql:2" in done.stderr
    assert site.tables() == set()


# -- poolers -----------------------------------------------------------------------------------------------------


def test_through_a_pooler(site: Site, pgbouncer: Pooler) -> None:
    """F21, F23, L6: transactional steps go through PgBouncer in transaction mode, while others use the pool."""
    trees.six_steps(site)
    site.bootstrap()
    url = pgbouncer.url(site.url)
    quit_ = threading.Event()

    def churn() -> None:
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as other:
            while not quit_.is_set():
                other.execute("SELECT current_setting('lock_timeout'), current_user")

    threads = [threading.Thread(target=churn) for _ in range(3)]
    for thread in threads:
        thread.start()
    done = site.run("up", "--jobs", "2", url=url)
    quit_.set()
    for thread in threads:
        thread.join()
    assert done.code == 0, done.stderr
    assert len(site.applied()) == 6
    assert site.chain_faults() == ()
    # Nothing of the run stays on the pool's connections.
    user = str(conninfo_to_dict(site.url)["user"])
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as other:
        for _ in range(5):
            row = other.execute("SELECT current_user, current_setting('lock_timeout'), current_setting('search_path')")
            assert row.fetchone() == (user, "0", '"$user", public')


def test_an_index_build_through_a_pooler(site: Site, pgbouncer: Pooler) -> None:
    """F22, L7: refused before anything runs, with the direct address asked for."""
    trees.with_index(site)
    site.bootstrap()
    done = site.run("up", url=pgbouncer.url(site.url))
    assert done.code == 3
    assert "pooler" in done.message and "own address" in done.stderr
    assert site.tables() == set()


@pytest.mark.postgres(18)
def test_the_password_is_not_in_what_a_pooler_makes_us_say(plain: Site, pgbouncer: Pooler) -> None:
    """F23, F24: a wrong password through the pooler: exit 4, without it."""
    trees.six_steps(plain)
    done = plain.run("up", url=pgbouncer.url(plain.url).replace(SECRET, "not-the-secret"))
    assert done.code == 4
    assert "not-the-secret" not in done.stderr + str(done.document)
