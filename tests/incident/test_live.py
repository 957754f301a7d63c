"""What the person sees who started the run."""

from __future__ import annotations

import time

import pytest

from tests.cli.program import bgce
from tests.cli.test_signals import Terminal
from tests.faults.site import Site, only_guarded, until
from tests.incident.test_stuck import begin, reader, stuck

__all__ = ["stuck"]

pytestmark = pytest.mark.postgres(18)


@only_guarded
def test_a_terminal_names_the_blocker_within_two_seconds(stuck: Site) -> None:
    with reader(stuck) as holder:
        terminal = Terminal("up", "-d", stuck.url, cwd=stuck.root)
        until(lambda: stuck.working("ALTER TABLE"))
        blocked = time.monotonic()
        terminal.read_until(f"waits for pid {holder.info.backend_pid} (postgres, holder of the test, idle in transaction")
        assert time.monotonic() - blocked < 2
        assert stuck.run("pause").code == 0
        terminal.read_until("paused by")
        # Soon it says that it waits for nobody any more: one frame after the other comes, eight a second.
        for _ in range(8):
            mark = len(terminal.seen)
            terminal._read()
        assert "shop/000002" in terminal.seen[mark:] and "waits for pid" not in terminal.seen[mark:]
        assert stuck.run("resume").code == 0
        terminal.read_until("resumed by")
        holder.rollback()
    assert terminal.end() == 0, terminal.seen
    assert stuck.applied() == ["shop/1", "shop/2"]


@only_guarded
def test_a_log_names_each_blocker_once(stuck: Site) -> None:
    with reader(stuck) as holder:
        run, _ = begin(stuck)
        words = f"shop/000002_step waits for pid {holder.info.backend_pid} (postgres, holder of the test"
        until(lambda: words in run.err.read_text(), 2)
        time.sleep(0.5)
        holder.rollback()
    done = run.wait()
    assert done.code == 0 and done.stderr.count("waits for pid") == 1, done.stderr


@only_guarded
def test_who_gave_up_names_each_blocker_once(stuck: Site) -> None:
    with reader(stuck) as holder:
        given_up = stuck.start("up", "--lock-timeout", "600ms").wait()
        assert given_up.code == 4
        last = given_up.stderr.partition("error: ")[2]
        assert last.count(f"pid {holder.info.backend_pid} (postgres, holder of the test") == 1, last
        screen = bgce("incident", "-d", stuck.url, cwd=stuck.root).out
        assert "\nfailed        shop/000002: " in screen
        run, _ = begin(stuck)
        screen = bgce("incident", "-d", stuck.url, cwd=stuck.root).out
        assert "\nfailed before shop/000002: " in screen
        holder.rollback()
    assert run.wait().code == 0
