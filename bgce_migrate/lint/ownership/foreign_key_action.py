"""A foreign key to another domain deletes or changes rows by itself.

## Why

With ON DELETE CASCADE or SET NULL a delete in the other domain removes or changes rows here. The server asks
for no privilege on them, so no grant stops it: one domain writes another's table.

## Instead

NO ACTION, and let the owner of the rows decide, for example when it hears of the deletion.

server: runs it

```sql bad
ALTER TABLE orders.orders ADD CONSTRAINT fk_orders_person_id FOREIGN KEY (person_id)
    REFERENCES crm.people (id) ON DELETE CASCADE NOT VALID;
```

```sql good
ALTER TABLE orders.orders ADD CONSTRAINT fk_orders_person_id FOREIGN KEY (person_id)
    REFERENCES crm.people (id) NOT VALID;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.ownership.keys import keys_of
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity

_BAD = frozenset({"cascade", "set null", "set default"})


def check(scene: Scene) -> Iterator[Found]:
    """Keys across domains with an action."""
    for key in keys_of(scene):
        owner = scene.owner_of(key.parent)
        if owner is None or not scene.foreign(owner):
            continue
        parent = key.parent[1]
        for event, action in (("DELETE", key.on_delete), ("UPDATE", key.on_update)):
            if action in _BAD:
                yield Found(
                    f"the key to {parent} of {scene.world.who(owner)} says ON {event} {action.upper()}: then {owner}"
                    f" changes rows of {scene.domain.name}",
                    key.line,
                    f"say ON {event} NO ACTION (or nothing), and let {scene.domain.name} react to deletions itself",
                    parent,
                    parent,
                )


RULE = OwnershipRule("foreign-key-action", "X05", Severity.ERROR, check)
