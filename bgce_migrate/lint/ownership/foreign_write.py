"""A statement writes a table of another domain.

## Why

Whoever writes a table is bound by rules that only its owner knows: totals, events, audit rows. A foreign write
goes past all of them. The server refuses it when the step runs, because owners grant no writes to other domains.

## Instead

Let the owner ship a function for the write and share it (`functions = { pay = "shared" }`), and declare
`calls = ["billing:pay"]`; or ask the owner for a migration.

server: refuses it, 42501

```sql bad
UPDATE billing.invoices SET paid = true;
```

```sql good
UPDATE orders.orders SET total = 0 WHERE total IS NULL;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.effect import Action
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity

_WORDS = {"truncate": "empties", "copy": "loads into", "delete": "deletes from", "insert": "inserts into", "update": "updates"}


def check(scene: Scene) -> Iterator[Found]:
    """Writes that run with the migration: in bodies they are `foreign-body`."""
    name = scene.domain.name
    said: set[tuple[int, str]] = set()
    for touch in scene.touches:
        if touch.action is not Action.WRITE or touch.soft or not scene.foreign(touch.owner):
            continue
        owner = touch.owner or ""
        if (touch.line, touch.shown) in said:
            continue
        said.add((touch.line, touch.shown))
        yield Found(
            f"{name} {_WORDS.get(touch.detail, 'writes')} {touch.shown}, a table of {scene.world.who(owner)}",
            touch.line,
            f"a write across domains goes through a function that {owner} ships and shares, declared as `calls`;"
            f" ask {scene.world.ask(owner)}",
            touch.object.name,
            touch.shown,
        )


RULE = OwnershipRule("foreign-write", "X02", Severity.ERROR, check)
