"""Uses of other domains' objects, one value per statement and object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from msgspec import Struct, field

from bgce_migrate.effect import FOREIGN_KEY, Action, Effect
from bgce_migrate.migration import ForeignUse, MigrationId
from bgce_migrate.order.layer import Life
from bgce_migrate.order.names import COLUMN, PARTS, RELATION, Key, spell


class Tables(Protocol):
    """Who knows the columns of a table at the point of the use."""

    def columns(self, schema: str, table: str) -> tuple[str, ...]:
        """All known columns."""

    def primary_key(self, schema: str, table: str) -> tuple[str, ...] | None:
        """The primary key's columns, if known."""


class _Group(Struct):
    life: Life
    effect: Effect
    columns: set[str] = field(default_factory=set)
    needs: set[MigrationId] = field(default_factory=set)
    primary: bool = False  # a foreign key without a column list is among them


def foreign_uses_of(
    domain: str, uses: Sequence[tuple[Key, Effect, Life | None]], tables: Callable[[str], Tables]
) -> tuple[ForeignUse, ...]:
    """Join one migration's uses of other domains' objects.

    Args:
        domain: the domain of the migration.
        uses: its uses in the order of the file; a part (column, key) may have no life.
        tables: who knows the tables that a domain's migration made.
    """
    groups: dict[tuple[int, Key, Action, bool, str], _Group] = {}
    by_table: dict[tuple[int, str, str], list[_Group]] = {}
    for key, effect, life in uses:
        if life is None or life.owner == domain or key[0] in PARTS:
            continue
        place = (effect.statement, life.key, effect.action, effect.soft, effect.detail)
        if place not in groups:
            group = groups[place] = _Group(life, effect)
            if life.key[0] == RELATION:
                by_table.setdefault((effect.statement, life.key[1], life.key[2]), []).append(group)
        if effect.signature == "":
            groups[place].primary = True
    if not groups:
        return ()
    for key, effect, life in uses:
        if key[0] in PARTS:
            _add_part(by_table.get((effect.statement, key[1], key[2]), ()), key, effect, life)
    return tuple(_value(group, tables) for group in groups.values())


def _add_part(groups: Iterable[_Group], key: Key, effect: Effect, life: Life | None) -> None:
    by_key = effect.detail == FOREIGN_KEY
    for group in groups:
        if (group.effect.detail == FOREIGN_KEY) == by_key:
            if key[0] == COLUMN:
                group.columns.add(key[3])
            if life is not None and life.maker != group.life.maker:
                group.needs.add(life.maker)


def _value(group: _Group, tables: Callable[[str], Tables]) -> ForeignUse:
    life, effect = group.life, group.effect
    known = tables(life.maker.domain)
    columns: tuple[str, ...] | None = tuple(sorted(group.columns)) or None
    everything: tuple[str, ...] = ()
    if (columns is None or group.primary) and life.key[0] == RELATION:
        if effect.detail == FOREIGN_KEY:
            primary = known.primary_key(life.key[1], life.key[2])
            columns = tuple(sorted({*(columns or ()), *primary})) if primary is not None else None
        else:
            everything = known.columns(life.key[1], life.key[2])
    return ForeignUse(
        spell(life.key),
        life.owner,
        life.maker,
        effect.action,
        effect.detail,
        columns,
        everything,
        effect.soft,
        effect.line,
        tuple(sorted(group.needs)),
        life.relation_kind,
    )
