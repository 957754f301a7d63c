"""What a script makes that rights must be given on, as far as its text tells."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from bgce_migrate.access import Grant
from bgce_migrate.domain import Domain
from bgce_migrate.effect import IDENTITY, Action, Effect, ObjectKind
from bgce_migrate.grants.model import Right, Securable, SecurableKind
from bgce_migrate.grants.wanted import for_functions, for_tables
from bgce_migrate.migration import Statement
from bgce_migrate.registry import Registry

#: Statements that may make anything at all without saying so.
_HIDING = frozenset({"DoStmt", "SelectStmt", "CallStmt", "ExecuteStmt", "Opaque"})
#: Columns come from elsewhere.
_BORROWED = frozenset({"like", "inherits", "partition", "table of a type"})
_MAKES = frozenset({Action.MAKE, Action.REPLACE})


class Made(Struct, frozen=True):
    """Relations of one domain's own schema, by name.

    Attributes:
        tables: new tables, each with its columns in order.
        widened: columns added to tables that exist.
        sequences: new sequences by table; under "" those of no table.
        functions: new functions whose arguments the text names.
        told: every relation that the text names: what a step locks beside these, it has made or changed in hiding.
        unsure: tables whose columns the text does not tell.
        hides: whether a statement may make what nobody reads here.
    """

    tables: dict[str, list[str]]
    widened: dict[str, list[str]]
    sequences: dict[str, list[str]]
    functions: tuple[Securable, ...] = ()
    told: frozenset[str] = frozenset()
    unsure: frozenset[str] = frozenset()
    hides: bool = False

    def rights(self, registry: Registry, domain: Domain, extra: Iterable[Grant]) -> tuple[Right, ...]:
        """The rights on what the text tells for certain."""
        sure = {name: columns for name, columns in self.tables.items() if name not in self.unsure}
        wider = {name: columns for name, columns in self.widened.items() if name not in self.unsure}
        return (
            *for_tables(registry, domain, sure, self.sequences, widened=wider, extra=extra),
            *for_functions(registry, domain, self.functions),
        )


def made(domain: Domain, effects: Sequence[Effect], statements: Sequence[Statement]) -> Made:
    """Read a script's effects in their order; schemas other than the domain's are left to `grants apply`."""
    reader = _Reader(domain)
    for effect in effects:
        if effect.object.schema in (None, domain.schema):
            reader.read(effect)
        elif effect.object.kind is ObjectKind.TYPE:
            reader.foreign_types.add(effect.statement)
    return reader.made(any(s.kind in _HIDING for s in statements))


class _Reader:
    """Gathers what a script makes."""

    def __init__(self, domain: Domain) -> None:
        self.domain = domain
        self.tables: dict[str, list[str]] = {}
        self.widened: dict[str, list[str]] = {}
        self.sequences: dict[str, list[str]] = {}
        self.functions: dict[Securable, int] = {}
        self.told: set[str] = set()
        self.unsure: set[str] = set()
        #: Statements that name a type elsewhere: a signature leaves schemas out.
        self.foreign_types: set[int] = set()
        self._last = ""  # the table whose column was made just before
        self._maker: dict[int, str] = {}  # the table that a statement makes

    def read(self, effect: Effect) -> None:
        """Take in the next effect."""
        kind = effect.object.kind
        if kind is ObjectKind.RELATION:
            self._relation(effect, effect.object.name)
        elif kind is ObjectKind.COLUMN:
            self._column(effect, effect.object.name, effect.object.part or "")
        elif kind is ObjectKind.FUNCTION and effect.object.name:
            self._function(effect)

    def _relation(self, effect: Effect, name: str) -> None:
        self.told.add(name)
        if effect.action in _MAKES and effect.relation_kind == "sequence":
            if effect.detail == IDENTITY:
                return  # needs no right
            # A serial column's own comes right behind it; cut where the names are long.
            own = self._last and name.startswith(f"{self._last}_"[:29])
            self.sequences.setdefault(self._last if own else "", []).append(name)
        elif effect.action in _MAKES and effect.relation_kind != "index":
            self.tables[name] = []
            self._maker[effect.statement] = name
            if effect.action is Action.REPLACE or effect.optional:
                self.unsure.add(name)  # it may be there, and look different
        elif effect.action is Action.RENAME and effect.to is not None:
            self.told.add(effect.to.name)
            self.unsure |= {name, effect.to.name}
            self.tables.pop(name, None)
            self.widened.pop(name, None)
        elif effect.action is Action.DROP:
            self.tables.pop(name, None)
            self.widened.pop(name, None)
            self.sequences = {t: [s for s in names if s != name] for t, names in self.sequences.items() if t != name}
        elif effect.detail in _BORROWED and effect.statement in self._maker:
            self.unsure.add(self._maker[effect.statement])

    def _column(self, effect: Effect, table: str, column: str) -> None:
        if effect.action in _MAKES:
            self._last = table
            where = self.tables if table in self.tables else self.widened
            where.setdefault(table, []).append(column)
            if where is self.widened and is_narrowed(self.domain, table, column):
                self.unsure.add(table)
        elif effect.action in (Action.RENAME, Action.DROP):
            self.unsure.add(table)

    def _function(self, effect: Effect) -> None:
        if effect.action in _MAKES and effect.signature is not None:
            arguments = effect.signature.replace(",", ", ")
            on = Securable(SecurableKind.FUNCTION, self.domain.schema, effect.object.name, arguments)
            self.functions[on] = effect.statement
        elif effect.action in (Action.DROP, Action.RENAME):
            self.functions = {on: n for on, n in self.functions.items() if on.name != effect.object.name}

    def made(self, hides: bool) -> Made:
        """What was gathered."""
        self.unsure |= {name for name, columns in self.tables.items() if not columns}
        functions = tuple(on for on, n in self.functions.items() if n not in self.foreign_types)
        # Columns decide for declared tables alone.
        unsure = frozenset(self.unsure & self.domain.tables.keys())
        return Made(self.tables, self.widened, self.sequences, functions, frozenset(self.told), unsure, hides)


def is_narrowed(domain: Domain, table: str, column: str) -> bool:
    """Whether the column has a class above public: who reads the whole table must not from now on."""
    return table in domain.tables and domain.tables[table].columns.get(column, "public") != "public"
