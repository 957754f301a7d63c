"""Which object before which, from what each statement makes and uses; and whose the others than tables are."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from bgce_migrate import sqlfile
from bgce_migrate.adopt.assigning import Assigned, target
from bgce_migrate.adopt.units import Unit
from bgce_migrate.effect import Action, Effect, Name, ObjectKind
from bgce_migrate.errors import Refused
from bgce_migrate.migration import Direction, SourceFile
from bgce_migrate.registry.circles import circles

_MAKING = (Action.MAKE, Action.REPLACE)
#: A table's name is its row type's, too.
_KINDS = {ObjectKind.RELATION: 0, ObjectKind.TYPE: 0, ObjectKind.FUNCTION: 1}


class Web:
    """Units and what they need of each other.

    Attributes:
        hard: needed when a statement runs; soft: named in a body that binds late. Both by position, without itself.
        keys: the units that a unit's foreign keys lead to.
    """

    def __init__(self, units: Sequence[Unit]) -> None:
        self.units = tuple(units)
        effects = [_effects(unit) for unit in self.units]
        made = {
            at: n for n, found in enumerate(effects) for effect in found if effect.action in _MAKING
            for at in _places(effect.object, effect)
        }  # fmt: skip
        self.hard: list[set[int]] = []
        self.soft: list[set[int]] = []
        for n, found in enumerate(effects):
            uses = [e for e in found if e.action not in _MAKING]
            self.hard.append(_answers((e for e in uses if not e.soft), made) - {n})
            self.soft.append(_answers((e for e in uses if e.soft), made) - {n} - self.hard[n])
        tables = {target(unit): n for n, unit in enumerate(self.units) if unit.kind == "table"}
        self.keys = [{tables[k.target] for k in unit.keys if k.target in tables} - {n} for n, unit in enumerate(self.units)]
        self._wait_for_partitions(tables)

    def _wait_for_partitions(self, tables: Mapping[str, int]) -> None:
        """A key to a partitioned table leads to its partitions, too: they cannot go before it does."""
        parts: dict[int, set[int]] = {}
        for n, unit in enumerate(self.units):
            if unit.partition_of in tables:
                parts.setdefault(tables[unit.partition_of], set()).add(n)
        for n, found in enumerate(self.keys):
            more = set(found)
            while more:
                more = {p for o in more for p in parts.get(o, ())} - found - {n}
                found |= more

    def order(self, among: Iterable[int], rank: Mapping[int, tuple[int, str]]) -> list[int]:
        """These units, each after what it needs; keys and late bodies as far as they close no circle."""
        left = sorted(among, key=rank.__getitem__)
        out: list[int] = []
        open_ = set(left)
        while left:
            chosen = next((n for n in left if not (self.hard[n] | self.soft[n] | self.keys[n]) & open_), None)
            if chosen is None:
                chosen = next((n for n in left if not (self.hard[n] | self.soft[n]) & open_), None)
            if chosen is None:
                chosen = next((n for n in left if not self.hard[n] & open_), left[0])
            left.remove(chosen)
            open_.remove(chosen)
            out.append(chosen)
        return out

    def homes(self, tables: Mapping[str, Assigned], said: Mapping[str, str], first: Sequence[str], default: str) -> list[str]:
        """The domain of every unit: of tables as assigned; others go where they can be used from.

        Args:
            said: domains of others than tables, by identity.
            first: domains in their order, those that need nothing first.
        """
        place = {name: n for n, name in enumerate(first)}
        out = [tables[u.name].domain if u.kind == "table" else said.get(u.identity, "") for u in self.units]
        users: list[set[int]] = [set() for _ in self.units]
        for n, needed in enumerate(self.hard):
            for other in needed:
                users[other].add(n)
        moved = True
        while moved:
            moved = False
            for n, home in enumerate(out):
                if home:
                    continue
                above = [out[u] for u in users[n] if out[u]]
                below = [out[u] for u in self.hard[n] | self.soft[n] if out[u]]
                if self.units[n].kind.endswith("view") and below:
                    out[n], moved = max(below, key=lambda d: place.get(d, 0)), True
                elif above:
                    out[n], moved = min(above, key=lambda d: place.get(d, 0)), True
                elif below and not any(not out[u] for u in users[n]):
                    out[n], moved = max(below, key=lambda d: place.get(d, 0)), True
        return [home or default for home in out]

    def requires(self, homes: Sequence[str]) -> dict[str, set[str]]:
        """Which domains each domain needs."""
        out: dict[str, set[str]] = {home: set() for home in homes}
        for n, home in enumerate(homes):
            out[home] |= {homes[o] for o in self.hard[n] | self.keys[n]} - {home}
        return out


def layers(requires: Mapping[str, Iterable[str]], ranks: Sequence[str]) -> list[str]:
    """Domains, each after those that it needs; ties by the order they are given in.

    Raises:
        Refused: some need each other; names the circle.
    """
    for circle in circles(requires):
        raise Refused(
            f"domains would need each other in a circle: {' -> '.join(circle)}",
            hint="put the tables whose keys close it into one domain: --assign TABLES=DOMAIN",
        )
    out: list[str] = []
    left = sorted(requires, key=lambda d: ranks.index(d) if d in ranks else len(ranks))
    while left:
        chosen = next(d for d in left if set(requires[d]) <= set(out))
        left.remove(chosen)
        out.append(chosen)
    return out


def _effects(unit: Unit) -> tuple[Effect, ...]:
    text = ";\n".join(unit.statements([])) + ";"
    source = SourceFile(unit.identity, text, hashlib.sha256(text.encode()).hexdigest())
    return sqlfile.read_script(source, declared=False, direction=Direction.UP).effects


def _places(name: Name, effect: Effect) -> list[tuple[int, str, str]]:
    kind = _KINDS.get(name.kind)
    if kind is None:
        return []
    schemas = [name.schema] if name.schema else list(effect.path)
    return [(kind, schema, name.name) for schema in schemas]


def _answers(effects: Iterable[Effect], made: Mapping[tuple[int, str, str], int]) -> set[int]:
    found = (made.get(at) for effect in effects for at in _places(effect.object, effect))
    return {n for n in found if n is not None}
