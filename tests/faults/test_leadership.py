"""Who may run: starts at the same time, waiters, lost and stopped leaders, signals. Each test names its ids."""

from __future__ import annotations

import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from bgce_migrate.apply import leader
from bgce_migrate.errors import Unavailable
from tests.faults import trees
from tests.faults.conftest import MakeSite
from tests.faults.site import PLAIN_LOGIN, SECRET, Site, Watcher, only_guarded, only_plain, until

CATALOG_ERRORS = re.compile("deadlock|duplicate key|already exists|concurrently|40P01|23505|42P07|XX000", re.IGNORECASE)


def test_twenty_start_at_once_on_an_empty_database(site: Site) -> None:
    """F1, L2, L3: each step exactly once, all exit 0, no catalog error shown."""
    trees.with_index(site)
    site.bootstrap()
    runs = [site.start("up") for _ in range(20)]
    done = [run.wait(120) for run in runs]
    assert [d.code for d in done] == [0] * 20, [d.stderr for d in done if d.code]
    assert site.applied() == ["shop/1", "shop/2", "shop/3"]
    assert sum(len(d.steps) for d in done) == 3
    assert not [d.stderr for d in done if CATALOG_ERRORS.search(d.stderr)]
    assert site.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0
    assert site.chain_faults() == ()


def test_a_waiter_does_not_hold_up_an_index_build(site: Site) -> None:
    """F2, L1, L3: a waits for nothing that b does; b finds nothing left."""
    trees.with_index(site)
    site.bootstrap()
    with site.connect() as holder:
        holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        holder.execute("SELECT 1")
        first = site.start("up")
        until(lambda: site.working("CREATE INDEX"))
        second = site.start("up")
        until(lambda: "waiting for the run lock" in second.err.read_text())
        assert first.running
        holder.rollback()
    assert first.wait().code == 0
    done = second.wait()
    assert (done.code, done.steps) == (0, {})
    assert site.applied() == ["shop/1", "shop/2", "shop/3"]


