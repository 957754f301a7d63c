"""Connection and COMMIT: answers lost, COMMITs that never arrived, outcomes that cannot be known."""

from __future__ import annotations

import os
import signal
import time

import pytest

from bgce_migrate.apply import patience
from bgce_migrate.apply.context import Stop
from bgce_migrate.errors import Unavailable
from bgce_migrate.migration import Step
from bgce_migrate.outcome import StepStatus
from bgce_migrate.servers import Server
from tests.faults import trees
from tests.faults.conftest import MakeSite
from tests.faults.injections import ghost_standby
from tests.faults.site import Site, Watcher, only_guarded, only_plain, until
from tests.proxy import Proxy

NOTE = "the answer to COMMIT was lost; the server confirms that it is applied"


def two_steps(site: Site) -> None:
    site.domain("core", tables=["one", "two"])
    site.write("core", 1, "CREATE TABLE one (id int);", "DROP TABLE one;")
    site.write("core", 2, "CREATE TABLE two (id int);\nINSERT INTO two VALUES (1);", "DROP TABLE two;")
    site.bootstrap()


def require_both(site: Site) -> None:
    assert site.applied() == ["core/1", "core/2"]
    assert site.value("SELECT count(*) FROM two") == 1
    assert site.chain_faults() == ()


def test_answer_lost_after_a_commit_that_happened(site: Site, proxy: Proxy) -> None:
    """F13: replies are dropped once COMMIT has passed; applied, with a note, not run twice."""
    two_steps(site)

    def arm(step: Step) -> None:
        if step.id.version == 2:
            proxy.drop_replies_after(b"COMMIT\0")  # not READ COMMITTED

    report = site.up(proxy.url(site.url), progress=Watcher(started=arm))
    assert proxy.triggered.is_set()
    assert report.exit_code == 0, report.failure
    assert report.steps[1].notes == (NOTE,)
    require_both(site)


def test_commit_waits_for_a_standby_and_is_terminated(site: Site, server: Server) -> None:
    """F13: ghost synchronous standby and pg_terminate_backend: committed, told otherwise; applied with a note."""
    two_steps(site)
    with ghost_standby(server) as ghost:

        def arm(step: Step, index: int) -> None:
            if step.id.version == 2 and index == 1:
                ghost.appear()

        run = site.in_background(progress=Watcher(statement=arm))
        pid = until(ghost.waiting)
        assert site.value("SELECT count(*) FROM bgce_migrate.migration_history") == 1
        ghost.do("pg_terminate_backend", pid)
        # What comes next writes too, so the ghost must go.
        time.sleep(0.2)
        ghost.leave()
        report = run.result()
    assert report.exit_code == 0, report.failure
    assert NOTE in report.steps[1].notes
    require_both(site)


def test_commit_never_reached_the_server(site: Site, proxy: Proxy) -> None:
    """F14: the connection is cut inside the second round trip; retried once, applied once."""
    two_steps(site)

    armed: list[Step] = []

    def arm(step: Step, index: int) -> None:
        if step.id.version == 2 and index == 1 and not armed:
            armed.append(step)
            proxy.cut_after(20)

    report = site.up(proxy.url(site.url), progress=Watcher(statement=arm))
    assert proxy.triggered.is_set()
    assert report.exit_code == 0, report.failure
    assert report.steps[1].notes == ()
    require_both(site)


def test_outcome_unknown_in_time(site: Site, server: Server) -> None:
    """F15: COMMIT waits for a standby and nobody ends it: exit 6, naming backend and wait event; then resolved."""
    two_steps(site)
    with ghost_standby(server) as ghost:

        def arm(step: Step, index: int) -> None:
            if step.id.version == 2 and index == 1:
                ghost.appear()

        began = time.monotonic()
        report = site.up(progress=Watcher(statement=arm), limits={"resolve_timeout": 2.0})
        pid = ghost.waiting()
        assert report.exit_code == 6, report.failure
        assert time.monotonic() - began < 10
        assert report.steps[1].status is StepStatus.UNKNOWN
        assert f"pid {pid}" in report.failure.message and "SyncRep" in report.failure.message
        # While it waits nobody else can begin a step.
        with pytest.raises(Unavailable, match="still under way on the server: pid"):
            site.up(limits={"resolve_timeout": 0.5, "lock_wait": 1})
    assert site.up().exit_code == 0
    require_both(site)


