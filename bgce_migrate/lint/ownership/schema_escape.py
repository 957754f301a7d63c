"""An object is made outside of the domain's schema.

## Why

A domain with a schema of its own keeps everything there. What lands in `public`, or in another schema, is
outside of its rights and of everybody's map.

## Instead

Write the schema in front of the name. Where the domain's schema is `public`, only other domains' schemas
are judged.

server: refuses it, 42501

```sql bad
CREATE TABLE public.leak (id bigint PRIMARY KEY);
```

```sql good
CREATE TABLE orders.fine (id bigint PRIMARY KEY);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.effect import Action, ObjectKind
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene, Touch
from bgce_migrate.migration import Severity

_KINDS = frozenset({ObjectKind.RELATION, ObjectKind.TYPE, ObjectKind.FUNCTION})


def check(scene: Scene) -> Iterator[Found]:
    """What is made, or moved, elsewhere."""
    home = scene.domain.schema
    said: set[tuple[int, str]] = set()
    for touch in scene.touches:
        schema = _made_in(touch)
        if schema is None or schema == home or (touch.line, touch.shown) in said:
            continue
        owner = scene.world.schema_owner(schema)
        own = home == "public" and (owner is None or not scene.foreign(owner))
        if own or (owner is None and schema != "public" and _makes_schema(scene, schema)):
            continue
        said.add((touch.line, touch.shown))
        whose = f" of {scene.world.who(owner)}" if owner is not None and scene.foreign(owner) else ""
        moved = "moves" if touch.action is Action.RENAME else "is made"
        yield Found(
            f"{touch.object.kind.value} {touch.object.name} {moved} in schema {schema}{whose}; the schema of"
            f" {scene.domain.name} is {home}",
            touch.line,
            f"write {home}.{touch.object.name}",
            touch.object.name,
            touch.shown,
        )


def _made_in(touch: Touch) -> str | None:
    if touch.soft or touch.object.kind not in _KINDS or touch.over:
        return None
    if touch.action is Action.RENAME and touch.to is not None and touch.to.schema not in (None, touch.object.schema):
        return touch.to.schema
    made = touch.action in (Action.MAKE, Action.REPLACE) and touch.relation_kind not in ("index", "sequence")
    return touch.object.schema if made else None


def _makes_schema(scene: Scene, schema: str) -> bool:
    """A further schema that nobody else has, made by the domain itself."""
    return any(t.object.kind is ObjectKind.SCHEMA and t.object.name == schema and t.owner in (None, scene.domain.name) for t in scene.touches)


RULE = OwnershipRule("schema-escape", "X24", Severity.ERROR, check)
