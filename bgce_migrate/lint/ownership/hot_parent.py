"""A foreign key to a busy table of another domain is made in one step.

## Why

Making a key takes SHARE ROW EXCLUSIVE on the parent: until the transaction ends nobody writes it, and while it
waits for the lock everybody queues behind it. Inside CREATE TABLE that is easily overlooked. Tables are called busy
with `hot = ["crm:people"]` in `[lint]` of bgce.toml; for other parents this is a note.

## Instead

Make the table without the key, add the key NOT VALID in a migration of its own, then VALIDATE it.

server: runs it

```sql bad
CREATE TABLE orders.visits (id bigint PRIMARY KEY, person_id bigint REFERENCES crm.people (id));
```

```sql good
ALTER TABLE orders.orders ADD CONSTRAINT fk_orders_person_id FOREIGN KEY (person_id)
    REFERENCES crm.people (id) NOT VALID;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.effect import FOREIGN_KEY
from bgce_migrate.lint.ownership.keys import keys_of
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity


def check(scene: Scene) -> Iterator[Found]:
    """Keys inside CREATE TABLE to parents that are in use; ADD COLUMN is `add-column-reference`."""
    settled = {t.object.name for t in scene.touches if t.detail == FOREIGN_KEY and t.settled}
    for key in keys_of(scene):
        owner = scene.owner_of(key.parent)
        if key.form != "table" or owner is None or not scene.foreign(owner) or not scene.requires(owner):
            continue
        hot = (owner, key.parent[1]) in scene.world.hot
        if not hot and key.parent[1] not in settled:
            continue
        yield Found(
            f"the key to {key.parent[1]} of {scene.world.who(owner)} blocks its writers while it is made",
            key.line,
            "make it in a migration of its own: ADD CONSTRAINT ... NOT VALID, and VALIDATE after it",
            key.parent[1],
            key.parent[1],
            severity=Severity.WARNING if hot else Severity.NOTE,
        )


RULE = OwnershipRule("hot-parent", "X06", Severity.WARNING, check)
