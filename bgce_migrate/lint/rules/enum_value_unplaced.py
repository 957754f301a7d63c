"""An enum value is added at the end.

## Why

Values sort in their order. Without BEFORE or AFTER nobody sees whether the end is meant.

## Instead

Say AFTER 'the last one'. Deploy readers that know the value before writers send it.

effect: none

```sql setup
CREATE TYPE mood AS ENUM ('good', 'bad');
```

```sql bad
ALTER TYPE mood ADD VALUE 'worse';
```

```sql good
ALTER TYPE mood ADD VALUE 'worse' AFTER 'bad';
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import EnumValue
from bgce_migrate.lint.rule import NOTE, Rule, State
from bgce_migrate.migration import Finding


def check(fact: EnumValue, state: State) -> Iterator[Finding]:
    if not fact.old and not fact.placed:
        message = f"'{fact.value}' sorts after all others of {fact.name[1]}; say so"
        yield state.finding(fact, message, "write BEFORE or AFTER", subject=fact.name[1])


RULE = Rule("enum-value-unplaced", "G07", NOTE, (EnumValue,), check)
