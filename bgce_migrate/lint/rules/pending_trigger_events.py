"""ALTER TABLE after writes that deferred keys still have to check.

## Why

The server refuses to alter a table with pending trigger events (55006).

## Instead

Two migrations; or SET CONSTRAINTS the_key IMMEDIATE between them.

effect: error 55006

```sql setup
CREATE TABLE customers (id bigint PRIMARY KEY, name text);
INSERT INTO customers SELECT g, 'c' || g FROM generate_series(1, 300) AS g;
CREATE TABLE notes (
    id bigint PRIMARY KEY,
    customer_id bigint REFERENCES customers (id) DEFERRABLE INITIALLY DEFERRED
);
```

```sql bad
INSERT INTO notes (id, customer_id) VALUES (1, 1);
ALTER TABLE notes ADD COLUMN body text;
```

```sql good
ALTER TABLE notes ADD COLUMN body text;
```

```sql good
INSERT INTO notes (id, customer_id) VALUES (1, 1);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import (
    AddColumn,
    AddConstraint,
    AlterColumnType,
    Dml,
    DropColumn,
    DropConstraint,
    SetNotNull,
    SetVariable,
    TableFact,
)
from bgce_migrate.lint.rule import ERROR, Rule, State
from bgce_migrate.lint.wording import listed
from bgce_migrate.migration import Finding


def check(fact: TableFact, state: State) -> Iterator[Finding]:
    table = state.table(fact.table)
    if table is None or not state.file.transactional:
        return
    deferred = [c.name for c in table.constraints.values() if c.fact.deferred]
    if not deferred:
        return
    written = False
    for other in state.before:
        if isinstance(other, Dml) and other.kind != "delete" and state.catalog.key(other.table) == table.key:
            written = True
        elif isinstance(other, SetVariable) and other.name == "constraints":
            written = False
    if written:
        yield state.finding(
            fact,
            f"rows of {state.name(fact.table)} still wait for the check of {listed(deferred)}: the server refuses ALTER TABLE",
            f"write SET CONSTRAINTS {deferred[0]} IMMEDIATE; before it, or use two migrations",
            subject=deferred[0],
        )


RULE = Rule(
    "pending-trigger-events",
    "C17",
    ERROR,
    (
        AddColumn,
        AlterColumnType,
        SetNotNull,
        AddConstraint,
        DropConstraint,
        DropColumn,
    ),
    check,
)
