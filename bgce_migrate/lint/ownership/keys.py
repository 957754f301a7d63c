"""The foreign keys that a migration makes, wherever the SQL says them."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from bgce_migrate.lint import facts as f
from bgce_migrate.lint.ownership.values import Scene


class Key(Struct, frozen=True):
    """One foreign key.

    Attributes:
        form: "table" inside CREATE TABLE, "column" with ADD COLUMN, "constraint" with ADD CONSTRAINT.
        valid: False for NOT VALID.
    """

    parent: f.Ref
    child: f.Ref
    form: str
    on_delete: str
    on_update: str
    line: int
    valid: bool = True


def keys_of(scene: Scene) -> tuple[Key, ...]:
    """All keys of all statements; found once a scene."""
    if not scene.key_list:
        scene.key_list.append(tuple(_all(scene)))
    return scene.key_list[0]


def _all(scene: Scene) -> Iterator[Key]:
    for fact in scene.facts:
        if isinstance(fact, f.CreateTable):
            for column in fact.columns:
                for constraint in column.constraints:
                    yield from _key(scene, fact, constraint, "table", column.line)
            for constraint in fact.constraints:
                yield from _key(scene, fact, constraint, "table", 0)
        elif isinstance(fact, f.AddColumn):
            for constraint in fact.column.constraints:
                yield from _key(scene, fact, constraint, "column", fact.column.line)
        elif isinstance(fact, f.AddConstraint):
            yield from _key(scene, fact, fact.constraint, "constraint", 0)


def _key(scene: Scene, fact: f.TableFact, constraint: f.Constraint, form: str, line: int) -> Iterator[Key]:
    target = constraint.references
    if target is None:
        return
    if constraint.offset > 0 and scene.owner_of(target.table) != scene.domain.name and not fact.at.inside:
        # The constraint may start lines above its REFERENCES.
        after = scene.text.find(target.table[1], constraint.offset)
        line = scene.text.count("\n", 0, after if after >= 0 else constraint.offset) + 1
    yield Key(
        target.table, fact.table, form, target.on_delete, target.on_update, line or fact.at.line, constraint.valid
    )
