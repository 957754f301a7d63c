"""A unique key on a partitioned table.

## Why

The indexes of all partitions are built under ACCESS EXCLUSIVE of the parent, since 18 also of the partitions.

## Instead

CREATE UNIQUE INDEX ON ONLY the parent, CONCURRENTLY on each partition, ALTER INDEX ... ATTACH PARTITION.

effect: scan under SHARE

```sql setup
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL, kind text) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
INSERT INTO events SELECT g, '2026-01-05', 'click' FROM generate_series(1, 300) AS g;
```

```sql bad
ALTER TABLE events ADD CONSTRAINT events_key UNIQUE (id, day);
```

```sql good
CREATE UNIQUE INDEX events_key ON ONLY events (id, day);
```

```sql good
-- bgce: no-transaction
CREATE UNIQUE INDEX CONCURRENTLY events_1_key ON events_1 (id, day);
```

```sql good
ALTER INDEX events_key ATTACH PARTITION events_1_key;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import AddConstraint
from bgce_migrate.lint.rule import ERROR, Rule, State
from bgce_migrate.lint.wording import is_partitioned, subject
from bgce_migrate.migration import Finding


def check(fact: AddConstraint, state: State) -> Iterator[Finding]:
    found = fact.constraint
    table = state.table(fact.table)
    if found.kind not in ("unique", "primary") or found.using_index or table is None or state.is_new(table):
        return
    if is_partitioned(table):
        also = " and every partition" if state.target >= 18 else ""
        yield state.finding(
            fact,
            f"the key is built on all partitions while {state.name(fact.table)}{also} is locked with ACCESS EXCLUSIVE",
            "unique index ON ONLY the parent, CONCURRENTLY on each partition, then ALTER INDEX ... ATTACH PARTITION",
            subject=subject(state, fact.table, found.name),
        )


RULE = Rule("partitioned-unique", "C11", ERROR, (AddConstraint,), check)
