"""Columns and constraints, as CREATE TABLE and ALTER TABLE share them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bgce_migrate.effect import IDENTITY, Action, ObjectKind
from bgce_migrate.sqlfile.effects.builtins import SERIALS
from bgce_migrate.sqlfile.effects.expressions import Scope, expression
from bgce_migrate.sqlfile.effects.reading import Reading, Ref, reference, relation, strings
from bgce_migrate.sqlparse import pb

NAME_BYTES = 63
_NOT_NULL, _PRIMARY, _FOREIGN = pb.CONSTR_NOTNULL, pb.CONSTR_PRIMARY, pb.CONSTR_FOREIGN
# Looking up an Enum member through its class is slow in Python 3.10 and 3.11.
_MAKE, _REPLACE, _USE, _KEY = Action.MAKE, Action.REPLACE, Action.USE, ObjectKind.KEY
_KEYS = frozenset({pb.CONSTR_PRIMARY, pb.CONSTR_UNIQUE})
_EXPRESSIONS = {
    pb.CONSTR_CHECK: "check",
    pb.CONSTR_DEFAULT: "default",
    pb.CONSTR_GENERATED: "generated column",
}


def column(reading: Reading, owner: Ref, definition: Any, action: Action, optional: bool) -> None:
    """A column of a table: MAKE it, its sequence, keys and what its expressions use."""
    name = definition.colname
    reading.make_column(action, owner, name, definition.location, optional)
    _column_type(reading, owner, name, definition.type_name, optional)
    if definition.HasField("raw_default"):
        expression(reading, definition.raw_default)
    if constraints := definition.constraints:
        for node in constraints[:]:
            item = node.constraint
            if item.contype != _NOT_NULL:
                constraint(reading, owner, item, column=name, optional=optional)


def _column_type(reading: Reading, owner: Ref, column_name: str, type_name: Any, optional: bool) -> None:
    parts = type_name.names
    count = len(parts)
    first = parts[0].string.sval if count else ""
    # Most types are the catalog's own, and those are nobody's effect.
    if count == 2 and first == "pg_catalog":
        return
    if count == 1 and first in SERIALS:
        make_sequence(
            reading, (owner[0], object_name(owner[1], column_name, "seq")), type_name.location, optional
        )
    else:
        reading.use_type(type_name, "column type")


def make_sequence(reading: Reading, ref: Ref, location: int, optional: bool = False, detail: str = "") -> None:
    """MAKE a sequence that belongs to a column; of an identity column, which needs no right on it, `detail` says so."""
    if reading.is_hidden(ref):
        return
    action = Action.REPLACE if optional else Action.MAKE
    name = reading.name(ObjectKind.RELATION, (reading.make_schema(ref[0]), ref[1]))
    reading.emit(action, name, location, detail=detail, optional=optional, relation_kind="sequence")


def object_name(table: str, part: str, label: str) -> str:
    """`table_part_label`, shortened to 63 bytes as the server does: the longer name gives first."""
    room = NAME_BYTES - len(label) - 1 - (1 if part else 0)
    first, second = table.encode(), part.encode()
    over = len(first) + len(second) - room
    while over > 0:
        if len(first) > len(second):
            first = first[:-1]
        else:
            second = second[:-1]
        over -= 1
    parts = [first.decode(errors="ignore"), second.decode(errors="ignore"), label]
    return "_".join(p for p in parts if p)


def constraint(
    reading: Reading, owner: Ref, item: Any, *, column: str | None = None, optional: bool = False
) -> None:
    """One constraint, of a column if `column` is given, else of the table."""
    kind = item.contype
    if kind == _NOT_NULL:
        return
    if kind in _KEYS:
        columns = [column] if column else strings(item.keys)
        if columns:
            make_key(reading, owner, columns, item.location, optional, primary=kind == _PRIMARY)
        if item.indexname:
            reading.use_relation((owner[0], item.indexname), item.location, "index of a constraint")
    elif kind == _FOREIGN:
        _foreign_key(reading, item)
    elif kind == pb.CONSTR_IDENTITY and column:
        _identity(reading, owner, column, item, optional)
    elif kind == pb.CONSTR_EXCLUSION:
        _exclusion(reading, owner, item)
    elif kind in _EXPRESSIONS:
        before, reading.detail = reading.detail, _EXPRESSIONS[kind]
        expression(reading, item.raw_expr, _own_scope(owner))
        reading.detail = before


def _own_scope(owner: Ref) -> Scope:
    scope = Scope()
    scope.add(owner[1], None)
    return scope


def make_key(
    reading: Reading,
    owner: Ref,
    columns: Sequence[str | None],
    location: int,
    optional: bool = False,
    *,
    primary: bool = False,
) -> None:
    """MAKE a unique key of a table; the primary one is what a foreign key without columns refers to."""
    if reading.is_hidden(owner):
        return
    part = ",".join(sorted([c for c in columns if c]))
    action = _REPLACE if optional else _MAKE
    reading.emit(action, reading.name(_KEY, owner, part), location, detail="primary key" if primary else "", optional=optional)


def _foreign_key(reading: Reading, item: Any) -> None:
    table = item.pktable
    parent, location = relation(table), table.location
    columns = strings(item.pk_attrs)
    # Told apart, because one statement may make a key of each kind to one table.
    reading.use_relation(parent, location, "foreign key", None if columns else "")
    for name in columns:
        reading.use_column(parent, name, location, "foreign key")
    if columns and not reading.is_hidden(parent):
        key = reading.name(_KEY, parent, ",".join(sorted(columns)))
        reading.emit(_USE, key, location, detail="foreign key")


def _identity(reading: Reading, owner: Ref, column_name: str, item: Any, optional: bool) -> None:
    ref: Ref = (owner[0], object_name(owner[1], column_name, "seq"))
    for node in item.options:
        if node.def_elem.defname == "sequence_name":
            given = reference(strings(node.def_elem.arg.list.items))
            ref = (given[0] or owner[0], given[1])
    make_sequence(reading, ref, item.location, optional, IDENTITY)


def _exclusion(reading: Reading, owner: Ref, item: Any) -> None:
    before, reading.detail = reading.detail, "exclusion constraint"
    scope = _own_scope(owner)
    for node in item.exclusions:
        element = node.list.items[0].index_elem
        if element.HasField("expr"):
            expression(reading, element.expr, scope)
    if item.HasField("where_clause"):
        expression(reading, item.where_clause, scope)
    reading.detail = before
