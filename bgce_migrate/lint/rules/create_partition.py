"""CREATE TABLE ... PARTITION OF locks the parent.

## Why

ACCESS EXCLUSIVE on the parent: every query on any partition waits.

## Instead

CREATE TABLE (LIKE parent), then ALTER TABLE parent ATTACH PARTITION, which blocks nobody.

effect: lock ACCESS EXCLUSIVE on events

```sql setup
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL, kind text) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
INSERT INTO events SELECT g, '2026-01-05', 'click' FROM generate_series(1, 300) AS g;
```

```sql bad
CREATE TABLE events_2 PARTITION OF events FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
```

```sql good
CREATE TABLE events_2 (LIKE events INCLUDING ALL);
ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import CreateTable
from bgce_migrate.lint.rule import WARNING, Rule, State
from bgce_migrate.lint.wording import subject
from bgce_migrate.migration import Finding


def check(fact: CreateTable, state: State) -> Iterator[Finding]:
    if fact.partition_of is None or state.is_fresh(fact.partition_of):
        return
    parent = state.name(fact.partition_of)
    yield state.finding(
        fact,
        f"PARTITION OF takes ACCESS EXCLUSIVE on {parent}: every query on any of its partitions waits",
        f"make {fact.table[1]} by itself (LIKE {parent} INCLUDING ALL), then ATTACH PARTITION",
        subject=subject(state, fact.table),
    )


RULE = Rule("create-partition", "E01", WARNING, (CreateTable,), check)
