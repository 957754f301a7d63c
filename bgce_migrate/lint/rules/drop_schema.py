"""A schema or an extension is dropped.

## Why

Everything in it goes at once, whoever owns it.

## Instead

Drop the objects by name, the empty schema last, with `-- bgce: phase contract`.

effect: none

```sql setup
CREATE SCHEMA shop;
```

```sql bad
DROP SCHEMA shop;
```

```sql good
CREATE SCHEMA shop_next;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.facts import Drop
from bgce_migrate.lint.rule import ERROR, Rule, State
from bgce_migrate.lint.wording import listed
from bgce_migrate.migration import Finding


def check(fact: Drop, state: State) -> Iterator[Finding]:
    if fact.kind not in ("schema", "extension") or (
        state.file.directives.phase == "contract" and not fact.cascade
    ):
        return
    name = listed(ref[1] for ref in fact.names)
    message = f"DROP {fact.kind.upper()} {name} takes everything in it, whoever owns it"
    yield state.finding(fact, message, f"drop the objects by name, the empty {fact.kind} last", subject=name)


RULE = Rule("drop-schema", "F04", ERROR, (Drop,), check)
