"""A sequence is shared with another domain.

## Why

RESTART, DROP and OWNED BY reach across: the other domain's inserts fail, or take numbers twice.

## Instead

An identity column, or a sequence of one's own.

server: refuses it, 42501

```sql bad
ALTER TABLE orders.orders ALTER COLUMN total SET DEFAULT nextval('billing.invoice_numbers');
```

```sql good
CREATE SEQUENCE orders.order_numbers;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.effect import Action
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity


def check(scene: Scene) -> Iterator[Found]:
    """Sequences of others, and own ones that others' columns would own."""
    said: set[tuple[int, str]] = set()
    for touch in scene.touches:
        if not scene.foreign(touch.owner) or touch.action is not Action.USE:
            continue
        owned = touch.detail == "owned by" and touch.object.part is None
        used = touch.relation_kind == "sequence" and touch.detail not in ("comment", "grant")
        if not (owned or used) or (touch.line, touch.shown) in said:
            continue
        said.add((touch.line, touch.shown))
        owner = touch.owner or ""
        what = f"a sequence would be owned by {touch.shown}" if owned else f"{scene.domain.name} uses sequence {touch.shown}"
        yield Found(
            f"{what} of {scene.world.who(owner)}",
            touch.line,
            f"use an identity column or a sequence of {scene.domain.name}",
            touch.object.name,
            touch.shown,
        )


RULE = OwnershipRule("foreign-sequence", "X15", Severity.ERROR, check)
