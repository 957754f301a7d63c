"""A function, type or sequence gets another name.

## Why

Programs and function bodies that call it by the old name fail.

## Instead

Make the new one, keep the old one as a wrapper while programs move.

effect: none

```sql setup
CREATE FUNCTION price(n integer) RETURNS integer LANGUAGE sql AS 'SELECT n * 2';
```

```sql bad
ALTER FUNCTION price(integer) RENAME TO total_price;
```

```sql good
CREATE FUNCTION total_price(n integer) RETURNS integer LANGUAGE sql AS 'SELECT price(n)';
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import Rename
from bgce_migrate.lint.rule import WARNING, Rule, State
from bgce_migrate.migration import Finding


def check(fact: Rename, state: State) -> Iterator[Finding]:
    if (
        fact.kind not in ("function", "procedure", "type", "domain", "sequence")
        or state.file.directives.phase == "contract"
    ):
        return
    message = f"whoever calls {fact.kind} {fact.name[1]} by its old name fails from now on"
    yield state.finding(
        fact, message, "make the new one, keep the old one while programs move", subject=fact.name[1]
    )


RULE = Rule("rename-object", "G05", WARNING, (Rename,), check)
