"""Placement and replay at ten thousand migrations; the bounds are several times what they take."""

from __future__ import annotations

import random
import time

from bgce_migrate.migration import MigrationId
from bgce_migrate.order import Candidate, LogEntry, Rules, place, replay
from bgce_migrate.order.model import Model
from tests.unit.order.notation import effects

DOMAINS, VERSIONS = 200, 50


def candidates() -> list[Candidate]:
    """Each migration makes a table with a key into an earlier domain's and an index."""
    rng = random.Random(7)
    made: list[Candidate] = []
    for domain in range(DOMAINS):
        for version in range(1, VERSIONS + 1):
            table = f"t{domain}_{version}"
            parent = f"t{rng.randrange(domain)}_{rng.randint(1, VERSIONS)}" if domain else table
            text = f"+{table}&+{table}.id&{parent}[foreign_key]&{parent}.id[foreign_key] +i_{table}[index]&{table}"
            made.append(Candidate(MigrationId(f"d{domain:03d}", version), effects(text)))
    return made


def test_ten_thousand_new_migrations_are_placed_in_seconds() -> None:
    new = candidates()
    random.Random(1).shuffle(new)
    start = time.process_time()
    placement = place((), new, Rules({f"d{n:03d}": n for n in range(DOMAINS)}))
    assert time.process_time() - start < 6
    assert len(placement.order) == DOMAINS * VERSIONS
    by_id = {candidate.id: candidate.effects for candidate in new}
    entries = [LogEntry(migration, by_id[migration]) for migration in placement.order]
    start = time.process_time()
    assert len(replay(entries).edges) > DOMAINS
    assert time.process_time() - start < 4


def test_a_log_of_two_hundred_thousand_effects_is_replayed_in_seconds() -> None:
    text = "&".join(f"+t.c{n}" if n else "+t" for n in range(20))
    wide = effects(text)
    model = Model()
    start = time.process_time()
    for version in range(10_000):
        model.apply(MigrationId("a", version), wide)
    assert time.process_time() - start < 4


def test_a_long_cycle_and_many_contests_end_in_time() -> None:
    ring = [Candidate(MigrationId(f"d{n}", 1), effects(f"+t{n} t{(n + 1) % 2000}")) for n in range(2000)]
    rebuilt = [
        Candidate(MigrationId(f"d{n % 40}", n // 40 + 1), effects(f"?-v{n % 30} +v{n % 30}"))
        for n in range(1200)
    ]
    start = time.process_time()
    for new in (ring, rebuilt):
        try:
            place((), new, Rules())
        except Exception as refused:
            assert type(refused).__name__ == "Refused"
        else:
            raise AssertionError("must be refused")
    assert time.process_time() - start < 30
