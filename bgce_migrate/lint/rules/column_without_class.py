"""A new column without a class.

## Why

The table has columns that are declared contact, private or secret. Nobody has said what this one is, and `public`
columns can be read by every service that reads the table.

## Instead

A line in the domain's `domain.toml`, also for `public`.

effect: none

```sql setup
CREATE TABLE customers (id bigint PRIMARY KEY, name text);
INSERT INTO customers SELECT g, 'c' || g FROM generate_series(1, 300) AS g;
```

```sql bad
ALTER TABLE customers ADD COLUMN phone text;
```

```sql good
ALTER TABLE customers ADD COLUMN nickname text;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import AddColumn
from bgce_migrate.lint.rule import WARNING, Rule, State
from bgce_migrate.lint.wording import subject
from bgce_migrate.migration import Finding


def check(fact: AddColumn, state: State) -> Iterator[Finding]:
    schema, name = state.catalog.key(fact.table)
    classes = state.declarations.classes(name, schema)
    if not classes or all(kind == "public" for kind in classes.values()) or fact.column.name in classes:
        return
    yield state.finding(
        fact,
        f"{name} has columns with a class; {fact.column.name} has none, so every reader of {name} may read it",
        f'{fact.column.name} = "private" (or contact, secret, public) under [tables.{name}.columns] of domain.toml',
        subject=subject(state, fact.table, fact.column.name),
    )


RULE = Rule("column-without-class", "", WARNING, (AddColumn,), check)
