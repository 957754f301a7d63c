"""Something is dropped, renamed or retyped that another domain declares it reads.

## Why

The other domain's programs use it now. When it goes, they fail.

## Instead

Expand and contract: bring the new thing beside the old one, let the readers move, and drop the old one
when their declarations are gone.

server: runs it

```sql bad
ALTER TABLE orders.orders DROP COLUMN status;
```

```sql good
ALTER TABLE orders.orders ADD COLUMN state text;
```
"""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.effect import Action, ObjectKind
from bgce_migrate.lint.ownership.values import Found, OwnershipRule, Scene, Touch
from bgce_migrate.migration import Severity

_VERBS = {Action.DROP: "dropped", Action.RENAME: "renamed", Action.ALTER: "changed"}


def check(scene: Scene) -> Iterator[Found]:
    """Own tables and columns with declared readers."""
    retyped = {
        (fact.table[1], fact.column, fact.at.line) for fact in scene.facts if type(fact).__name__ == "AlterColumnType"
    }
    for touch in scene.touches:
        if touch.owner != scene.domain.name or touch.fresh or touch.soft or touch.action not in _VERBS:
            continue
        if touch.object.kind is ObjectKind.COLUMN:
            if touch.action is Action.ALTER and (touch.object.name, touch.object.part, touch.line) not in retyped:
                continue
            yield from _column(scene, touch)
        elif touch.object.kind is ObjectKind.RELATION and touch.action is not Action.ALTER:
            yield from _table(scene, touch)


def _table(scene: Scene, touch: Touch) -> Iterator[Found]:
    readers = sorted({service for _, service, _ in scene.world.readers(scene.domain.name, touch.object.name)})
    # Names of indexes and the like are not declared; `domain:*` is about tables only.
    if readers and touch.object.name in scene.domain.tables:
        yield _found(scene, touch, f"table {touch.shown}", readers, Severity.ERROR)


def _column(scene: Scene, touch: Touch) -> Iterator[Found]:
    column, kind = touch.object.part or "", "public"
    if touch.object.name in scene.domain.tables:
        kind = scene.domain.tables[touch.object.name].columns.get(column, "public")
    named: set[str] = set()
    perhaps: set[str] = set()
    for _, service, columns in scene.world.readers(scene.domain.name, touch.object.name):
        if columns is None:
            if kind == "public":
                perhaps.add(service)
        elif column in columns:
            named.add(service)
    if named:
        yield _found(scene, touch, f"column {touch.shown}", sorted(named), Severity.ERROR)
    elif perhaps and touch.action is not Action.ALTER:
        yield _found(scene, touch, f"column {touch.shown}", sorted(perhaps), Severity.WARNING)


def _found(scene: Scene, touch: Touch, what: str, readers: list[str], severity: Severity) -> Found:
    homes = sorted({d for d, s, _ in scene.world.readers(scene.domain.name, touch.object.name) if s in readers})
    whom = ", ".join(scene.world.ask(home) for home in homes)
    reads = ", ".join(readers)
    how = "reads it" if severity is Severity.ERROR else "reads this table"
    return Found(
        f"{what} is {_VERBS[touch.action]}, and by its declaration service {reads} {how}",
        touch.line,
        f"ask {whom} to take it out of `reads` first, then contract",
        touch.object.part or touch.object.name,
        touch.shown,
        severity=severity,
    )


RULE = OwnershipRule("read-by-others", "X07", Severity.ERROR, check)
