"""ATTACH PARTITION reads the whole new partition.

## Why

Without a CHECK that says the same as the bound, every row is looked at under ACCESS EXCLUSIVE of the new partition.

## Instead

First such a CHECK on it, NOT VALID, then VALIDATE; drop it after the ATTACH.

effect: scan under ACCESS EXCLUSIVE

```sql setup
CREATE TABLE events (id bigint NOT NULL, day date NOT NULL, kind text) PARTITION BY RANGE (day);
CREATE TABLE events_1 PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2026-02-01');
INSERT INTO events SELECT g, '2026-01-05', 'click' FROM generate_series(1, 300) AS g;
CREATE TABLE events_2 (LIKE events INCLUDING ALL);
INSERT INTO events_2 SELECT g, '2026-02-05', 'click' FROM generate_series(1, 300) AS g;
```

```sql bad
ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
```

```sql good
ALTER TABLE events_2 ADD CONSTRAINT events_2_day CHECK (day >= '2026-02-01' AND day < '2026-03-01') NOT VALID;
```

```sql good
ALTER TABLE events_2 VALIDATE CONSTRAINT events_2_day;
```

```sql good
ALTER TABLE events ATTACH PARTITION events_2 FOR VALUES FROM ('2026-02-01') TO ('2026-03-01');
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.catalog import TableState
from bgce_migrate.lint.facts import AttachPartition, Bound
from bgce_migrate.lint.rule import ERROR, Rule, State
from bgce_migrate.lint.wording import BLOCKS_ALL, subject
from bgce_migrate.migration import Finding


def check(fact: AttachPartition, state: State) -> Iterator[Finding]:
    if fact.bound is None or state.is_fresh(fact.partition):
        return
    parent, child = state.table(fact.table), state.table(fact.partition)
    if parent is not None and child is not None and _proven(parent, child, fact.bound):
        return
    yield state.finding(
        fact,
        f"all of {state.name(fact.partition)} is read {BLOCKS_ALL}",
        "first a CHECK on it with the same bound, NOT VALID; VALIDATE it in a later migration, then ATTACH",
        subject=subject(state, fact.partition),
    )


def _proven(parent: TableState, child: TableState, bound: Bound) -> bool:
    terms: set[tuple[str, str, str]] = set()
    filled = {name for name, column in child.columns.items() if column.not_null}
    for found in child.constraints.values():
        if found.kind == "check" and found.valid:
            terms.update(found.fact.terms)
            filled.update(found.fact.not_nulls)
    keys = parent.partition_keys
    if "" in keys or not keys or not set(keys) <= filled:
        return False
    key = keys[0]
    if bound.strategy == "list":
        wanted = "\x1f".join(sorted(bound.values))
        return (key, "in", wanted) in terms or (
            len(bound.values) == 1 and (key, "=", bound.values[0]) in terms
        )
    if bound.strategy != "range" or len(keys) > 1:
        return False
    lower = bound.lower[0] == "MINVALUE" or (key, ">=", bound.lower[0]) in terms
    return lower and (bound.upper[0] == "MAXVALUE" or (key, "<", bound.upper[0]) in terms)


RULE = Rule("attach-without-check", "E03", ERROR, (AttachPartition,), check)
