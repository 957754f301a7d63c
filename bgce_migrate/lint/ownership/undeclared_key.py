"""A foreign key points at a table of a domain that is not required.

## Why

A key couples the order of installations, every delete of the parent, and locks: making it locks the parent
against writes, and each insert locks the parent's row. It also needs a grant that only the owner can give.

## Instead

Write the other domain into `requires`; the grant follows from it. Or keep the id without a key and declare
it as `loose`.

server: refuses it, 42501

```sql bad
CREATE TABLE orders.refunds (id bigint PRIMARY KEY, invoice_id bigint REFERENCES billing.invoices (id));
```

```sql good
CREATE TABLE orders.refunds (id bigint PRIMARY KEY, person_id bigint REFERENCES crm.people (id));
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.effect import FOREIGN_KEY, ObjectKind
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity


def check(scene: Scene) -> Iterator[Found]:
    """Keys to domains that are not declared."""
    said: set[tuple[int, str]] = set()
    for touch in scene.touches:
        if touch.detail != FOREIGN_KEY or touch.object.kind is not ObjectKind.RELATION:
            continue
        owner = touch.owner or ""
        if not scene.foreign(owner) or scene.requires(owner) or (touch.line, touch.shown) in said:
            continue
        said.add((touch.line, touch.shown))
        yield Found(
            f"{scene.domain.name} references {touch.shown}, a table of {scene.world.who(owner)}, and does not"
            f" require {owner}",
            touch.line,
            scene.world.require_line(scene.domain, owner),
            touch.object.name,
            touch.shown,
        )


RULE = OwnershipRule("undeclared-key", "X04", Severity.ERROR, check)
