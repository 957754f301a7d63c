"""Which steps an `up` takes: everything pending, or a domain with what it needs."""

from __future__ import annotations

import random

import pytest

from bgce_migrate.errors import UsageError
from bgce_migrate.migration import Direction, Directives, MigrationId, Mode, Plan, Script, SourceFile, Step
from bgce_migrate.order import Candidate, LogEntry, Rules, place, replay
from bgce_migrate.plan import make_up
from tests.unit.order.notation import migration_id, new

#: cortex makes users, community reads posts of postal; analytics stands alone.
TREE = new(
    cortex1="+tenants", cortex2="+users", cortex3="+categories",
    postal1="+posts&users[foreign_key]", postal2="+media",
    community1="+comments&posts[foreign_key] ~tenants", community2="+likes",
    analytics1="+events", analytics2="+visits ! postal/2",
)  # fmt: skip
RULES = Rules({"cortex": 0, "postal": 1, "community": 2, "analytics": 3})


def step(migration: MigrationId) -> Step:
    """The step of a candidate; explicit requires as its directives have them."""
    candidate = next(c for c in TREE if c.id == migration)
    source = SourceFile(candidate.where, "", "")
    script = Script(
        source, f"v1:{candidate.id.short}", Mode.TRANSACTION, Directives(requires=candidate.requires)
    )
    return Step(candidate.id, Direction.UP, script, requires=candidate.requires)


def plan(applied: str = "", locked: str = "", **arguments: object) -> Plan:
    """Plan with these applied and locked (in that order), the rest new."""
    settled = [migration_id(text) for text in (applied + " " + locked).split()]
    by_id: dict[MigrationId, Candidate] = {c.id: c for c in TREE}
    entries = [LogEntry(m, by_id[m].effects) for m in settled]
    placement = place(entries, [c for c in TREE if c.id not in settled], RULES)
    past = replay(entries)
    return make_up(
        (*settled, *placement.order),
        {migration_id(text) for text in applied.split()},
        step,
        edges=(*past.edges, *placement.edges),
        foreign={**past.foreign, **placement.foreign},
        **arguments,  # type: ignore[arg-type]
    )


def names(planned: Plan) -> str:
    return " ".join(f"{s.id.domain}{s.id.version}" for s in planned.steps)


ALL = "cortex1 cortex2 cortex3 postal1 postal2 community1 community2 analytics1 analytics2"


def test_everything_pending_in_the_order_of_the_log() -> None:
    planned = plan()
    assert names(planned) == ALL
    assert dict(planned.domains) == {"cortex": 3, "postal": 2, "community": 2, "analytics": 2}
    assert planned.fingerprint == Plan.digest(planned.steps)
    assert names(plan(applied="cortex/1 cortex/2")) == ALL.removeprefix("cortex1 cortex2 ")
    done = " ".join(c.id.short for c in TREE)
    assert plan(applied=done).steps == ()


def test_a_late_lower_version_is_planned() -> None:
    assert names(plan(applied="cortex/1 cortex/3")).startswith("cortex2 postal1")
    assert names(plan(locked="cortex/1 cortex/3 cortex/2")).startswith("cortex1 cortex3 cortex2")


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({"domain": "cortex"}, "cortex1 cortex2 cortex3"),
        ({"domain": "postal"}, "cortex1 cortex2 postal1 postal2"),
        ({"domain": "community"}, "cortex1 cortex2 postal1 community1 community2"),
        ({"domain": "analytics"}, "cortex1 cortex2 postal1 postal2 analytics1 analytics2"),
        ({"domain": "community", "limit": 0}, ""),
        ({"domain": "analytics", "limit": 1}, "analytics1"),
        ({"limit": 2}, "cortex1 cortex2"),
        ({"to": MigrationId("postal", 1)}, "cortex1 cortex2 postal1"),
        ({"to": MigrationId("analytics", 2)}, "cortex1 cortex2 postal1 postal2 analytics1 analytics2"),
        ({"to": MigrationId("cortex", 2), "domain": "cortex"}, "cortex1 cortex2"),
    ],
)
@pytest.mark.parametrize("locked", ["", " ".join(c.id.short for c in TREE)], ids=["new", "locked"])
def test_a_part_takes_what_it_needs_and_nothing_else(
    arguments: dict[str, object], expected: str, locked: str
) -> None:
    assert names(plan(locked=locked, **arguments)) == expected


def test_to_a_version_leaves_higher_ones_out_even_if_they_stand_earlier() -> None:
    assert names(plan(locked="cortex/3 cortex/1 cortex/2", to=MigrationId("cortex", 2))) == "cortex1 cortex2"


def test_waits_reasons_and_requires() -> None:
    steps = {s.id.short: s for s in plan(applied="cortex/1").steps}
    first = steps["community/000001"]
    assert {m.short for m in first.waits_for} == {"postal/000001"}, "cortex/1 is applied"
    assert first.requires == ("postal/000001",), "what binds late is no dependency of the object"
    assert first.reasons == (
        "after cortex/000001: uses tenants",
        "after postal/000001: uses posts (foreign key), community1.up.sql:1",
    )
    explicit = steps["analytics/000002"]
    assert {m.short for m in explicit.waits_for} == {"postal/000002"}
    assert explicit.requires == ("postal/000002",)
    assert steps["analytics/000001"].waits_for == frozenset()


def test_input_order_of_edges_never_matters() -> None:
    plans = set()
    for seed in range(10):
        rng = random.Random(seed)
        candidates = rng.sample(TREE, len(TREE))
        placement = place((), candidates, RULES)
        edges = rng.sample(placement.edges, len(placement.edges))
        plans.add(make_up(placement.order, set(), step, edges=edges, foreign=placement.foreign).steps)
    assert len(plans) == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"to": MigrationId("postal", 9)}, "there is no postal/000009"),
        ({"domain": "nobody"}, "there are no migrations of a domain nobody"),
        ({"to": MigrationId("postal", 1), "domain": "cortex"}, "postal/000001 is not a version of cortex"),
        ({"limit": -1}, "cannot apply -1 migrations"),
    ],
)
def test_what_cannot_be(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(UsageError) as error:
        plan(**arguments)
    assert error.value.message == message and error.value.exit_code == 2
