"""Kinds of objects in SQL's words, and the names behind the parser's many spellings of an object."""

from __future__ import annotations

from typing import Any

from bgce_migrate.lint.facts.reader import reference, strings
from bgce_migrate.lint.facts.values import Ref
from bgce_migrate.sqlparse import pb

_WORDS = {
    "OBJECT_MATVIEW": "materialized view",
    "OBJECT_TABCONSTRAINT": "constraint",
    "OBJECT_DOMCONSTRAINT": "domain constraint",
    "OBJECT_STATISTIC_EXT": "statistics",
}
#: ObjectType to SQL's words in lower case.
KINDS: dict[int, str] = {
    value: _WORDS.get(name, name.removeprefix("OBJECT_").lower().replace("_", " "))
    for name, value in pb.ObjectType.items()
}


def object_ref(node: Any) -> Ref:
    """Schema and name of an object as DROP, COMMENT and ALTER give it."""
    which = node.WhichOneof("node")
    if which == "list":
        return reference(strings(node.list.items) or [""])
    if which == "string":
        return (None, node.string.sval)
    if which == "type_name":
        return reference(strings(node.type_name.names))
    if which == "object_with_args":
        return reference(strings(node.object_with_args.objname))
    if which == "range_var":
        return (node.range_var.schemaname or None, node.range_var.relname)
    return (None, "")


def part_ref(node: Any) -> tuple[Ref, str]:
    """Table and part of a trigger, policy, rule, column or constraint name."""
    names = strings(node.list.items)
    return reference(names[:-1] or [""]), names[-1]