def test_a_heartbeat_does_not_hold_up_an_index_build(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """L13: the leader's idle transaction keeps no snapshot, however long it lasts."""
    monkeypatch.setattr(leader, "HEARTBEAT", 0.02)
    trees.with_index(site)
    site.bootstrap()
    with site.connect() as holder:
        holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        holder.execute("SELECT 1")
        run = site.in_background()
        until(lambda: site.working("CREATE INDEX"))
        time.sleep(0.2)
        pid = site.lock_holder()
        assert site.query("SELECT backend_xmin, state FROM pg_stat_activity WHERE pid = %s", pid) == [
            (None, "idle in transaction")
        ]
        holder.rollback()
    assert run.result().exit_code == 0


def test_a_second_leader_waits_for_the_first_ones_index_build(site: Site) -> None:
    """F3: the first has lost the lock, its build goes on; the second waits for it and does not build again."""
    trees.with_index(site)
    site.bootstrap()
    with site.connect() as holder:
        holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        holder.execute("SELECT 1")
        first = site.start("up")
        until(lambda: site.working("CREATE INDEX"))
        site.terminate(until(site.lock_holder))
        second = site.start("up")
        until(lambda: "waiting for backend" in second.err.read_text())
        built = "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX%' AND state = 'active'"
        assert site.value(built) == 1
        holder.rollback()
    one, two = first.wait(), second.wait()
    assert two.code == 0, two.stderr
    # The first is told that it no longer leads; or it had ended before anybody asked.
    assert one.code in (0, 4), one.stderr
    assert site.applied() == ["shop/1", "shop/2", "shop/3"]
    assert site.query("SELECT relname, indisvalid FROM pg_index JOIN pg_class c ON c.oid = indexrelid"
                      " WHERE relname LIKE 'goods_word%'") == [("goods_word_idx", True)]  # fmt: skip
    assert site.chain_faults() == ()


@only_guarded
def test_lost_lock_ends_the_run_after_its_step(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """F3: exit 4, what is applied is recorded, the rest is not begun."""
    monkeypatch.setattr(leader, "HEARTBEAT", 0.05)
    site.domain("core", tables=["one", "two"])
    site.write("core", 1, "CREATE TABLE one (id int);\nSELECT pg_sleep(1);", "DROP TABLE one;")
    site.write("core", 2, "CREATE TABLE two (id int);", "DROP TABLE two;")
    site.bootstrap()
    run = site.in_background()
    until(lambda: site.working("SELECT pg_sleep"))
    site.terminate(until(site.lock_holder))
    report = run.result()
    assert report.exit_code == 4
    assert "lost the run lock" in report.failure.message
    assert site.applied() == ["core/1"]
    assert site.up().exit_code == 0
    assert site.applied() == ["core/1", "core/2"]


@only_guarded
def test_the_leader_outlives_idle_timeouts(site: Site) -> None:
    """F4: limits set on the login do not end the run's idle connections."""
    site.domain("core", tables=["one", "two"])
    site.write("core", 1, "CREATE TABLE one (id int);\nSELECT pg_sleep(1);", "DROP TABLE one;")
    site.write("core", 2, "CREATE TABLE two (id int);", "DROP TABLE two;")
    site.bootstrap()
    login = str(psycopg.conninfo.conninfo_to_dict(site.url)["user"])
    for name in ("idle_session_timeout", "idle_in_transaction_session_timeout"):
        site.query(f"ALTER ROLE {login} SET {name} = '200ms'")
    done = site.run("up")
    assert done.code == 0, done.stderr
    assert site.applied() == ["core/1", "core/2"]


def test_a_stopped_leader_is_fenced(site: Site) -> None:
    """F5: while it is stopped it is named; once its connections are ended another runs; awake it does nothing."""
    trees.six_steps(site)
    site.write("core", 4, "SELECT pg_sleep(1);")
    site.bootstrap()
    first = site.start("up")
    until(lambda: site.working("SELECT pg_sleep"))
    first.signal(signal.SIGSTOP)
    refused = site.run("up", "--lock-wait", "0.3")
    assert refused.code == 4
    assert "another run holds the lock: run " in refused.message and "backend" in refused.message
    for pid, _, _ in site.backends():
        site.terminate(pid)
    second = site.run("up")
    assert second.code == 0, second.stderr
    first.signal(signal.SIGCONT)
    done = first.wait()
    assert done.code == 4, done.stderr
    applied = site.applied()
    assert len(applied) == 7 and len(set(applied)) == 7
    assert site.chain_faults() == ()


def test_the_run_lock_cannot_be_squatted(site: Site) -> None:
    """F6: a stranger can neither take the table lock nor stop a run with our advisory key."""
    trees.six_steps(site)
    site.bootstrap()
    name = str(psycopg.conninfo.conninfo_to_dict(site.superuser)["dbname"])
    site.query(f"CREATE ROLE stranger LOGIN PASSWORD '{SECRET}'")
    with psycopg.connect(site.server.url("stranger", SECRET, name), autocommit=True) as stranger:
        stranger.execute("SELECT pg_advisory_lock(hashtextextended('bgce-migrate bgce_migrate', 0))")
        began = time.monotonic()
        done = site.run("up")
        assert done.code == 0, done.stderr
        assert time.monotonic() - began < 10
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            stranger.execute("BEGIN; LOCK TABLE bgce_migrate.run_lock IN ACCESS SHARE MODE")


def test_a_body_cannot_give_up_the_run_lock(plain: Site) -> None:
    """F10: the lock is on a connection of its own; what a file does to its session does not reach it."""
    plain.write("core", 1, "CREATE TABLE one (id int);\nSELECT pg_advisory_unlock_all();\nLISTEN something;")
    plain.write("core", 2, "UNLISTEN *;\nSET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY;")
    plain.write("core", 3, "CREATE TABLE three (id int);")
    holders: list[int | None] = []
    report = plain.up(progress=Watcher(finished=lambda _: holders.append(plain.lock_holder())))
    assert report.exit_code == 0, report.failure
    assert len(holders) == 3 and None not in holders and len(set(holders)) == 1
    assert plain.applied() == ["core/1", "core/2", "core/3"]


@pytest.mark.postgres(18)
@only_plain
def test_a_file_may_not_discard(site: Site) -> None:
    """F10: refused with file and line before anything runs."""
    site.domain("core", tables=["one"])
    site.write("core", 1, "CREATE TABLE one (id int);\nDISCARD ALL;", "DROP TABLE one;")
    site.bootstrap()
    done = site.run("up")
    assert done.code == 2
    assert "000001_step.up.sql:2" in done.stderr
    assert site.tables() == set()


@only_plain
def test_interrupted_while_waiting_for_the_lock(site: Site) -> None:
    """F12: exit 130 within a second, nothing changed."""
    trees.six_steps(site)
    site.bootstrap()
    assert site.run("up", "1").code == 0
    with site.connect() as holder:
        holder.execute("LOCK TABLE bgce_migrate.run_lock IN EXCLUSIVE MODE")
        waiter = site.start("up")
        until(lambda: "waiting for the run lock" in waiter.err.read_text())
        began = time.monotonic()
        waiter.signal(signal.SIGINT)
        done = waiter.wait()
        assert done.code == 130, done.stderr
        assert time.monotonic() - began < 1.0
        assert "nothing" in done.stderr and "changed" in done.stderr
    assert len(site.applied()) == 1


@only_guarded
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["SIGINT", "SIGTERM"])
def test_interrupted_in_a_body(site: Site, number: signal.Signals) -> None:
    """F27, F28, P6: rolled back, exit 130 within two seconds; the next run goes on."""
    site.domain("core", tables=["one", "two"])
    site.write("core", 1, "CREATE TABLE one (id int);", "DROP TABLE one;")
    path = site.write("core", 2, "CREATE TABLE two (id int);\nSELECT pg_sleep(30);", "DROP TABLE two;")
    site.bootstrap()
    run = site.start("up")
    until(lambda: site.working("SELECT pg_sleep"))
    began = time.monotonic()
    run.signal(number)
    done = run.wait()
    assert done.code == 130, done.stderr
    assert time.monotonic() - began < 2.0
    assert site.applied() == ["core/1"] and site.tables() == {"one"}
    path.write_text("CREATE TABLE two (id int);")
    assert site.run("up").code == 0


@pytest.mark.postgres(18)
@only_plain
def test_interrupted_twice(site: Site) -> None:
    """F29: a second signal during the rollback changes nothing."""
    site.domain("core", tables=["one"])
    site.write("core", 1, "CREATE TABLE one (id int);\nSELECT pg_sleep(30);", "DROP TABLE one;")
    site.bootstrap()
    run = site.start("up")
    until(lambda: site.working("SELECT pg_sleep"))
    run.signal(signal.SIGINT)
    time.sleep(0.1)
    run.signal(signal.SIGINT)
    assert run.wait().code == 130
    assert site.tables() == set()


def test_interrupted_in_an_index_build(site: Site) -> None:
    """F27, F48: the build is cancelled and its leftover removed; the next run builds it."""
    trees.with_index(site)
    site.bootstrap()
    with site.connect() as holder:
        holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        holder.execute("SELECT 1")
        run = site.start("up")
        until(lambda: site.working("CREATE INDEX"))
        run.signal(signal.SIGINT)
        # DROP INDEX CONCURRENTLY waits for the old snapshot too.
        time.sleep(0.3)
        holder.rollback()
    done = run.wait()
    assert done.code == 130, done.stderr
    assert site.run("up").code == 0
    assert site.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'goods_word_idx'::regclass") == [(True,)]


@only_guarded
def test_a_cancelled_deploy_makes_way(site: Site) -> None:
    """F32: the first gets SIGINT, then SIGTERM, and exits 130; the second, that waited, applies all."""
    site.domain("core", tables=["one"])
    path = site.write("core", 1, "CREATE TABLE one (id int);\nSELECT pg_sleep(30);", "DROP TABLE one;")
    site.bootstrap()
    first = site.start("up")
    until(lambda: site.working("SELECT pg_sleep"))
    path.write_text("CREATE TABLE one (id int);")
    second = site.start("up")
    until(lambda: "waiting for the run lock" in second.err.read_text())
    first.signal(signal.SIGINT)
    first.signal(signal.SIGTERM)
    assert first.wait().code == 130
    done = second.wait()
    assert done.code == 0, done.stderr
    assert site.applied() == ["core/1"]


@only_plain
def test_a_killed_client_frees_its_locks_soon(site: Site) -> None:
    """L4, L8: SIGKILL during a long statement; the next run is not held up by its remains."""
    site.domain("core", tables=["one"])
    path = site.write("core", 1, "CREATE TABLE one (id int);\nSELECT pg_sleep(60);", "DROP TABLE one;")
    site.bootstrap()
    run = site.start("up")
    until(lambda: site.working("SELECT pg_sleep"))
    run.signal(signal.SIGKILL)
    run.wait()
    began = time.monotonic()
    path.write_text("CREATE TABLE one (id int);")
    assert site.run("up").code == 0
    assert time.monotonic() - began < 5.0
    assert site.applied() == ["core/1"]


@pytest.mark.postgres(18)
@only_plain
def test_a_wait_that_ended_leaves_no_request(site: Site) -> None:
    """L5: after exit 4 nothing of the waiter is on the server."""
    trees.six_steps(site)
    site.bootstrap()
    assert site.run("up", "1").code == 0
    with site.connect() as holder:
        holder.execute("LOCK TABLE bgce_migrate.run_lock IN EXCLUSIVE MODE")
        done = site.run("up", "--lock-wait", "0.2")
        assert done.code == 4
        until(lambda: not site.backends())
        assert "holder of the test" in done.message and "--lock-wait" in done.stderr


@pytest.mark.postgres(18)
@only_plain
def test_nothing_pending_takes_no_lock(site: Site) -> None:
    """L11: returns at once while another run holds the lock."""
    trees.six_steps(site)
    site.bootstrap()
    assert site.run("up").code == 0
    with site.connect() as holder:
        holder.execute("LOCK TABLE bgce_migrate.run_lock IN EXCLUSIVE MODE")
        done = site.run("up", "--lock-wait", "0")
        assert (done.code, done.document["result"]) == (0, "nothing_to_do")


@pytest.mark.postgres(18)
def test_locks_of_two_databases_do_not_collide(make_site: MakeSite) -> None:
    """L10: another database of the server is free; another spelling of the same one is not."""
    one, two = make_site("plain"), make_site("plain")
    for site in (one, two):
        trees.six_steps(site)
        assert site.run("up", "1").code == 0
    with one.connect() as holder:
        holder.execute("LOCK TABLE bgce_migrate.run_lock IN EXCLUSIVE MODE")
        assert two.run("up").code == 0
        known = psycopg.conninfo.conninfo_to_dict(one.url)
        other = f"host=localhost port={known['port']} dbname={known['dbname']} user={PLAIN_LOGIN} password={SECRET}"
        assert one.run("up", "--lock-wait", "0.1", url=other).code == 4


@pytest.mark.postgres(18)
def test_two_threads_on_two_databases(make_site: MakeSite) -> None:
    """L12: nothing is shared between runs of one process."""
    sites = [make_site("plain"), make_site("plain")]
    for site in sites:
        trees.thirty_steps(site)
    with ThreadPoolExecutor(2) as pool:
        reports = list(pool.map(lambda site: site.up(), sites))
    assert [r.exit_code for r in reports] == [0, 0]
    assert all(len(site.applied()) == 30 for site in sites)


@pytest.mark.postgres(18)
def test_the_holder_is_named_to_the_library(plain: Site) -> None:
    """L5, L9: the library raises with who holds the lock, and says that nothing was changed."""
    trees.six_steps(plain)
    assert plain.up(limit=1).exit_code == 0
    with plain.connect() as holder:
        holder.execute("LOCK TABLE bgce_migrate.run_lock IN EXCLUSIVE MODE")
        with pytest.raises(Unavailable, match="another run holds the lock") as caught:
            plain.up(limits={"lock_wait": 0.1})
        assert "nothing was changed" in (caught.value.hint or "")
