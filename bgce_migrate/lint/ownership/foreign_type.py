"""A column has a type of another domain.

## Why

DROP TYPE ... CASCADE by its owner removes the column with its data, and a new check on a domain type scans
this table under a lock.

## Instead

A type of one's own, or plain text with a CHECK. With `requires` it is a warning, without an error.

server: refuses it, 42501

```sql bad
ALTER TABLE orders.orders ADD COLUMN state billing.state;
```

```sql good
ALTER TABLE orders.orders ADD COLUMN state text;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.effect import Action, ObjectKind
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity

_STORED = frozenset({"column type", "attribute", "domain", "table of a type", "range"})


def check(scene: Scene) -> Iterator[Found]:
    """Types of others in columns; elsewhere only where the domain is not required."""
    said: set[tuple[int, str]] = set()
    for touch in scene.touches:
        if touch.action is not Action.USE or touch.soft or not scene.foreign(touch.owner):
            continue
        is_type = touch.object.kind is ObjectKind.TYPE or touch.detail in _STORED
        owner = touch.owner or ""
        if not is_type or touch.detail in ("comment", "grant") or (touch.line, touch.shown) in said:
            continue
        if scene.requires(owner) and touch.detail not in _STORED:
            continue
        said.add((touch.line, touch.shown))
        where = "a column has" if touch.detail in _STORED else f"{scene.domain.name} uses"
        yield Found(
            f"{where} type {touch.shown} of {scene.world.who(owner)}",
            touch.line,
            f"a type of {scene.domain.name}, or text with a CHECK, cannot be dropped by {owner}"
            + ("" if scene.requires(owner) else f"; or {scene.world.require_line(scene.domain, owner)}"),
            touch.object.name,
            touch.shown,
            severity=Severity.WARNING if scene.requires(owner) else Severity.ERROR,
        )


RULE = OwnershipRule("foreign-type", "X11", Severity.ERROR, check)
