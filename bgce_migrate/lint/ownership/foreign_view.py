"""A view shows another domain's columns.

## Why

A view reads with the rights of its owner, not of the reader: who may read the view reads the other domain's
table, although that domain never agreed.

## Instead

Declare the read for the service that needs it; from PostgreSQL 15 on `WITH (security_invoker = true)`
asks for the reader's own rights.

server: refuses it, 42501

```sql bad
CREATE VIEW orders.paid AS SELECT id, paid FROM billing.invoices;
```

```sql good
CREATE VIEW orders.names WITH (security_invoker = true) AS SELECT id, name FROM crm.people;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.effect import Action, ObjectKind
from bgce_migrate.lint import facts as f
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene
from bgce_migrate.migration import Severity

_DETAILS = frozenset({"view", "materialized view"})
INVOKER_SINCE = 15


def check(scene: Scene) -> Iterator[Found]:
    """Views over others' tables: undeclared, or with their maker's rights."""
    views = {fact.at.statement: fact for fact in scene.facts if isinstance(fact, f.CreateView)}
    granted = _granted(scene)
    said: set[tuple[int, str]] = set()
    for touch in scene.touches:
        if touch.detail not in _DETAILS or touch.soft or touch.object.kind is not ObjectKind.RELATION:
            continue
        owner = touch.owner or ""
        if touch.action is not Action.USE or not scene.foreign(owner) or (touch.statement, touch.shown) in said:
            continue
        said.add((touch.statement, touch.shown))
        view = views.get(touch.statement)
        name = view.table[1] if view is not None else "a view"
        third = sorted(r for r in granted.get(name, ()) if scene.world.role_owner(r) != scene.domain.name)
        who = scene.world.who(owner)
        if not scene.requires(owner):
            message = f"view {name} reads {touch.shown} of {who}, and {scene.domain.name} does not require {owner}"
            yield Found(message, touch.line, scene.world.require_line(scene.domain, owner), touch.object.name, name)
        elif _invoker(view):
            continue
        elif third:
            message = f"view {name} hands {touch.shown} of {who} on to {', '.join(third)}, with the rights of its owner"
            hint = f"let them declare the read themselves; ask {scene.world.ask(owner)}"
            yield Found(message, touch.line, hint, touch.object.name, name)
        elif view is not None and not view.materialized and scene.target >= INVOKER_SINCE:
            message = f"view {name} reads {touch.shown} of {who} with the rights of its owner, whoever asks"
            hint = "write WITH (security_invoker = true) after the view's name"
            yield Found(message, touch.line, hint, touch.object.name, name, severity=Severity.WARNING)


def _invoker(view: f.CreateView | None) -> bool:
    return view is not None and any(option.startswith("security_invoker") for option in view.options)


def _granted(scene: Scene) -> dict[str, set[str]]:
    """Who gets SELECT on what in this migration."""
    found: dict[str, set[str]] = {}
    for fact in scene.facts:
        if isinstance(fact, f.Grant) and not fact.revoke and fact.scope == "objects":
            for _, name in fact.names:
                found.setdefault(name, set()).update(fact.grantees)
    return found


RULE = OwnershipRule("foreign-view", "X16", Severity.ERROR, check)
