"""GRANT or REVOKE on an object of another domain.

## Why

Rights on an object are its owner's to give.

## Instead

Declare the read with `reads`; the owner's rights are then worked out and granted by `bgce-migrate`.

server: refuses it, 42501

```sql bad
GRANT SELECT ON billing.invoices TO orders_user;
```

```sql good
GRANT SELECT ON orders.orders TO orders_user;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.effect import ObjectKind
from bgce_migrate.lint import facts as f
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity


def check(scene: Scene) -> Iterator[Found]:
    """Grants on what belongs to others, also in bodies."""
    said: set[tuple[int, str]] = set()
    for touch in scene.touches:
        if touch.detail != "grant" or not scene.foreign(touch.owner) or touch.object.kind is ObjectKind.COLUMN:
            continue
        if (touch.line, touch.shown) not in said:
            said.add((touch.line, touch.shown))
            yield _found(scene, touch.noun, touch.owner or "", touch.line, touch.object.name)
    for fact in scene.facts:
        if isinstance(fact, f.Grant):
            schemas = fact.names if fact.scope == "all in schema" or fact.kind == "schema" else ()
            for _, schema in schemas:
                owner = scene.world.schema_owner(schema)
                if owner is not None and scene.foreign(owner) and (fact.at.line, schema) not in said:
                    said.add((fact.at.line, schema))
                    yield _found(scene, f"schema {schema}", owner, fact.at.line, schema)


def _found(scene: Scene, noun: str, owner: str, line: int, word: str) -> Found:
    return Found(
        f"{scene.domain.name} changes rights on {noun}, which belongs to {scene.world.who(owner)}",
        line,
        f'declare what is read, `reads = ["{owner}:..."]`, and the grant follows; ask {scene.world.ask(owner)}',
        word,
        noun,
    )


RULE = OwnershipRule("foreign-grant", "X17", Severity.ERROR, check)
