"""A trigger runs a function of another domain that does not share it.

## Why

The function runs with the rights of whoever writes the table, and its owner may change it at any time.

## Instead

A function of one's own; or the owner shares it with `functions = { f = "shared" }`, and this domain
requires the owner.

server: refuses it, 42501

```sql bad
CREATE TRIGGER orders_touch BEFORE UPDATE ON orders.orders FOR EACH ROW EXECUTE FUNCTION billing.touch();
```

```sql good
CREATE TRIGGER orders_touch BEFORE UPDATE ON orders.orders FOR EACH ROW EXECUTE FUNCTION crm.touch();
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.effect import Action, ObjectKind
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity


def check(scene: Scene) -> Iterator[Found]:
    """Functions of triggers, event triggers and the like."""
    for touch in scene.touches:
        if touch.action is not Action.USE or touch.detail != "trigger" or touch.object.kind is not ObjectKind.FUNCTION:
            continue
        owner = touch.owner or ""
        if not scene.foreign(owner):
            continue
        shared = scene.world.domains[owner].functions.get(touch.object.name) == "shared"
        if shared and scene.requires(owner):
            continue
        hint = (
            scene.world.require_line(scene.domain, owner)
            if shared
            else f'{owner} has to say functions = {{ {touch.object.name} = "shared" }}; ask {scene.world.ask(owner)}'
        )
        yield Found(
            f"a trigger of {scene.domain.name} runs {touch.shown}, a function of {scene.world.who(owner)}"
            + ("" if shared else ", which does not share it"),
            touch.line,
            hint,
            touch.object.name,
            touch.shown,
        )


RULE = OwnershipRule("foreign-trigger-function", "X13", Severity.ERROR, check)
