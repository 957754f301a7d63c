"""INSERT without a list of columns.

## Why

It breaks, or writes into the wrong column, when the table gets another column.

## Instead

Name the columns.

effect: none

```sql setup
CREATE TABLE customers (id bigint PRIMARY KEY, name text);
INSERT INTO customers SELECT g, 'c' || g FROM generate_series(1, 300) AS g;
```

```sql bad
INSERT INTO customers VALUES (1000, 'new');
```

```sql good
INSERT INTO customers (id, name) VALUES (1000, 'new');
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import Dml
from bgce_migrate.lint.rule import WARNING, Rule, State
from bgce_migrate.lint.wording import subject
from bgce_migrate.migration import Finding


def check(fact: Dml, state: State) -> Iterator[Finding]:
    if fact.kind == "insert" and not fact.listed and not fact.default_values:
        message = f"this INSERT into {state.name(fact.table)} names no columns: it breaks when there is one more"
        yield state.finding(fact, message, "name the columns", subject=subject(state, fact.table))


RULE = Rule("insert-without-columns", "J06", WARNING, (Dml,), check)
