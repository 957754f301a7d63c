"""An enum type.

## Why

Values can be added, but never removed, and a rename breaks programs.

## Instead

A text column with a CHECK, or a table of values with a foreign key.

effect: none

```sql bad
CREATE TYPE mood AS ENUM ('good', 'bad');
```

```sql good
CREATE TABLE moods (name text PRIMARY KEY);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import CreateEnum
from bgce_migrate.lint.rule import NOTE, Rule, State
from bgce_migrate.migration import Finding


def check(fact: CreateEnum, state: State) -> Iterator[Finding]:
    message = f"values of {fact.name[1]} can never be removed"
    yield state.finding(
        fact, message, "use a text column with a CHECK, or a table of values", subject=fact.name[1]
    )


RULE = Rule("enum-type", "G08", NOTE, (CreateEnum,), check)
