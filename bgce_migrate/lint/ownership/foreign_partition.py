"""A partition or child table across domains.

## Why

DDL of the one owner locks the other's table, and a query of the parent reads both domains' rows.

## Instead

Keep parent and partitions in one domain.

server: refuses it, 42501

```sql bad
CREATE TABLE orders.old_invoices () INHERITS (billing.invoices);
```

```sql good
CREATE TABLE orders.old_notes () INHERITS (orders.notes);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity

_WORDS = {"partition": "a partition", "inherits": "inheritance"}


def check(scene: Scene) -> Iterator[Found]:
    """Parents and partitions of others."""
    said: set[tuple[int, str]] = set()
    for touch in scene.touches:
        if touch.detail not in _WORDS or touch.soft or not scene.foreign(touch.owner):
            continue
        owner = touch.owner or ""
        if (touch.line, touch.shown) not in said:
            said.add((touch.line, touch.shown))
            yield Found(
                f"{_WORDS[touch.detail]} joins a table of {scene.domain.name} to {touch.shown} of"
                f" {scene.world.who(owner)}",
                touch.line,
                f"keep parent and children in one domain; ask {scene.world.ask(owner)}",
                touch.object.name,
                touch.shown,
            )


RULE = OwnershipRule("foreign-partition", "X14", Severity.ERROR, check)
