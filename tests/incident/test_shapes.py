"""Runs of other shapes: several lanes, one transaction, a login a domain, a leader that is gone, a prepared transaction."""

from __future__ import annotations

import os
import signal
import threading
from pathlib import Path

import pytest

from bgce_migrate.db.session import connect
from bgce_migrate.incident.advice import advice
from bgce_migrate.incident.model import Other, Run, Scene, Unit, Work
from bgce_migrate.incident.reading import look
from tests.cli.program import bgce
from tests.faults.site import SECRET, Site, only_guarded, only_plain, until
from tests.incident.test_stuck import PATIENT, begin, reader, seen, stuck

__all__ = ["stuck"]

pytestmark = pytest.mark.postgres(18)


@only_plain
def test_all_lanes_give_way(site: Site) -> None:
    for name in ("aaa", "bbb"):
        site.domain(name, tables=[f"{name}_t"])
        site.write(name, 1, f"CREATE TABLE {name}_t (id int);", f"DROP TABLE {name}_t;")
    assert site.run("up").code == 0
    for name in ("aaa", "bbb"):
        site.write(name, 2, f"ALTER TABLE {name}_t ADD COLUMN x int;")
    with site.connect() as holder:
        holder.execute("SELECT count(*) FROM aaa_t, bbb_t")
        run = site.start("up", "--jobs", "2", *PATIENT)
        until(lambda: len(site.query("SELECT 1 FROM pg_locks WHERE NOT granted AND mode = 'AccessExclusiveLock'")) == 2)
        (found,) = seen(site)["runs"]
        assert {w["step"] for w in found["works"]} == {"aaa/000002", "bbb/000002"}
        assert site.run("pause").code == 0
        assert site.query("SELECT 1 FROM pg_locks WHERE NOT granted") == []
        assert site.run("resume").code == 0
        holder.rollback()
    assert run.wait().code == 0
    assert sorted(site.applied()) == ["aaa/1", "aaa/2", "bbb/1", "bbb/2"]


@only_plain
def test_one_transaction_is_not_paused_but_cancelled(stuck: Site) -> None:
    with reader(stuck):
        run = stuck.start("up", "--atomic", *PATIENT)
        until(lambda: stuck.working("ALTER TABLE"))
        answer = stuck.run("pause", "--wait", "1.5")
        assert answer.code == 4 and "has not done so within 1.5 s" in answer.message, answer.stderr
        assert stuck.run("cancel").code == 0
        assert run.wait().code == 130
    assert stuck.applied() == ["shop/1"]


@only_plain
def test_a_leader_that_is_gone_leaves_a_session(stuck: Site) -> None:
    """The process is stopped and its lock's connection ended: what is left is seen, and ended by force."""
    with reader(stuck):
        run, _ = begin(stuck)
        os.kill(run.pid, signal.SIGSTOP)
        try:
            leader = stuck.lock_holder()
            assert leader is not None
            stuck.terminate(leader)
            until(lambda: stuck.lock_holder() is None)
            (found,) = seen(stuck)["runs"]
            assert (found["leads"], found["dead"], found["works"][0]["step"]) == (False, True, "shop/000002")
            answer = bgce("incident", "-d", stuck.url, cwd=stuck.root)
            assert "its leader is gone" in answer.out
            assert stuck.run("cancel", "--force").code == 0
            assert stuck.working("ALTER TABLE") is None
        finally:
            os.kill(run.pid, signal.SIGKILL)
            run.ended()
    assert stuck.run("up").code == 0


@only_plain
def test_a_prepared_transaction_is_named(stuck: Site) -> None:
    with stuck.connect() as holder:
        holder.execute("LOCK TABLE goods IN ACCESS SHARE MODE")
        holder.execute("PREPARE TRANSACTION 'it''s forgotten'")
    try:
        run = stuck.start("up", *PATIENT)
        until(lambda: stuck.working("ALTER TABLE"))
        answer = bgce("incident", "-d", stuck.url, cwd=stuck.root)
        assert "the prepared transaction 'it's forgotten' of" in answer.out, answer.out
        assert "ROLLBACK PREPARED 'it''s forgotten'" in answer.out
    finally:
        stuck.query("ROLLBACK PREPARED 'it''s forgotten'")
    assert run.wait().code == 0


@only_guarded
def test_others_in_the_way_of_others(stuck: Site) -> None:
    """No run of ours at all: still who holds up whom."""
    with reader(stuck) as holder:
        blocked = threading.Thread(target=lambda: stuck.query("DO 'BEGIN LOCK TABLE goods; END'"))
        blocked.start()
        until(lambda: stuck.query("SELECT 1 FROM pg_locks WHERE NOT granted"))
        scene = seen(stuck)
        assert (scene["runs"], scene["waiting"]) == ([], 1)
        assert [o["pid"] for o in scene["others"]] == [holder.info.backend_pid]
        assert f"pid {holder.info.backend_pid} holder of the test" in bgce("incident", "-d", stuck.url, cwd=stuck.root).out
        holder.rollback()
        blocked.join(10)


@only_plain
def test_it_only_reads(stuck: Site) -> None:
    """No look takes a transaction id, and none leaves anything in its session."""
    following = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text"
    with connect(stuck.url, "bgce_migrate") as session:
        pairs = []
        for _ in range(3):  # autovacuum takes one now and then
            before = stuck.value(following)
            assert look(session).runs == ()
            pairs.append((before, stuck.value(following)))
        assert any(before == after for before, after in pairs), pairs
        assert session.execute("SELECT current_setting('role'), current_setting('statement_timeout')") == (("none", "0"),)


def test_before_there_is_anything(plain: Site, tmp_path: Path) -> None:
    answer = bgce("incident", "-d", plain.url, cwd=tmp_path)
    assert answer.code == 0 and "no run is under way" in answer.out
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "bgce.toml").write_text("[[[")
    assert bgce("incident", "-d", plain.url, cwd=broken).code == 0
    assert SECRET not in answer.out + answer.err


def test_what_is_advised() -> None:
    blocked = Work(7, "m", "a/000001", False, "active", "ALTER", 1.0, blockers=(Other(9, "u", "app", "active", "x", 3.0),))
    build = Work(7, "m", "a/000001", False, "active", "CREATE INDEX CONCURRENTLY", 1.0, journaled=True)

    def commands(*runs: Run, **more: object) -> list[str]:
        return [a.command for a in advice(Scene("db", "me", True, runs, **more))]  # type: ignore[arg-type]

    alive = Run("7f3a8b12-0", leads=True, silent=2.0, works=(blocked,))
    assert commands(alive) == [
        "bgce-migrate pause 7f3a8b12", "bgce-migrate cancel 7f3a8b12", "SELECT pg_terminate_backend(9)",
    ]  # fmt: skip
    silent = Run("7f3a8b12-0", leads=True, silent=40.0, works=(blocked,))
    assert commands(silent)[0] == "bgce-migrate cancel 7f3a8b12 --force"
    told = {a.command: a.meaning for a in advice(Scene("db", "me", True, (Run("7f3a8b12-0", leads=True, works=(build,)),)))}
    assert "lets this statement end" in told["bgce-migrate pause 7f3a8b12"]
    assert commands(units=(Unit("a/000001", 1, "CREATE INDEX", False),)) == ["bgce-migrate up"]
    assert commands() == ["bgce-migrate status"]
