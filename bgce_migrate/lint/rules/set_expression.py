"""A generated column gets another expression.

## Why

All stored values are computed anew: the table is rewritten under ACCESS EXCLUSIVE. Servers before 17 refuse it.

## Instead

A new column, filled in batches.

effect: rewrite

servers: 18

```sql setup
CREATE TABLE orders (id bigint PRIMARY KEY, total integer, cents integer GENERATED ALWAYS AS (total * 100) STORED);
INSERT INTO orders SELECT g, g FROM generate_series(1, 300) AS g;
```

```sql bad
ALTER TABLE orders ALTER COLUMN cents SET EXPRESSION AS (total * 1000);
```

```sql good
ALTER TABLE orders ADD COLUMN mills integer;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import ColumnChange
from bgce_migrate.lint.rule import ERROR, Rule, State
from bgce_migrate.lint.wording import BLOCKS_ALL, subject
from bgce_migrate.migration import Finding


def check(fact: ColumnChange, state: State) -> Iterator[Finding]:
    if fact.what != "set expression" or state.is_fresh(fact.table):
        return
    table = state.table(fact.table)
    column = table.columns.get(fact.column) if table is not None else None
    name = subject(state, fact.table, fact.column)
    if state.target < 17:
        message = f"SET EXPRESSION is not known to PostgreSQL {state.target}"
        yield state.finding(fact, message, "add a new column instead", subject=name)
    elif column is None or column.generated != "virtual":
        message = f"every value of {name} is computed anew: a rewrite {BLOCKS_ALL}"
        yield state.finding(fact, message, "add a new column and fill it in batches", subject=name)


RULE = Rule("set-expression", "B13", ERROR, (ColumnChange,), check)
