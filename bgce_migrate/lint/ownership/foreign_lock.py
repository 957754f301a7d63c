"""LOCK TABLE, or row locks, on a table of another domain.

## Why

Its programs stand still until this transaction ends. A row lock needs no more than a read that was declared.

## Instead

Read without a lock; where two tables must not move apart, let the owner ship a function for it.

server: refuses it, 42501

```sql bad
LOCK TABLE billing.invoices IN SHARE MODE;
```

```sql good
LOCK TABLE orders.orders IN SHARE MODE;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.effect import ObjectKind
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity

_LOCKING = frozenset({"lock", "maintenance"})


def check(scene: Scene) -> Iterator[Found]:
    """Locks of others' tables, also in bodies; VACUUM, CLUSTER, REINDEX and REFRESH lock too."""
    said: set[tuple[int, str]] = set()
    for touch in scene.touches:
        if touch.detail not in _LOCKING or touch.object.kind is not ObjectKind.RELATION or not scene.foreign(touch.owner):
            continue
        if (touch.line, touch.object.name) not in said:
            said.add((touch.line, touch.object.name))
            yield _found(scene, touch.shown, touch.owner or "", touch.line, touch.object.name)
    for lock in scene.row_locks:
        owner = scene.owner_of((lock.schema, lock.table))
        if owner is not None and scene.foreign(owner) and (lock.line, lock.table) not in said:
            said.add((lock.line, lock.table))
            yield _found(scene, lock.table, owner, lock.line, lock.table)


def _found(scene: Scene, table: str, owner: str, line: int, word: str) -> Found:
    return Found(
        f"{scene.domain.name} locks {table}, a table of {scene.world.who(owner)}",
        line,
        f"read it without a lock; ask {scene.world.ask(owner)} for a function where that is not enough",
        word,
        table,
    )


RULE = OwnershipRule("foreign-lock", "X30", Severity.ERROR, check)
