"""ALTER TABLE of a partitioned table locks all partitions.

## Why

ACCESS EXCLUSIVE on the parent and every partition at once; it waits for the slowest query on any of them.

## Instead

Alone in its migration; the engine's short lock timeout and retries do the rest.

effect: lock ACCESS EXCLUSIVE on events_1

```sql setup
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL, kind text) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
INSERT INTO events SELECT g, '2026-01-05', 'click' FROM generate_series(1, 300) AS g;
```

```sql bad
ALTER TABLE events ADD COLUMN source text;
```

```sql good
COMMENT ON TABLE events IS 'what people did';
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import AddColumn, AlterColumnType, DropColumn, TableFact
from bgce_migrate.lint.rule import NOTE, Rule, State
from bgce_migrate.lint.wording import is_partitioned, subject
from bgce_migrate.migration import Finding


def check(fact: TableFact, state: State) -> Iterator[Finding]:
    table = state.table(fact.table)
    if table is not None and is_partitioned(table) and table.partitions and not state.is_new(table):
        count = len(table.partitions)
        message = f"ACCESS EXCLUSIVE on {state.name(fact.table)} and its {count} partition{'s' * (count > 1)} at once"
        yield state.finding(
            fact, message, "keep it alone in its migration", subject=subject(state, fact.table)
        )


RULE = Rule(
    "alter-partitioned",
    "E07",
    NOTE,
    (
        AddColumn,
        DropColumn,
        AlterColumnType,
    ),
    check,
)
