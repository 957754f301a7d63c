"""A change between timestamp and timestamptz depends on the session's time zone.

## Why

With any other time zone than UTC every row is rewritten under ACCESS EXCLUSIVE and shifted by that zone.

## Instead

`SET LOCAL timezone = 'UTC'` before it: then the bytes stay, and the file says what the old values meant.

effect: rewrite

```sql setup
CREATE TABLE visits (id bigint PRIMARY KEY, at timestamp);
INSERT INTO visits SELECT g, now() FROM generate_series(1, 300) AS g;
SET timezone = 'Europe/Berlin';
```

```sql bad
ALTER TABLE visits ALTER COLUMN at TYPE timestamptz;
```

```sql good
SET LOCAL timezone = 'UTC';
ALTER TABLE visits ALTER COLUMN at TYPE timestamptz;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import AlterColumnType, SetVariable
from bgce_migrate.lint.rule import WARNING, Rule, State
from bgce_migrate.lint.widening import is_free
from bgce_migrate.lint.wording import subject
from bgce_migrate.migration import Edit, Finding


def check(fact: AlterColumnType, state: State) -> Iterator[Finding]:
    table = state.table(fact.table)
    column = table.columns.get(fact.column) if table is not None else None
    if table is None or column is None or state.is_new(table) or is_free(column.type, fact.type) is not None:
        return
    for earlier in reversed(state.before):
        if isinstance(earlier, SetVariable) and earlier.name in ("timezone", "time zone"):
            if earlier.values and earlier.values[0].upper() in ("UTC", "GMT", "0"):
                return
            break
    yield state.finding(
        fact,
        f"{column.type} to {fact.type} rewrites the table and shifts its values unless the session's time zone is UTC",
        "write SET LOCAL timezone = 'UTC'; before it",
        subject=subject(state, fact.table, fact.column),
        fix=(Edit(fact.at.offset, 0, "SET LOCAL timezone = 'UTC';\n"),),
    )


RULE = Rule("column-type-time-zone", "B05", WARNING, (AlterColumnType,), check, fixable=True)
