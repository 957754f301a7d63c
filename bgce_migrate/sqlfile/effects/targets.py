"""The object that COMMENT, DROP, GRANT, RENAME and OWNER name, by kind of object."""

from __future__ import annotations

from typing import Any

from bgce_migrate.effect import Name, ObjectKind
from bgce_migrate.sqlfile.effects import builtins
from bgce_migrate.sqlfile.effects.reading import Reading, Ref, reference, strings
from bgce_migrate.sqlparse import pb

RELATION_KINDS: dict[int, str] = {
    pb.OBJECT_TABLE: "table",
    pb.OBJECT_FOREIGN_TABLE: "table",
    pb.OBJECT_VIEW: "view",
    pb.OBJECT_MATVIEW: "matview",
    pb.OBJECT_SEQUENCE: "sequence",
    pb.OBJECT_INDEX: "index",
}
_TYPE_KINDS = frozenset({pb.OBJECT_TYPE, pb.OBJECT_DOMAIN})
_FUNCTION_KINDS = frozenset({pb.OBJECT_FUNCTION, pb.OBJECT_PROCEDURE, pb.OBJECT_ROUTINE, pb.OBJECT_AGGREGATE})
#: Parts of a table: their list is the table's name and then their own.
_PARTS = frozenset({pb.OBJECT_TABCONSTRAINT, pb.OBJECT_POLICY, pb.OBJECT_RULE})


def relation_kind(object_type: int) -> str:
    """The word for `Effect.relation_kind`, or ""."""
    return RELATION_KINDS.get(object_type, "")


def dotted(node: Any) -> list[str]:
    """The parts of a name, however the grammar wraps it."""
    which = node.WhichOneof("node")
    if which == "list":
        return strings(node.list.items)
    if which == "string":
        return [node.string.sval]
    if which == "type_name":
        return strings(node.type_name.names)
    if which == "object_with_args":
        return strings(node.object_with_args.objname)
    if which == "range_var":
        schema = node.range_var.schemaname
        return [schema, node.range_var.relname] if schema else [node.range_var.relname]
    return []


def object_names(reading: Reading, object_type: int, node: Any) -> list[Name]:
    """The names that an object of this type takes part in the order with; [] for other types.

    A policy, rule or constraint stands for its table; a column comes with its table.
    """
    names = dotted(node)
    if not names:
        return []
    if object_type in _FUNCTION_KINDS:
        ref = reference(names)
        if builtins.is_foreign_to_order(ref[0]):
            return []
        return [reading.name(ObjectKind.FUNCTION, ref)]
    if object_type in _TYPE_KINDS:
        return _type_name(reading, reference(names))
    if object_type == pb.OBJECT_SCHEMA:
        return [reading.name(ObjectKind.SCHEMA, (None, names[-1]))]
    if object_type == pb.OBJECT_EXTENSION:
        return [reading.name(ObjectKind.EXTENSION, (None, names[-1]))]
    if object_type == pb.OBJECT_DOMCONSTRAINT:
        return []
    return _of_relation(reading, object_type, names)


def _type_name(reading: Reading, ref: Ref) -> list[Name]:
    if builtins.is_foreign_to_order(ref[0]) or (ref[0] is None and ref[1] in builtins.TYPES):
        return []
    return [reading.name(ObjectKind.TYPE, ref)]


def _of_relation(reading: Reading, object_type: int, names: list[str]) -> list[Name]:
    part: str | None = None
    if object_type in RELATION_KINDS:
        ref = reference(names)
    elif object_type in _PARTS or object_type in (pb.OBJECT_COLUMN, pb.OBJECT_TRIGGER):
        if len(names) < 2:
            return []
        ref, part = reference(names[:-1]), names[-1]
    else:
        return []
    if reading.is_hidden(ref) or (ref[0] is None and ref[1] in builtins.RELATIONS):
        return []
    table = reading.name(ObjectKind.RELATION, ref)
    if object_type == pb.OBJECT_COLUMN:
        return [table, reading.name(ObjectKind.COLUMN, ref, part)]
    if object_type == pb.OBJECT_TRIGGER:
        return [reading.name(ObjectKind.TRIGGER, ref, part)]
    return [table]
