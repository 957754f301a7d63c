"""A new partition of a table that has a default partition.

## Why

The whole default partition is read under ACCESS EXCLUSIVE, to see that no row of it belongs to the new one.

## Instead

First a CHECK on the default partition that keeps the new range out: NOT VALID, then VALIDATE.

effect: scan under ACCESS EXCLUSIVE

```sql setup
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL, kind text) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
INSERT INTO events SELECT g, '2026-01-05', 'click' FROM generate_series(1, 300) AS g;
CREATE TABLE events_rest PARTITION OF events DEFAULT;
```

```sql bad
CREATE TABLE events_2 (LIKE events INCLUDING ALL);
ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
```

```sql good
ALTER TABLE events_rest ADD CONSTRAINT events_rest_not_2 CHECK (day < '2026-02-01' OR day >= '2026-03-01') NOT VALID;
```

```sql good
ALTER TABLE events_rest VALIDATE CONSTRAINT events_rest_not_2;
```

```sql good
CREATE TABLE events_2 (LIKE events INCLUDING ALL);
ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.catalog import shown
from bgce_migrate.lint.facts import AttachPartition, CreateTable
from bgce_migrate.lint.rule import ERROR, Rule, State
from bgce_migrate.lint.wording import BLOCKS_ALL
from bgce_migrate.migration import Finding


def check(fact: CreateTable | AttachPartition, state: State) -> Iterator[Finding]:
    ref = fact.partition_of if isinstance(fact, CreateTable) else fact.table
    parent = state.table(ref) if ref is not None else None
    if parent is None or state.is_new(parent) or parent.default_partition is None or fact.bound is None:
        return
    rest = state.catalog.relations.get(parent.default_partition)
    keys = {key for key in parent.partition_keys if key}
    if rest is not None and any(
        c.kind == "check" and c.valid and keys & set(c.columns) for c in rest.constraints.values()
    ):
        return
    name = shown(parent.default_partition)
    yield state.finding(
        fact,
        f"all of the default partition {name} is read {BLOCKS_ALL}",
        f"first a CHECK on {name} that keeps the new rows out, NOT VALID; VALIDATE it in a later migration",
        subject=name,
    )


RULE = Rule(
    "partition-beside-default",
    "E02",
    ERROR,
    (
        CreateTable,
        AttachPartition,
    ),
    check,
)
