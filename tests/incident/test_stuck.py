"""A migration that is stuck: seen, paused, taken up again, cancelled, ended by force; from another terminal."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.cli.program import bgce
from tests.faults.site import SECRET, Site, only_guarded, only_plain, until
from tests.zygote import Started

pytestmark = pytest.mark.postgres(18)
PATIENT = ("--lock-timeout", "60s")


@pytest.fixture
def stuck(site: Site) -> Site:
    """`shop/2` wants the table that somebody reads in an open transaction."""
    site.domain("shop", tables=["goods"])
    site.write("shop", 1, "CREATE TABLE goods (id int PRIMARY KEY);", "DROP TABLE goods;")
    site.bootstrap()
    assert site.run("up").code == 0
    site.write("shop", 2, "SELECT 1;\nALTER TABLE goods ADD COLUMN extra int;\nSELECT 2;", "ALTER TABLE goods DROP COLUMN extra;")
    return site


@contextmanager
def reader(site: Site) -> Iterator[psycopg.Connection[Any]]:
    with site.connect() as holder:
        holder.execute("SELECT count(*) FROM goods")
        yield holder


class Queued:
    """Somebody who comes behind: reads the table in one statement."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.thread = threading.Thread(target=self._read, daemon=True)
        self.thread.start()

    def _read(self) -> None:
        with psycopg.connect(self.site.superuser, autocommit=True, application_name="queued") as connection:
            connection.execute("SELECT count(*) FROM goods")

    @property
    def waits(self) -> bool:
        return bool(self.site.query("SELECT 1 FROM pg_stat_activity WHERE application_name = 'queued' AND wait_event_type = 'Lock'"))


def begin(site: Site) -> tuple[Started, Queued]:
    run = site.start("up", *PATIENT)
    until(lambda: site.working("ALTER TABLE"))
    queued = Queued(site)
    until(lambda: queued.waits)
    return run, queued


def seen(site: Site, folder: Path | None = None) -> dict[str, Any]:
    """`incident --json`, where nothing but the address is known."""
    answer = bgce("incident", "--json", "-d", site.url, cwd=folder or site.root.parent)
    assert answer.code == 0, answer.err
    assert SECRET not in answer.out + answer.err
    return answer.document


