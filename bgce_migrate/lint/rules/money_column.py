"""money.

## Why

Its currency and its fractional digits depend on the server's locale.

## Instead

numeric, with the currency in a column of its own.

effect: none

```sql bad
CREATE TABLE notes (id bigint PRIMARY KEY, price money);
```

```sql good
CREATE TABLE notes (id bigint PRIMARY KEY, price numeric(12, 2));
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import AddColumn, CreateTable
from bgce_migrate.lint.rule import WARNING, Rule, State
from bgce_migrate.lint.wording import subject
from bgce_migrate.migration import Finding


def check(fact: CreateTable | AddColumn, state: State) -> Iterator[Finding]:
    for column in (fact.column,) if isinstance(fact, AddColumn) else fact.columns:
        if column.type.name == "money" and column.type.schema in (None, "pg_catalog"):
            message = f"{column.name} is money, whose meaning depends on the server's locale"
            yield state.finding(fact, message, "use numeric", subject=subject(state, fact.table, column.name))


RULE = Rule(
    "money-column",
    "",
    WARNING,
    (
        CreateTable,
        AddColumn,
    ),
    check,
)
