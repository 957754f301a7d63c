"""A function's body touches what this domain may not touch.

## Why

What a statement may not do, a function may not do either; only that it shows when somebody calls it.

## Instead

Call a function that the other domain shares; declare the domains that bodies read with `requires`.

server: runs it

```sql bad
CREATE FUNCTION orders.settle() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE billing.invoices SET paid = true;
END $$;
```

```sql good
CREATE FUNCTION orders.settle() RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    UPDATE orders.orders SET total = 0;
    PERFORM 1 FROM crm.people;
END $$;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.effect import Action, ObjectKind
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity

_WHOLE = frozenset({ObjectKind.RELATION, ObjectKind.FUNCTION, ObjectKind.TYPE})


def check(scene: Scene) -> Iterator[Found]:
    """Writes of others' tables, and uses of domains that are not required."""
    said: set[tuple[int, str]] = set()
    for touch in scene.touches:
        if not touch.soft or not scene.foreign(touch.owner) or touch.object.kind not in _WHOLE:
            continue
        owner = touch.owner or ""
        if touch.action is Action.WRITE:
            verb, hint = "writes", f"call a function that {owner} shares; ask {scene.world.ask(owner)}"
        elif not scene.requires(owner):
            verb, hint = "uses", scene.world.require_line(scene.domain, owner)
        else:
            continue
        if (touch.line, touch.shown) not in said:
            said.add((touch.line, touch.shown))
            where = touch.detail if touch.detail.startswith("body of") else "a body"
            yield Found(
                f"{where} {verb} {touch.noun} of {scene.world.who(owner)}",
                touch.line,
                hint,
                touch.object.name,
                touch.shown,
            )


RULE = OwnershipRule("foreign-body", "X27", Severity.ERROR, check)