def test_the_screen_names_step_blocker_and_queue(stuck: Site, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    assert seen(stuck, empty)["runs"] == []
    with reader(stuck) as holder:
        run, _ = begin(stuck)
        scene = seen(stuck, empty)
        (found,) = scene["runs"]
        (work,) = found["works"]
        assert (found["leads"], found["dead"], found["command"]) == (True, False, "up")
        assert (work["step"], work["statement"]) == ("shop/000002", "ALTER TABLE goods ADD COLUMN extra int")
        assert (work["waiting"]["mode"], work["waiting"]["what"]) == ("AccessExclusiveLock", "public.goods")
        (other,) = work["blockers"]
        assert (other["pid"], other["application"]) == (holder.info.backend_pid, "holder of the test")
        if stuck.layout == "guarded":
            assert (other["state"], other["query"]) == ("idle in transaction", "SELECT count(*) FROM goods")
        assert scene["hidden"] is (stuck.layout == "plain")
        assert work["queue"]["length"] == 1 and work["queue"]["longest"] > 0
        commands = {a["command"]: a["safe"] for a in scene["advice"]}
        short = found["id"][:8]
        assert commands == {
            f"bgce-migrate pause {short}": True,
            f"bgce-migrate cancel {short}": True,
            f"SELECT pg_terminate_backend({holder.info.backend_pid})": False,
        }
        # With the files at hand: which statement of how many, and what is left.
        answer = stuck.run("incident")
        (work,) = answer.document["runs"][0]["works"]
        assert (work["number"], work["of"]) == (2, 3)
        assert answer.document["pending"] == ["shop/000002"]
        holder.rollback()
        assert run.wait().code == 0


def test_pause_gives_the_queue_back_and_resume_goes_on(stuck: Site) -> None:
    with reader(stuck) as holder:
        run, queued = begin(stuck)
        began = time.monotonic()
        answer = stuck.run("pause")
        assert answer.code == 0, answer.stderr
        assert time.monotonic() - began < 5
        queued.thread.join(5)
        assert not queued.thread.is_alive(), "the queue still waits"
        assert stuck.working("ALTER TABLE") is None
        (found,) = seen(stuck)["runs"]
        assert (found["paused"], found["asked"]["what"], found["leads"]) == (True, "pause", True)
        assert stuck.run("resume", found["id"][:8]).code == 0
        until(lambda: stuck.working("ALTER TABLE"))
        holder.rollback()
        done = run.wait()
    assert done.code == 0, done.stderr
    assert "paused by" in done.stderr and "resumed by" in done.stderr
    assert done.document["steps"][0]["retries"] == 0
    assert stuck.applied() == ["shop/1", "shop/2"] and stuck.chain_faults() == ()
    failures = "SELECT count(*) FROM bgce_migrate.migration_history WHERE NOT success"
    assert stuck.value(failures) == 0


@only_plain
@pytest.mark.parametrize("ends", ["resume", "cancel"])
def test_between_two_tries_it_is_paused_too(stuck: Site, ends: str) -> None:
    """With a short lock timeout the step comes and goes; paused it does not come again."""
    with reader(stuck) as holder:
        run = stuck.start("up", "--lock-timeout", "500ms", "--retry-for", "60")
        until(lambda: stuck.working("ALTER TABLE"))
        (found,) = seen(stuck)["runs"]
        assert found["works"][0]["blockers"][0]["pid"] == holder.info.backend_pid
        assert stuck.run("pause").code == 0
        time.sleep(0.3)
        end = time.monotonic() + 1.0
        while time.monotonic() < end:
            assert stuck.query("SELECT 1 FROM pg_locks WHERE NOT granted") == []
            time.sleep(0.05)
        assert stuck.run(ends).code == 0
        if ends == "resume":
            holder.rollback()
        done = run.wait()
    assert done.code == (0 if ends == "resume" else 130), done.stderr
    assert stuck.applied() == (["shop/1", "shop/2"] if ends == "resume" else ["shop/1"])


@pytest.mark.parametrize("paused", [False, True], ids=["at work", "paused"])
def test_cancel_ends_the_run(stuck: Site, paused: bool) -> None:
    with reader(stuck):
        run, queued = begin(stuck)
        if paused:
            assert stuck.run("pause").code == 0
        assert stuck.run("cancel").code == 0
        done = run.wait()
        assert done.code == 130, done.stderr
        assert "cancelled by" in done.stderr
        queued.thread.join(5)
        scene = seen(stuck)
        assert scene["runs"] == [] and scene["failures"][0]["step"] == "shop/000002"
        assert scene["advice"][0]["command"] == "bgce-migrate up"
    assert stuck.run("up").code == 0
    assert stuck.applied() == ["shop/1", "shop/2"] and stuck.chain_faults() == ()


def test_a_stopped_process_is_ended_by_force(stuck: Site) -> None:
    with reader(stuck):
        run, queued = begin(stuck)
        os.kill(run.pid, signal.SIGSTOP)
        try:
            answer = stuck.run("cancel", "--wait", "1")
            assert answer.code == 4 and "--force" in answer.stderr
            assert stuck.run("cancel", "--force").code == 0
            queued.thread.join(5)
            assert not queued.thread.is_alive()
            assert seen(stuck)["runs"] == []
        finally:
            os.kill(run.pid, signal.SIGCONT)
        assert run.wait().code in (4, 5, 130)
    assert stuck.run("up").code == 0
    assert stuck.applied() == ["shop/1", "shop/2"] and stuck.chain_faults() == ()


@only_plain
def test_a_build_outside_any_transaction_is_let_to_its_end(stuck: Site) -> None:
    stuck.write("shop", 2, "CREATE INDEX CONCURRENTLY goods_idx ON goods (id);", "DROP INDEX goods_idx;")
    stuck.write("shop", 3, "ALTER TABLE goods ADD COLUMN extra int;")
    with stuck.connect() as holder:
        holder.execute("BEGIN ISOLATION LEVEL REPEATABLE READ")
        holder.execute("INSERT INTO goods VALUES (1)")
        run = stuck.start("up")
        until(lambda: stuck.working("CREATE INDEX"))
        (work,) = seen(stuck)["runs"][0]["works"]
        assert (work["step"], work["journaled"]) == ("shop/000002", True)
        answer = stuck.run("pause")
        assert answer.code == 0
        assert stuck.working("CREATE INDEX") is not None
        holder.rollback()
    until(lambda: stuck.applied() == ["shop/1", "shop/2"])
    assert seen(stuck)["runs"][0]["paused"] is True
    assert stuck.run("resume").code == 0
    assert run.wait().code == 0
    assert stuck.applied() == ["shop/1", "shop/2", "shop/3"]


@only_guarded
def test_a_service_may_not_pause(stuck: Site) -> None:
    stuck.query("DROP ROLE IF EXISTS guest")
    stuck.query(f"CREATE ROLE guest LOGIN PASSWORD '{SECRET}'")
    url = psycopg.conninfo.make_conninfo(stuck.url, user="guest")
    with reader(stuck) as holder:
        run, _ = begin(stuck)
        assert seen(stuck)["runs"][0]["leads"] is True
        for what in ("pause", "resume", "cancel"):
            answer = bgce(what, "-d", url, cwd=stuck.root)
            assert answer.code == 3 and "guest may not" in answer.err, answer.err
        # It may look, and is told what it does not see.
        scene = bgce("incident", "--json", "-d", url, cwd=stuck.root).document
        assert (scene["hidden"], scene["runs"][0]["works"][0]["step"], scene["pending"]) == (True, "shop/000002", None)
        answer = bgce("cancel", "--force", "-d", url, cwd=stuck.root)
        assert answer.code == 3
        assert stuck.working("ALTER TABLE") is not None
        holder.rollback()
        assert run.wait().code == 0


@only_plain
def test_nothing_runs(stuck: Site) -> None:
    for what in ("pause", "resume", "cancel"):
        answer = stuck.run(what)
        assert answer.code == 3 and "no run is under way" in answer.message
    assert stuck.run("pause", "abc").code == 2
