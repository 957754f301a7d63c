"""A trigger, rule, policy, index or statistics on a table of another domain.

## Why

It runs, or is maintained, on every write of its owner, who does not know of it: slower, or other, than the
owner's own code says.

## Instead

Ask the owner for it; or listen to what the owner publishes.

server: refuses it, 42501

```sql bad
CREATE INDEX idx_invoices_paid ON billing.invoices (paid);
```

```sql good
CREATE INDEX idx_notes_body ON orders.notes (body);
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.effect import Action, ObjectKind
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene, Touch
from bgce_migrate.migration import Severity

_DETAILS = {"trigger": "a trigger", "index": "an index", "statistics": "statistics", "policy": "a policy", "rule": "a rule"}


def check(scene: Scene) -> Iterator[Found]:
    """What is put on, changed on, or taken off others' tables."""
    said: set[tuple[int, str]] = set()
    for touch in scene.touches:
        if touch.soft or not scene.foreign(touch.owner):
            continue
        what = _what(touch)
        if what is None or (touch.line, touch.object.name) in said:
            continue
        said.add((touch.line, touch.object.name))
        owner = touch.owner or ""
        verb = {Action.DROP: "drops", Action.RENAME: "renames"}.get(touch.action, "puts")
        on = "on" if verb == "puts" else "of"
        yield Found(
            f"{scene.domain.name} {verb} {what} {on} {touch.object.name}, a table of {scene.world.who(owner)}",
            touch.line,
            f"ask {scene.world.ask(owner)} for it",
            touch.object.name,
            touch.shown,
        )


def _what(touch: Touch) -> str | None:
    kind, action = touch.object.kind, touch.action
    if kind is ObjectKind.TRIGGER and touch.detail not in ("comment", "grant"):
        return "a trigger" if touch.object.part is None else f"trigger {touch.object.part}"
    if kind is not ObjectKind.RELATION:
        return None
    if touch.relation_kind == "index" and action in (Action.DROP, Action.RENAME, Action.ALTER):
        return "index"
    if action is Action.USE and touch.detail in ("index", "statistics", "trigger"):
        return _DETAILS[touch.detail]
    return _DETAILS[touch.detail] if touch.detail in ("policy", "rule") and action is Action.ALTER else None


RULE = OwnershipRule("foreign-attachment", "X12", Severity.ERROR, check)
