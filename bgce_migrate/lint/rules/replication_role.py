"""session_replication_role switches foreign keys and triggers off.

## Why

Rows that break foreign keys get in, and nothing ever looks at them again.

## Instead

Write rows that satisfy the keys; or drop the key, write, and add it again.

effect: none

```sql bad
SET session_replication_role = replica;
```

```sql good
SET LOCAL work_mem = '64MB';
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import SetVariable
from bgce_migrate.lint.rule import ERROR, Rule, State
from bgce_migrate.migration import Finding


def check(fact: SetVariable, state: State) -> Iterator[Finding]:
    if fact.name == "session_replication_role" and not fact.reset and not state.file.declared:
        message = "foreign keys and triggers are off from here on: rows that break them get in"
        yield state.finding(fact, message, "take it out", subject=fact.name)


RULE = Rule("replication-role", "H14", ERROR, (SetVariable,), check)
