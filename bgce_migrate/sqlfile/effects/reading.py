"""The state while a file's effects are collected: path, hidden names, lines, what was found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec import Struct

from bgce_migrate.effect import Action, Effect, Name, ObjectKind
from bgce_migrate.sqlfile.effects import builtins
from bgce_migrate.sqlparse import Positions

#: From so many effects on a file of data repeats itself: equal uses are then kept once.
MANY = 5_000
Ref = tuple[str | None, str]  # schema or None, name
# Looking up an Enum member through its class is slow in Python 3.10 and 3.11.
_MAKE, _REPLACE, _USE, _WRITE, _OPAQUE = Action.MAKE, Action.REPLACE, Action.USE, Action.WRITE, Action.OPAQUE
_RELATION, _COLUMN = ObjectKind.RELATION, ObjectKind.COLUMN


class Fault(Struct, frozen=True):
    """Something in a statement that the rules for declared or plain folders judge.

    Attributes:
        kind: "role", "settings", "copy", "constraints", "transaction", "prepared".
        message: what it is, in words.
        strict_only: plain folders may do it.
    """

    kind: str
    message: str
    line: int
    column: int | None = None
    strict_only: bool = False


class Reading:
    """Collects effects; the readers of single statements call its methods.

    `soft`, `detail` and `guarded` say in what context the SQL stands; readers set and restore them.
    """

    __slots__ = (
        "_interned",
        "_seen",
        "_used",
        "column_of",
        "default_path",
        "detail",
        "effects",
        "faults",
        "guarded",
        "in_body",
        "line_of",
        "made",
        "path",
        "soft",
        "statement",
        "statement_line",
        "statement_place",
        "temporary",
        "uncontrolled",
        "variables",
    )

    def __init__(self, schema: str, positions: Positions) -> None:
        self.default_path: tuple[str, ...] = ("public",) if schema == "public" else (schema, "public")
        self.path: tuple[str, ...] = self.default_path
        self.line_of: Callable[[int], int] = positions.line
        # Only known outside of bodies.
        self.column_of: Callable[[int], tuple[int, int]] | None = positions.line_column
        self.statement_place = (1, 1)
        self.effects: list[Effect] = []
        self.faults: list[Fault] = []
        self.temporary: set[str] = set()
        self.made: dict[str, str] = {}
        self.variables: frozenset[str] = frozenset()
        self.statement = 0
        self.statement_line = 1
        self.soft = False
        self.in_body = False
        self.guarded = False
        self.uncontrolled = False
        self.detail = ""
        self._seen: set[tuple[Any, ...]] = set()
        self._used: set[tuple[Any, ...]] = set()
        self._interned: dict[tuple[Any, ...], Name] = {}

    def begin(self, statement: int, line: int, column: int) -> None:
        """Start a top-level statement."""
        self.statement = statement
        self.statement_line = line
        self.statement_place = (line, column)
        self.detail = ""
        self.uncontrolled = False
        self._seen.clear()

    def line(self, location: int) -> int:
        """The line of a byte position in the text that is being read, or the statement's."""
        return self.line_of(location) if location > 0 else self.statement_line

    def home(self, ref: Ref) -> str:
        """The schema of an existing relation, as far as the file tells."""
        schema, name = ref
        return schema or self.made.get(name) or self.make_schema(None)

    def make_schema(self, schema: str | None) -> str:
        """Where a new object goes."""
        if schema:
            return schema
        return self.path[0] if self.path else self.default_path[0]

    def is_hidden(self, ref: Ref) -> bool:
        """A temporary or catalog relation: not part of the order."""
        schema, name = ref
        if schema is None:
            return name in self.temporary
        return builtins.is_foreign_to_order(schema)

    def name(self, kind: ObjectKind, ref: Ref, part: str | None = None) -> Name:
        """An interned `Name`."""
        key = (id(kind), ref, part)  # an Enum hashes slowly
        found = self._interned.get(key)
        if found is None:
            found = self._interned[key] = Name(kind, ref[1], ref[0], part)
        return found

    def emit(
        self,
        action: Action,
        name: Name,
        location: int = 0,
        *,
        detail: str | None = None,
        soft: bool | None = None,
        to: Name | None = None,
        optional: bool = False,
        cascade: bool = False,
        relation_kind: str = "",
        signature: str | None = None,
    ) -> None:
        """Add one effect, once per statement; bodies that run later only use or write."""
        if soft is None:
            soft = self.soft
        if detail is None:
            detail = self.detail
        if self.in_body and action not in (_USE, _WRITE, _OPAQUE):
            if action in (_MAKE, _REPLACE):
                return
            action, to, optional, cascade = _USE, None, False, False
        elif self.guarded:
            if action is _MAKE:
                action = _REPLACE
            optional = optional or action in (_REPLACE, Action.DROP, Action.RENAME)
        key = (id(action), id(name), soft, detail, to, signature)  # names are interned
        if key in self._seen:
            return
        self._seen.add(key)
        if len(self.effects) > MANY:
            if action not in (_USE, _WRITE):
                self._used.clear()
            elif key in self._used:
                return
            else:
                self._used.add(key)
        self.effects.append(
            Effect(
                action,
                name,
                self.line_of(location) if location > 0 else self.statement_line,
                self.statement,
                soft,
                detail,
                to,
                self.path,
                optional,
                cascade,
                relation_kind,
                signature,
            )
        )

    def make_column(self, action: Action, table: Ref, column: str, location: int, optional: bool) -> None:
        """MAKE or REPLACE a column of a table: most of all effects, so on a short way."""
        name = self.name(_COLUMN, table, column)
        if self.in_body or self.guarded or len(self.effects) > MANY:
            self.emit(action, name, location, detail="", optional=optional)
            return
        soft = self.soft
        key = (id(action), id(name), soft, "", None, None)
        if key in self._seen:
            return
        self._seen.add(key)
        line = self.line_of(location) if location > 0 else self.statement_line
        self.effects.append(Effect(action, name, line, self.statement, soft, "", None, self.path, optional))

    def use_relation(
        self, ref: Ref, location: int = 0, detail: str | None = None, signature: str | None = None
    ) -> None:
        """USE of a table, view or sequence, unless it is hidden or the catalog's."""
        if self.is_hidden(ref) or (ref[0] is None and ref[1] in builtins.RELATIONS):
            return
        self.emit(
            _USE, self.name(_RELATION, ref), location, detail=detail, signature=signature
        )

    def use_column(
        self, ref: Ref, column: str, location: int = 0, detail: str | None = None, soft: bool | None = None
    ) -> None:
        """USE of a column of a relation."""
        if self.is_hidden(ref) or column in builtins.SYSTEM_COLUMNS:
            return
        if ref[0] is None and ref[1] in builtins.RELATIONS:
            return
        self.emit(_USE, self.name(_COLUMN, ref, column), location, detail=detail, soft=soft)

    def use_function(self, ref: Ref, location: int = 0, detail: str | None = None) -> None:
        """USE of a function, unless it is built in."""
        schema, name = ref
        if builtins.is_foreign_to_order(schema) or (schema is None and name in builtins.FUNCTIONS):
            return
        self.emit(_USE, self.name(ObjectKind.FUNCTION, ref), location, detail=detail)

    def use_type_name(self, ref: Ref, location: int = 0, detail: str | None = None) -> None:
        """USE of a type by name, unless it is built in."""
        schema, name = ref
        if builtins.is_foreign_to_order(schema):
            return
        if schema is None:
            bare = name.removeprefix("_")
            if bare in builtins.TYPES or name in builtins.SERIALS or name in self.temporary:
                return
        self.emit(_USE, self.name(ObjectKind.TYPE, ref), location, detail=detail)

    def use_schema(self, schema: str | None, location: int = 0) -> None:
        """USE of a schema that something is made in."""
        if schema and schema != "public" and not builtins.is_foreign_to_order(schema):
            name = self.name(ObjectKind.SCHEMA, (None, schema))
            self.emit(_USE, name, location, detail="schema")

    def opaque(self, why: str, location: int = 0) -> None:
        """Something that cannot be seen through."""
        name = self.name(ObjectKind.FUNCTION, (None, ""))
        self.emit(_OPAQUE, name, location, detail=why)

    def fault(self, kind: str, message: str, location: int = 0, *, strict_only: bool = False) -> None:
        """Note something that may be refused."""
        if self.in_body and kind != "role":
            return
        line, column = self.statement_line, None
        if self.column_of is not None:
            line, column = self.column_of(location) if location > 0 else self.statement_place
        elif location > 0:
            line = self.line_of(location)
        self.faults.append(Fault(kind, message, line, column, strict_only))

    def use_type(self, type_name: Any, detail: str | None = None) -> None:
        """USE of what a TypeName message names (`t.c%TYPE` uses the column)."""
        names = strings(type_name.names)
        if not names:
            return
        location = type_name.location
        if type_name.pct_type:
            ref = reference(names[:-1])
            self.use_relation(ref, location, detail)
            self.use_column(ref, names[-1], location, detail)
        else:
            self.use_type_name(reference(names), location, detail)


def strings(nodes: Sequence[Any]) -> list[str]:
    """The texts of String nodes."""
    # A slice is a list at once; a walk over what protobuf repeats ends with an error that it has to make.
    return [node.string.sval for node in nodes[:]]


def reference(names: list[str]) -> Ref:
    """Schema and name of a dotted name; a database before them is ignored."""
    return (names[-2] if len(names) > 1 else None, names[-1])


def signature(type_names: Iterable[Any]) -> str:
    """The argument types of a function in one spelling, see `Effect.signature`."""
    return ",".join(strings(t.names)[-1] + ("[]" if t.array_bounds else "") for t in type_names)


def relation(range_var: Any) -> Ref:
    """Schema and name of a RangeVar."""
    return (range_var.schemaname or None, range_var.relname)
