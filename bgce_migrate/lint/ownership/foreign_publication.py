"""A table of another domain is published.

## Why

Its rows leave the database for subscribers its owner does not know; a published column cannot be dropped.

## Instead

The owner publishes its own tables.

server: refuses it, 42501

```sql bad
ALTER PUBLICATION feed ADD TABLE billing.invoices;
```

```sql good
ALTER PUBLICATION feed ADD TABLE orders.orders;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.effect import ObjectKind
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity


def check(scene: Scene) -> Iterator[Found]:
    """Tables of others in publications."""
    said: set[str] = set()
    for touch in scene.touches:
        if touch.detail != "publication" or not scene.foreign(touch.owner) or touch.object.kind is not ObjectKind.RELATION:
            continue
        if touch.shown not in said:
            said.add(touch.shown)
            owner = touch.owner or ""
            yield Found(
                f"{scene.domain.name} publishes {touch.shown}, a table of {scene.world.who(owner)}",
                touch.line,
                f"{owner} publishes its own tables; ask {scene.world.ask(owner)}",
                touch.object.name,
                touch.shown,
            )


RULE = OwnershipRule("foreign-publication", "X31", Severity.ERROR, check)
