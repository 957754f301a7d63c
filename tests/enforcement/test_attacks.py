"""Attacks on other domains, in each mode and on each major: catalog, rows and history of others stay as they were."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from bgce_migrate.migration import Mode
from bgce_migrate.servers import Server
from tests.enforcement.attacks import ATTACKS, EVERYWHERE, LEAKS, OWN_RIGHTS
from tests.enforcement.snapshot import difference, take
from tests.enforcement.world import World, make_world
from tests.servers import DatabaseMaker

ROOT = Path(__file__).resolve().parents[2]
MakeWorld = Callable[[str], World]


@pytest.fixture
def make(maker: DatabaseMaker) -> MakeWorld:
    """Call it for a fresh world; the one before is gone then."""

    def fresh(mode: str) -> World:
        maker.clean()
        return make_world(maker(), mode)

    return fresh


@pytest.mark.parametrize("mode", ["role", "login"])
def test_others_stay_as_they_were(mode: str, make: MakeWorld, any_server: Server) -> None:
    names = [name for name in ATTACKS if any_server.major == 18 or name in EVERYWHERE]
    assert len(names) >= 40
    world, leaked, applied, unnamed = make(mode), set(), [], []
    while names:
        with world.leading() as crew, psycopg.connect(world.superuser, autocommit=True) as looking:
            assert world.attempt(crew, "beta", ["SELECT 1"]).error is None
            while names:
                name = names.pop(0)
                attack = ATTACKS[name]
                before = take(looking, attack.domain)
                error = world.attempt(crew, attack.domain, attack.body).error
                changes = difference(before, take(looking, attack.domain))
                if changes:
                    leaked.add(name)
                    assert name in LEAKS[mode], f"{name}: {error}: {changes}"
                if error is None and not changes:
                    applied.append(name)
                # What the audit has stopped is told with its owner.
                victims = error.facts.get("victims") if error is not None else None
                known = (" of beta", " of gamma", " of pg_database_owner", " of admin")
                if victims is not None and not any(word in victims for word in known):
                    unnamed.append(f"{name}: {victims}")
                if error is None or changes:
                    break
        world = make(mode)
    # A cursor's query is left out, the rest of that step does no harm.
    assert applied == ["cursor that is run at COMMIT"]
    assert leaked == LEAKS[mode].keys() & (ATTACKS.keys() if any_server.major == 18 else EVERYWHERE)
    assert all("roles, their members or settings" in text for text in unnamed), unnamed


@pytest.mark.parametrize("mode", ["role", "login"])
def test_a_text_that_nobody_reads_is_looked_at_just_the_same(mode: str, make: MakeWorld) -> None:
    world = make(mode)
    with world.leading() as crew, psycopg.connect(world.superuser, autocommit=True) as looking:
        before = take(looking, "alpha")
        for name in ("cascading key", "type drop takes a column", "deferred trigger that cascades", "cursor that is run at COMMIT"):
            world.attempt(crew, "alpha", ATTACKS[name].body, Mode.OPAQUE)
            assert difference(before, take(looking, "alpha")) == [], name


@pytest.mark.parametrize("mode", ["role", "login"])
def test_nothing_temporary_stays_for_the_next_step(mode: str, make: MakeWorld) -> None:
    world = make(mode)
    with world.leading() as crew:
        shadow = ["CREATE TEMP TABLE letters (id int, body text)", "GRANT ALL ON letters TO PUBLIC"]
        assert world.attempt(crew, "alpha", shadow).error is None
        assert world.attempt(crew, "gamma", ["INSERT INTO letters VALUES (7, 'real')"]).error is None
    with psycopg.connect(world.superuser) as c:
        assert c.execute("SELECT body FROM letters WHERE id = 7").fetchone() == ("real",)


def test_every_attack_would_do_harm(make: MakeWorld, any_server: Server) -> None:
    """Run by a superuser, each changes something of another domain: none fails for a misspelt word alone."""
    if any_server.major != 18:
        pytest.skip("the attacks are the same on every major")
    world = make("role")
    harmless = []
    with psycopg.connect(world.superuser, autocommit=True) as c:
        for name, attack in ATTACKS.items():
            if not attack.proven:
                continue
            before = take(c, attack.domain)
            try:
                with c.transaction(force_rollback=True):
                    for statement in attack.body:
                        c.execute(statement.encode())
                    c.execute("RESET ROLE")
                    if not difference(before, take(c, attack.domain)):
                        harmless.append(name)
            except psycopg.Error as error:
                harmless.append(f"{name}: {error}")
            c.execute("RESET ROLE")
            c.execute("RESET ALL")
            c.execute("DEALLOCATE ALL")
    assert not harmless, "\n".join(harmless)


def test_there_are_enough_of_every_kind() -> None:
    assert len(ATTACKS) >= 100 and len(OWN_RIGHTS) >= 40
    assert len(EVERYWHERE) >= 40
    assert LEAKS["login"] == {}


def test_what_gets_through_is_documented() -> None:
    page = (ROOT / "docs" / "explanation" / "enforcement.md").read_text(encoding="utf-8")
    for mode, leaks in LEAKS.items():
        for name, reason in leaks.items():
            assert f"| {mode} | {name} | {reason} |" in page, name
    rows = [line for line in page.splitlines() if line.startswith(("| role |", "| login |"))]
    assert len(rows) == sum(map(len, LEAKS.values())), "the page names what no longer gets through"
