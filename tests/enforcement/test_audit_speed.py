"""What looking at a step costs where there are many tables: part of its own round trip, and little of it."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from bgce_migrate.db.session import Session
from bgce_migrate.db.wire import Command
from tests.e2e.scene import query
from tests.enforcement.world import Crew, World, make_world
from tests.servers import as_superuser

TABLES = 2_000
BUDGET = 0.002  # seconds a step
STEPS = {
    "a new table": ["CREATE TABLE fresh (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text)", "CREATE INDEX ON fresh (v)"],
    "a new column": ["ALTER TABLE own ADD COLUMN w text"],
    "rows": ["INSERT INTO own SELECT n, 'x' FROM generate_series(100, 200) n"],
    "a dropped table": ["DROP TABLE own"],
    "a replaced function": ["CREATE OR REPLACE FUNCTION seven() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 8'"],
}


def fastest(act: Callable[[], object], times: int = 30) -> float:
    """Seconds; the least, because a busy machine only ever adds."""
    found = []
    for _ in range(times):
        started = time.perf_counter()
        act()
        found.append(time.perf_counter() - started)
    return min(found)


def cost(world: World, crew: Crew, body: list[str]) -> tuple[float, float]:
    """What `held` adds to the step's own round trip, and what the audit takes beside it."""
    owned = world.owned("alpha", body)
    runner = crew.runner("alpha")
    session: Session = runner.open(owned)
    session.run([*runner.prologue(owned, "00000000-0000-4000-8000-0000000000aa", world.heads.get("alpha")), *map(Command, body)])
    tail = runner.tail(session, owned)
    without = fastest(lambda: session.run(tail[:-1]))
    held = session.run(tail)[-1].rows
    within = fastest(lambda: session.run(tail))
    beside = fastest(lambda: crew.audit.check(owned.step, "alpha_owner", frozenset(), held, session))
    session.run([Command("ROLLBACK")])
    return within - without, beside


@pytest.mark.postgres(18, 16)
def test_under_two_milliseconds_a_step(database: str) -> None:
    world = make_world(database, "role")
    query(
        as_superuser(database),
        f"DO $$ BEGIN SET LOCAL ROLE beta_owner; FOR n IN 1..{TABLES} LOOP EXECUTE format('CREATE TABLE many_%s (id bigint"
        " GENERATED ALWAYS AS IDENTITY PRIMARY KEY, v text)', n); END LOOP; END $$",
    )
    assert query(as_superuser(database), "SELECT count(*) > 8000 FROM pg_class") == [(True,)]
    query(as_superuser(database), "VACUUM ANALYZE pg_class")
    with world.leading() as crew:
        took = {name: cost(world, crew, body) for name, body in STEPS.items()}
    shown = "; ".join(f"{name}: {a * 1000:.2f} + {b * 1000:.2f} ms" for name, (a, b) in took.items())
    print(f"audit at {TABLES} tables: {shown}")
    assert all(within + beside < BUDGET for within, beside in took.values()), shown
