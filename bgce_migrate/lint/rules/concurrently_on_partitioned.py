"""CREATE INDEX CONCURRENTLY on a partitioned table.

## Why

The server refuses it (0A000).

## Instead

CREATE INDEX ON ONLY the parent, CONCURRENTLY on each partition, ALTER INDEX ... ATTACH PARTITION.

effect: error 0A000

```sql setup
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL, kind text) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
INSERT INTO events SELECT g, '2026-01-05', 'click' FROM generate_series(1, 300) AS g;
```

```sql bad
CREATE INDEX CONCURRENTLY events_kind ON events (kind);
```

```sql good
CREATE INDEX events_kind ON ONLY events (kind);
```

```sql good
-- bgce: no-transaction
CREATE INDEX CONCURRENTLY events_1_kind ON events_1 (kind);
```

```sql good
ALTER INDEX events_kind ATTACH PARTITION events_1_kind;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import CreateIndex
from bgce_migrate.lint.rule import ERROR, Rule, State
from bgce_migrate.lint.wording import is_partitioned, subject
from bgce_migrate.migration import Finding


def check(fact: CreateIndex, state: State) -> Iterator[Finding]:
    if fact.concurrently and is_partitioned(state.table(fact.table)):
        yield state.finding(
            fact,
            f"{state.name(fact.table)} is partitioned: the server refuses CONCURRENTLY on it (0A000)",
            "index ON ONLY the parent, CONCURRENTLY on each partition, then ALTER INDEX ... ATTACH PARTITION",
            subject=fact.name or subject(state, fact.table),
        )


RULE = Rule("concurrently-on-partitioned", "D08", ERROR, (CreateIndex,), check)
