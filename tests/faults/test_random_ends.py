"""F25, F1 (chain), L4, P1: the client is killed, or a connection ended, at random instants; the next run converges."""

from __future__ import annotations

import os
import random
import signal
import time
from dataclasses import dataclass

import pytest

from tests.faults import trees
from tests.faults.conftest import MakeSite
from tests.faults.site import Site

LAYOUTS = ("plain", "guarded")
#: FAULT_SEED=... repeats a run; every failure names it.
SEED = int(os.environ.get("FAULT_SEED") or random.SystemRandom().randrange(1_000_000))


@dataclass(frozen=True)
class Undisturbed:
    """What a run that nobody disturbs leaves, and how long it takes as a process (seconds)."""

    catalog: str
    applied: frozenset[str]
    seconds: float


@pytest.fixture(params=LAYOUTS)
def layout(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def undisturbed(make_site: MakeSite, layout: str) -> Undisturbed:
    site = make_site(layout)
    trees.thirty_steps(site)
    site.bootstrap()
    began = time.monotonic()
    done = site.run("up")
    assert done.code == 0, done.stderr
    return Undisturbed(site.catalog(), frozenset(site.applied()), time.monotonic() - began)


def fresh(make_site: MakeSite, layout: str) -> Site:
    site = make_site(layout)
    trees.thirty_steps(site)
    site.bootstrap()
    return site


def wait_until_alone(site: Site, seconds: float = 5.0) -> None:
    """Until the server has noticed that our client is gone (client_connection_check_interval)."""
    end = time.monotonic() + seconds
    while site.backends():
        assert time.monotonic() < end, f"after {seconds} s still there: {site.backends()}"
        time.sleep(0.02)


def require_whole_steps(site: Site, said: str) -> None:
    """A table is there exactly if its step is in the history; the journaled step aside."""
    if site.value("SELECT to_regclass('bgce_migrate.migration_history')") is None:
        assert not site.tables(), said
        return
    recorded = {a.replace("/", "_") for a in site.applied()}
    there = site.tables()
    assert recorded - {"mail_5"} == there - {"mail_5"}, said
    for n in range(1, 11):
        if f"mail_{n}" in recorded and n != 5:
            assert site.value(f"SELECT count(*) FROM mail_{n}") == 500, said


def require_converged(site: Site, reference: Undisturbed, said: str) -> None:
    report = site.up()
    assert report.exit_code == 0, f"{said}: {report.failure}"
    applied = site.applied()
    assert sorted(applied) == sorted(reference.applied), said
    assert site.chain_faults() == (), said
    assert site.catalog() == reference.catalog, said
    assert site.value("SELECT count(*) FROM bgce_migrate.guard") == 0, said
    assert site.value("SELECT count(*) FROM mail_5") == trees.ROWS, said
    assert site.value("SELECT count(*) FROM pg_index WHERE NOT indisvalid") == 0, said
    assert site.value("SELECT count(*) FROM bgce_migrate.journal WHERE NOT closed") == 0, said


def kill(make_site: MakeSite, layout: str, rounds: int) -> None:
    reference = undisturbed(make_site, layout)
    choose = random.Random(f"{SEED} {layout}")
    for number in range(rounds):
        site = fresh(make_site, layout)
        delay = choose.uniform(0.02, reference.seconds)
        said = f"FAULT_SEED={SEED}, {layout}, kill {number} after {delay:.3f} s of {reference.seconds:.3f}"
        run = site.start("up")
        time.sleep(delay)
        run.signal(signal.SIGKILL)
        run.wait()
        wait_until_alone(site)
        require_whole_steps(site, said)
        require_converged(site, reference, said)


def terminate(make_site: MakeSite, layout: str, rounds: int) -> None:
    reference = undisturbed(make_site, layout)
    choose = random.Random(f"{SEED} {layout} terminate")
    for number in range(rounds):
        site = fresh(make_site, layout)
        delay = choose.uniform(0.02, reference.seconds)
        run = site.start("up")
        time.sleep(delay)
        backends = site.backends()
        chosen = choose.choice(backends) if backends else None
        said = f"FAULT_SEED={SEED}, {layout}, termination {number} after {delay:.3f} s of {chosen}"
        if chosen:
            site.query("SELECT pg_terminate_backend(%s)", chosen[0])
        done = run.wait()
        assert done.code in (0, 4, 6), f"{said}: {done.code} {done.stderr}"
        wait_until_alone(site)
        require_whole_steps(site, said)
        require_converged(site, reference, said)


def test_killed_at_random_instants(make_site: MakeSite, layout: str) -> None:
    """F25, P1, L4 (a sample: three for each major and layout)."""
    kill(make_site, layout, 3)


def test_connection_ended_at_random_instants(make_site: MakeSite, layout: str) -> None:
    """F33, F3 (a sample: two for each major and layout)."""
    terminate(make_site, layout, 2)


@pytest.mark.slow
def test_killed_at_fifty_random_instants(make_site: MakeSite, layout: str) -> None:
    """F25: 13 for each major and layout, 52 in all."""
    kill(make_site, layout, 13)


@pytest.mark.slow
def test_connection_ended_at_twenty_random_instants(make_site: MakeSite, layout: str) -> None:
    """F33: 5 for each major and layout, 20 in all."""
    terminate(make_site, layout, 5)
