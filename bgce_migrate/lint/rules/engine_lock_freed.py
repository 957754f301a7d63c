"""The statement frees locks or settings that are not its own.

## Why

pg_advisory_unlock_all() and DISCARD ALL release what other tools hold on this session: two migrators run at once.

## Instead

Leave it out.

effect: none

```sql bad
SELECT pg_advisory_unlock_all();
```

```sql good
SELECT 1;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import Discard, Select
from bgce_migrate.lint.rule import ERROR, Rule, State
from bgce_migrate.migration import Finding


def check(fact: Select | Discard, state: State) -> Iterator[Finding]:
    if state.file.declared:
        return
    if isinstance(fact, Discard):
        names = ["DISCARD ALL"] if fact.what == "all" else []
    else:
        names = [f"{name}()" for name, _ in fact.functions if name.startswith("pg_advisory_unlock")]
    if names:
        message = f"{names[0]} releases what holds two migrators apart"
        yield state.finding(fact, message, "take it out", subject=names[0])


RULE = Rule(
    "engine-lock-freed",
    "H15",
    ERROR,
    (
        Select,
        Discard,
    ),
    check,
)
