"""CREATE INDEX on a partitioned table.

## Why

Writes to every partition are blocked (SHARE) until all indexes are built.

## Instead

CREATE INDEX ON ONLY the parent, CONCURRENTLY on each partition, ALTER INDEX ... ATTACH PARTITION.

effect: scan under SHARE

```sql setup
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL, kind text) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
INSERT INTO events SELECT g, '2026-01-05', 'click' FROM generate_series(1, 300) AS g;
```

```sql bad
CREATE INDEX events_kind ON events (kind);
```

```sql good
CREATE INDEX events_kind ON ONLY events (kind);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import CreateIndex
from bgce_migrate.lint.rule import ERROR, Rule, State
from bgce_migrate.lint.wording import is_partitioned, subject
from bgce_migrate.migration import Finding


def check(fact: CreateIndex, state: State) -> Iterator[Finding]:
    table = state.table(fact.table)
    if fact.concurrently or fact.only or table is None or not is_partitioned(table) or state.is_new(table):
        return
    yield state.finding(
        fact,
        f"writes to every partition of {state.name(fact.table)} are blocked until all its indexes are built",
        "index ON ONLY the parent, one built on each partition outside of a transaction, then ALTER INDEX ... ATTACH PARTITION",
        subject=fact.name or subject(state, fact.table),
    )


RULE = Rule("index-on-partitioned", "D09", ERROR, (CreateIndex,), check)
