"""Dropping a partition locks its parent.

## Why

ACCESS EXCLUSIVE on the parent: every query on any partition waits.

## Instead

DETACH PARTITION ... CONCURRENTLY in one migration, DROP TABLE in the next.

effect: lock ACCESS EXCLUSIVE on events

```sql setup
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL, kind text) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
INSERT INTO events SELECT g, '2026-01-05', 'click' FROM generate_series(1, 300) AS g;
```

```sql bad
DROP TABLE events_1;
```

```sql good
-- bgce: no-transaction
ALTER TABLE events DETACH PARTITION events_1 CONCURRENTLY;
```

```sql good
DROP TABLE events_1;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.catalog import shown
from bgce_migrate.lint.facts import Drop
from bgce_migrate.lint.rule import WARNING, Rule, State
from bgce_migrate.lint.wording import subject
from bgce_migrate.migration import Finding


def check(fact: Drop, state: State) -> Iterator[Finding]:
    for ref in fact.names if fact.kind == "table" else ():
        table = state.table(ref)
        if table is None or table.parent is None:
            continue
        parent = state.catalog.relations.get(table.parent)
        if parent is not None and not state.is_new(parent):
            yield state.finding(
                fact,
                f"{ref[1]} is a partition of {shown(table.parent)}: every query on that waits for the DROP",
                "DETACH PARTITION ... CONCURRENTLY in a migration before",
                subject=subject(state, ref),
            )


RULE = Rule("drop-partition", "E06", WARNING, (Drop,), check)
