"""DETACH PARTITION locks the parent.

## Why

ACCESS EXCLUSIVE on the parent and its default partition: every query on any partition waits.

## Instead

DETACH PARTITION ... CONCURRENTLY, alone in a migration that runs outside of a transaction.

effect: lock ACCESS EXCLUSIVE on events

```sql setup
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL, kind text) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
INSERT INTO events SELECT g, '2026-01-05', 'click' FROM generate_series(1, 300) AS g;
```

```sql bad
ALTER TABLE events DETACH PARTITION events_1;
```

```sql good
-- bgce: no-transaction
ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import DetachPartition
from bgce_migrate.lint.rule import WARNING, Rule, State
from bgce_migrate.lint.wording import concurrently, subject
from bgce_migrate.migration import Finding


def check(fact: DetachPartition, state: State) -> Iterator[Finding]:
    if fact.concurrently or fact.finalize or state.is_fresh(fact.table):
        return
    parent = state.table(fact.table)
    beside = parent is not None and parent.default_partition is not None
    yield state.finding(
        fact,
        f"every query on any partition of {state.name(fact.table)} waits while it is detached",
        "CONCURRENTLY is not possible beside a default partition: choose a quiet moment"
        if beside
        else "DETACH PARTITION ... CONCURRENTLY in a migration with `-- bgce: no-transaction`",
        subject=subject(state, fact.partition),
        fix=() if beside or fact.at.parts > 1 else concurrently(state, fact, r"\Z", " CONCURRENTLY"),
    )


RULE = Rule("detach-partition", "E04", WARNING, (DetachPartition,), check, fixable=True)
