"""A new enum value is used in the same transaction.

## Why

The server refuses it until ADD VALUE is committed (55P04).

## Instead

Use it in the next migration.

effect: error 55P04

```sql setup
CREATE TYPE mood AS ENUM ('good', 'bad');
CREATE TABLE people (id bigint PRIMARY KEY, mood mood);
INSERT INTO people VALUES (1, 'good');
```

```sql bad
ALTER TYPE mood ADD VALUE 'great' BEFORE 'good';
UPDATE people SET mood = 'great' WHERE id = 1;
```

```sql good
ALTER TYPE mood ADD VALUE 'great' BEFORE 'good';
```

```sql good
UPDATE people SET mood = 'great' WHERE id = 1;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import Comment, EnumValue
from bgce_migrate.lint.rule import ERROR, Rule, State
from bgce_migrate.migration import Finding


def check(fact: EnumValue, state: State) -> Iterator[Finding]:
    if fact.old or not state.file.transactional:
        return
    found = state.catalog.type(fact.name)
    if found is not None and found.made_by == state.file.migration:
        return
    quoted = "'" + fact.value.replace("'", "''") + "'"
    for other in state.after:
        if isinstance(other, EnumValue | Comment) or other.at.statement == fact.at.statement:
            continue
        if quoted in state.statement(other):
            yield state.finding(
                other,
                f"{quoted} was added to {fact.name[1]} in this transaction and cannot be used before it is committed (55P04)",
                "use it in the next migration",
                subject=fact.name[1],
            )
            return


RULE = Rule("enum-value-used", "G06", ERROR, (EnumValue,), check)