@only_plain
def test_interrupted_while_commit_waits(site: Site, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """F15, F27: a stop is heard while COMMIT waits; the outcome is unknown, so exit 6, not 130."""
    monkeypatch.setattr(patience, "_GRACE", 0.3)
    two_steps(site)
    stop = Stop()
    with ghost_standby(server) as ghost:

        def arm(step: Step, index: int) -> None:
            if step.id.version == 2 and index == 1:
                ghost.appear()

        run = site.in_background(progress=Watcher(statement=arm), stop=stop)
        until(ghost.waiting)
        stop.request()
        report = run.result(15)
        assert report.exit_code == 6, report.failure
    assert site.up().exit_code == 0
    require_both(site)


@only_guarded
def test_the_wait_for_a_standby_is_cancelled(site: Site, server: Server) -> None:
    """F16: COMMIT succeeds with a warning: applied, and the report says that no standby has confirmed it."""
    two_steps(site)
    with ghost_standby(server) as ghost:

        def arm(step: Step, index: int) -> None:
            if step.id.version == 2 and index == 1:
                ghost.appear()

        run = site.in_background(progress=Watcher(statement=arm))
        ghost.do("pg_cancel_backend", until(ghost.waiting))
        report = run.result()
    assert report.exit_code == 0, report.failure
    assert any("might not have been replicated" in note for note in report.steps[1].notes), report.steps[1].notes
    require_both(site)


CUTS = 10


def cut_everywhere(make_site: MakeSite, proxy: Proxy, layout: str, cuts: int) -> None:
    """Cut the connection that carries the n-th byte of the client, for n spread over a whole run."""
    measured = make_site(layout)
    trees.six_steps(measured)
    measured.bootstrap()
    proxy.cut_after(10**9)
    assert measured.up(proxy.url(measured.url)).exit_code == 0
    rule = proxy._cut
    assert rule is not None
    total, catalog = 10**9 - rule.left, measured.catalog()
    for number in range(cuts):
        site = make_site(layout)
        trees.six_steps(site)
        site.bootstrap()
        place = 1 + number * total // cuts
        said = f"{layout}: cut after {place} of {total} bytes"
        proxy.cut_after(place)
        done = site.run("up", url=proxy.url(site.url))
        assert proxy.triggered.is_set(), said
        assert done.code in (0, 4, 6), f"{said}: {done.code} {done.stderr}"
        report = site.up()
        assert report.exit_code == 0, f"{said}: {report.failure}"
        applied = site.applied()
        assert len(applied) == len(set(applied)) == 6, f"{said}: {applied}"
        assert site.chain_faults() == (), said
        assert site.catalog() == catalog, said


@pytest.mark.parametrize("layout", ["plain", "guarded"])
def test_cut_at_many_bytes(make_site: MakeSite, proxy: Proxy, layout: str) -> None:
    """F17, F26 (a sample: ten places for each major and layout): consistent at every point, never a traceback."""
    cut_everywhere(make_site, proxy, layout, CUTS)


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["plain", "guarded"])
def test_cut_at_two_hundred_bytes(make_site: MakeSite, proxy: Proxy, layout: str) -> None:
    """F17, F26: fifty places for each major and layout."""
    cut_everywhere(make_site, proxy, layout, 50)


@only_plain
def test_network_gone_for_good(site: Site, proxy: Proxy) -> None:
    """F14, F18: cut before COMMIT and no way back within `resolve_timeout`: exit 6 or 4, and the next run is whole."""
    two_steps(site)

    def arm(step: Step, index: int) -> None:
        if step.id.version == 2 and index == 1:
            proxy.refuse = True
            proxy.cut()

    report = site.up(proxy.url(site.url), progress=Watcher(statement=arm), limits={"resolve_timeout": 0.5})
    assert report.exit_code in (4, 6), report.failure
    assert site.up().exit_code == 0
    require_both(site)


@only_guarded
def test_backend_stopped(site: Site) -> None:
    """F19: the server's process answers nothing: Ctrl-C ends the client; the next run names it, then goes on."""
    site.domain("core", tables=["one"])
    site.write("core", 1, "CREATE TABLE one (id int);\nSELECT pg_sleep(0.5);", "DROP TABLE one;")
    site.bootstrap()
    run = site.start("up")
    pid = until(lambda: site.working("SELECT pg_sleep"))
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(0.2)
        run.signal(signal.SIGINT)
        assert run.wait(15).code == 130
        with pytest.raises(Unavailable, match=f"still under way on the server: pid {pid}"):
            site.up(limits={"resolve_timeout": 0.5})
    finally:
        os.kill(pid, signal.SIGCONT)
    until(lambda: pid not in [b[0] for b in site.backends()])
    assert site.up().exit_code == 0
    assert site.applied() == ["core/1"]
