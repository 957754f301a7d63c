"""DROP TYPE ... CASCADE drops columns with their data.

## Why

Every column of that type goes, in any table, of any owner.

## Instead

Move the columns to another type first (expand and contract), then drop the type without CASCADE.

effect: drops orders.mood

```sql setup
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE orders (id bigint PRIMARY KEY, mood mood);
CREATE TYPE unused AS ENUM ('a');
```

```sql bad
DROP TYPE mood CASCADE;
```

```sql good
DROP TYPE unused;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.catalog import shown
from bgce_migrate.lint.facts import Drop
from bgce_migrate.lint.rule import ERROR, Rule, State
from bgce_migrate.lint.wording import listed
from bgce_migrate.migration import Finding


def check(fact: Drop, state: State) -> Iterator[Finding]:
    if not fact.cascade or fact.kind not in ("type", "domain"):
        return
    for ref in fact.names:
        key = state.catalog.type_key(ref)
        columns = [f"{shown(table.key)}.{column}" for table, column in state.catalog.columns_of_type(key)]
        lost = (
            f"the column{'s' * (len(columns) > 1)} {listed(columns)} with all data"
            if columns
            else "every column of that type"
        )
        yield state.finding(
            fact,
            f"DROP {fact.kind.upper()} {shown(key)} CASCADE drops {lost}",
            "move the columns to another type first, then drop it without CASCADE",
            subject=shown(key),
        )


RULE = Rule("drop-type-cascade", "F08", ERROR, (Drop,), check)
