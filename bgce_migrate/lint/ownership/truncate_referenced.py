"""TRUNCATE of a table that another domain references.

## Why

With CASCADE it empties the other domain's table; without it the server refuses.

## Instead

DELETE in batches; rows that are still referenced stay and can be looked at.

server: refuses it, 42501

```sql bad
TRUNCATE orders.orders CASCADE;
```

```sql good
TRUNCATE orders.notes;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.effect import FOREIGN_KEY, Action
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity


def check(scene: Scene) -> Iterator[Found]:
    """TRUNCATE with keys of others on the table."""
    for touch in scene.touches:
        if touch.action is not Action.WRITE or touch.detail != "truncate" or touch.soft:
            continue
        others = [d for d in touch.dependents if d.owner != scene.domain.name and d.detail == FOREIGN_KEY]
        if others:
            owners = sorted({d.owner for d in others})
            listed = ", ".join(f"{d.what} ({d.owner})" for d in others)
            effect = "empties them too" if touch.cascade else "is refused by the server"
            yield Found(
                f"{touch.shown} is referenced by {listed}: TRUNCATE {effect}",
                touch.line,
                f"DELETE in batches; ask {', '.join(map(scene.world.ask, owners))} about their rows",
                touch.object.name,
                touch.shown,
            )


RULE = OwnershipRule("truncate-referenced", "X09", Severity.ERROR, check)
