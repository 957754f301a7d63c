"""A statement reads what this domain has not declared, or may not read.

## Why

A read that nobody knows of breaks when its owner changes the table, and the owner cannot know whom to ask.
The order of fresh installations depends on it too. Columns above class public are read by consent only, secrets
never.

## Instead

Declare the dependency with `requires`; let the owner share columns above class public with `shares`.

server: refuses it, 42501

```sql bad
INSERT INTO orders.orders (id, total) SELECT id, total FROM billing.invoices;
```

```sql good
INSERT INTO orders.orders (id, person_id) SELECT id, id FROM crm.people;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.effect import FOREIGN_KEY, Action, ObjectKind
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene, Touch
from bgce_migrate.migration import Severity

#: Uses that other rules judge.
_ELSEWHERE = frozenset(
    {FOREIGN_KEY, "comment", "grant", "trigger", "index", "statistics", "partition", "inherits", "publication", "lock"}
    | {"view", "materialized view", "owned by", "maintenance", "column type", "policy", "rule", "index of a constraint"}
)


def check(scene: Scene) -> Iterator[Found]:
    """Hard reads of relations and calls of functions; columns above class public."""
    said: set[str] = set()
    for touch in scene.touches:
        if touch.action is not Action.USE or not scene.foreign(touch.owner):
            continue
        owner = touch.owner or ""
        if touch.object.kind is ObjectKind.COLUMN:
            yield from _column(scene, touch, owner, said)
        elif touch.soft or touch.detail in _ELSEWHERE or touch.relation_kind == "sequence":
            continue
        elif touch.object.kind is ObjectKind.RELATION and not scene.requires(owner):
            if touch.shown not in said:
                said.add(touch.shown)
                yield Found(
                    f"{scene.domain.name} reads {touch.shown}, a table of {scene.world.who(owner)}, and does not"
                    f" require {owner}",
                    touch.line,
                    scene.world.require_line(scene.domain, owner),
                    touch.object.name,
                    touch.shown,
                )
        elif touch.object.kind is ObjectKind.FUNCTION and touch.shown not in said:
            found = _function(scene, touch, owner)
            if found is not None:
                said.add(touch.shown)
                yield found


def _column(scene: Scene, touch: Touch, owner: str, said: set[str]) -> Iterator[Found]:
    """Column uses are soft (they may mean something else), so only what names a class above public is judged."""
    column = touch.object.part or ""
    kind = scene.world.column_class(owner, touch.object.name, column)
    if kind == "public" or touch.shown in said or touch.detail in (FOREIGN_KEY, "comment", "grant"):
        return
    if kind != "secret" and scene.world.shares(owner, scene.domain, touch.object.name, column):
        return
    said.add(touch.shown)
    consent = f'{owner} would have to say shares = {{ {scene.domain.name} = ["{touch.object.name}({column})"] }}'
    yield Found(
        f"{scene.domain.name} reads {touch.shown}, a {kind} column of {scene.world.who(owner)}",
        touch.line,
        f"no other domain reads a secret; ask {scene.world.ask(owner)}"
        if kind == "secret"
        else f"{consent}; ask {scene.world.ask(owner)}",
        column,
        touch.shown,
    )


def _function(scene: Scene, touch: Touch, owner: str) -> Found | None:
    declared = scene.world.domains[owner].functions.get(touch.object.name)
    who = scene.world.who(owner)
    line, word = touch.line, touch.object.name
    if not scene.requires(owner):
        message = f"{scene.domain.name} calls function {touch.shown} of {who} and does not require {owner}"
        return Found(message, line, scene.world.require_line(scene.domain, owner), word, touch.shown)
    if declared == "shared":
        return None
    consent = f'functions = {{ {word} = "shared" }}'
    message = f"{scene.domain.name} calls function {touch.shown} of {who}, which {owner} does not share"
    hint = f"{owner} has to say {consent}; ask {scene.world.ask(owner)}"
    return Found(message, line, hint, word, touch.shown)


RULE = OwnershipRule("undeclared-read", "X03", Severity.ERROR, check)
