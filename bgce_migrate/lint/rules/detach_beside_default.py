"""DETACH CONCURRENTLY beside a default partition.

## Why

The server refuses it (55000).

## Instead

A plain DETACH in a quiet moment.

effect: error 55000

```sql setup
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL, kind text) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
INSERT INTO events SELECT g, '2026-01-05', 'click' FROM generate_series(1, 300) AS g;
CREATE TABLE events_rest PARTITION OF events DEFAULT;
```

```sql bad
-- bgce: no-transaction
ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY;
```

```sql good
ALTER TABLE events DETACH PARTITION events_1;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.catalog import shown
from bgce_migrate.lint.facts import DetachPartition
from bgce_migrate.lint.rule import ERROR, Rule, State
from bgce_migrate.lint.wording import subject
from bgce_migrate.migration import Finding


def check(fact: DetachPartition, state: State) -> Iterator[Finding]:
    parent = state.table(fact.table)
    if fact.concurrently and parent is not None and parent.default_partition is not None:
        rest = shown(parent.default_partition)
        message = f"{state.name(fact.table)} has the default partition {rest}: the server refuses CONCURRENTLY (55000)"
        yield state.finding(
            fact, message, "a plain DETACH in a quiet moment", subject=subject(state, fact.partition)
        )


RULE = Rule("detach-beside-default", "", ERROR, (DetachPartition,), check)
