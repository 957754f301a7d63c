"""An enum value gets another name.

## Why

Programs of the old version send the old word and fail; running queries see both.

## Instead

Add the new value, move rows and programs, and leave the old one unused.

effect: none

```sql setup
CREATE TYPE mood AS ENUM ('good', 'bad');
```

```sql bad
ALTER TYPE mood RENAME VALUE 'good' TO 'great';
```

```sql good
ALTER TYPE mood ADD VALUE 'great' BEFORE 'good';
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import EnumValue
from bgce_migrate.lint.rule import ERROR, Rule, State
from bgce_migrate.migration import Finding


def check(fact: EnumValue, state: State) -> Iterator[Finding]:
    if fact.old:
        message = f"programs that send '{fact.old}' fail from now on"
        yield state.finding(
            fact, message, f"add '{fact.value}', move rows and programs to it", subject=fact.name[1]
        )


RULE = Rule("rename-enum-value", "G04", ERROR, (EnumValue,), check)
