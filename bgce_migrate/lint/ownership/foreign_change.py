"""A statement changes an object of another domain.

## Why

The owner of a table decides about its shape, tests it and answers for it. A change by someone else surprises
its services, is refused by the server when the step runs as its own domain's role, and no review of the owner
ever saw it.

## Instead

Ask the owner for a migration of their own; where your migration must follow it, name that one with
`-- bgce: requires`.

server: refuses it, 42501

```sql bad
ALTER TABLE billing.invoices ADD COLUMN note text;
```

```sql good
ALTER TABLE orders.orders ADD COLUMN remark text;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.effect import Action, ObjectKind
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene, Touch
from bgce_migrate.migration import Severity

_VERBS = {
    Action.ALTER: "alters",
    Action.DROP: "drops",
    Action.RENAME: "renames",
    Action.REPLACE: "replaces",
    Action.MAKE: "makes",
    Action.USE: "comments on",
}
#: Judged by rules of their own.
_ELSEWHERE = frozenset({"policy", "rule", "partition", "owner"})
#: Statements in bodies that change what they name.
_DDL = {
    "AlterTableStmt": "alters",
    "RenameStmt": "renames",
    "DropStmt": "drops",
    "AlterObjectSchemaStmt": "moves",
    "AlterSeqStmt": "alters",
    "IndexStmt": "puts an index on",
    "CreateTrigStmt": "puts a trigger on",
    "TruncateStmt": "empties",
    "RuleStmt": "puts a rule on",
    "CreateTableAsStmt": "makes",
    "RefreshMatViewStmt": "refreshes",
}


def check(scene: Scene) -> Iterator[Found]:
    """Touches that change what belongs to others, and DDL in bodies."""
    said: set[tuple[int, str]] = set()
    for touch in scene.touches:
        if not scene.foreign(touch.owner) or not _changes(touch):
            continue
        place = (touch.line, touch.object.name)
        if place not in said:
            said.add(place)
            yield _found(scene, _VERBS.get(touch.action, "changes"), touch.noun, touch.owner or "", touch.line, touch.object.name)
    for inner in scene.inner:
        if inner.inside.startswith("function") and inner.kind in _DDL and inner.name:
            owner = scene.owner_of((inner.schema, inner.name))
            if owner is not None and scene.foreign(owner) and (inner.line, inner.name) not in said:
                said.add((inner.line, inner.name))
                name = f"{inner.schema}.{inner.name}" if inner.schema else inner.name
                yield _found(scene, _DDL[inner.kind], f"{name} from {inner.inside}", owner, inner.line, inner.name)


def _changes(touch: Touch) -> bool:
    if touch.soft:
        return False
    action, kind = touch.action, touch.object.kind
    if action is Action.USE:
        return touch.detail == "comment"
    if kind is ObjectKind.TRIGGER or touch.detail in _ELSEWHERE or touch.relation_kind == "index":
        return action is Action.DROP and touch.relation_kind != "index" and kind is not ObjectKind.TRIGGER
    if action is Action.REPLACE or action is Action.MAKE:
        whole = kind in (ObjectKind.FUNCTION, ObjectKind.TYPE) or touch.relation_kind in ("view", "matview")
        return touch.over and action is Action.REPLACE and whole
    return action in (Action.ALTER, Action.DROP, Action.RENAME)


def _found(scene: Scene, verb: str, noun: str, owner: str, line: int, word: str) -> Found:
    name = scene.domain.name
    return Found(
        f"{name} {verb} {noun}, which belongs to {scene.world.who(owner)}",
        line,
        f"ask {scene.world.ask(owner)} for a migration of {owner}; if yours must come after it, write"
        f" `-- bgce: requires {owner}/<version>`",
        word,
        noun,
    )


RULE = OwnershipRule("foreign-change", "X01", Severity.ERROR, check)
