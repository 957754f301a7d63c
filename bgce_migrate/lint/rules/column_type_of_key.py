"""The column is referenced by foreign keys.

## Why

Every referencing table is locked with ACCESS EXCLUSIVE, too, and all its keys are checked again. Those tables often
belong to other services.

## Instead

Add columns of the new type on both sides, keep them in step, move the key, drop the old columns: a plan over all owners.

effect: lock ACCESS EXCLUSIVE on items

```sql setup
CREATE TABLE orders (id integer PRIMARY KEY);
CREATE TABLE items (id bigint PRIMARY KEY, order_id integer REFERENCES orders (id));
```

```sql bad
ALTER TABLE orders ALTER COLUMN id TYPE bigint;
```

```sql good
ALTER TABLE orders ADD COLUMN id_new bigint;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.catalog import shown
from bgce_migrate.lint.facts import AlterColumnType
from bgce_migrate.lint.rule import ERROR, Rule, State
from bgce_migrate.lint.widening import is_free
from bgce_migrate.lint.wording import listed, subject
from bgce_migrate.migration import Finding


def check(fact: AlterColumnType, state: State) -> Iterator[Finding]:
    table = state.table(fact.table)
    column = table.columns.get(fact.column) if table is not None else None
    if table is None or column is None or state.is_new(table) or is_free(column.type, fact.type) is True:
        return
    names = []
    for child, key in state.catalog.children_of(table.key):
        wanted = key.fact.references.columns if key.fact.references else ()
        if fact.column in (wanted or (table.primary_key.columns if table.primary_key else ())):
            names.append(shown(child.key))
    if names:
        yield state.finding(
            fact,
            f"{fact.column} is referenced from {listed(names)}: those are locked with ACCESS EXCLUSIVE and checked again",
            "add a column of the new type on both sides and move the key",
            subject=subject(state, fact.table, fact.column),
        )


RULE = Rule("column-type-of-key", "B06", ERROR, (AlterColumnType,), check)
