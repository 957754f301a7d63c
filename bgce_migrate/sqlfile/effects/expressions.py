"""Expressions: functions, types, constants that name objects, columns, sub-queries."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from bgce_migrate.effect import ObjectKind
from bgce_migrate.sqlfile.effects.reading import Reading, Ref, reference, relation, strings

_LEAVES = frozenset({None, "a_const", "string", "integer", "float", "boolean", "bit_string", "param_ref"})
_WORD = re.compile(r'\s*(?:"((?:[^"]|"")+)"|([^\s."(),\[]+))\s*(\.?)')
_COLUMN_DETAIL = "column of a query"
_NAMING_FUNCTIONS = frozenset({"nextval", "currval", "setval", "pg_get_serial_sequence"})
SWITCHES = frozenset({"role", "session_authorization"})


class Scope:
    """The relations a query's column references can mean, and the WITH names in sight."""

    __slots__ = ("aliases", "ctes", "entries", "outer", "outputs", "single")

    def __init__(self, outer: Scope | None = None) -> None:
        self.outer = outer
        self.aliases: dict[str, Ref | None] = {}
        self.ctes: set[str] = set()
        self.outputs: set[str] = set()
        self.entries = 0
        self.single: Ref | None = None

    def add(self, alias: str, ref: Ref | None) -> None:
        """Enter a FROM item; `ref` is None for anything but a real relation."""
        self.aliases[alias] = ref
        self.entries += 1
        self.single = ref if self.entries == 1 else None

    def is_cte(self, name: str) -> bool:
        """Whether `name` is a WITH query here or further out."""
        scope: Scope | None = self
        while scope is not None:
            if name in scope.ctes:
                return True
            scope = scope.outer
        return False

    def resolve(self, alias: str) -> Ref | None:
        """The relation behind an alias, or None."""
        scope: Scope | None = self
        while scope is not None:
            if alias in scope.aliases:
                return scope.aliases[alias]
            scope = scope.outer
        return None


def expressions(reading: Reading, nodes: Iterable[Any], scope: Scope) -> None:
    """Read expression nodes; a stack instead of recursion, because chains of operators are deep."""
    stack = list(nodes)
    while stack:
        node = stack.pop()
        which = node.WhichOneof("node")
        if which in _LEAVES:
            continue
        message = getattr(node, which)
        special = _SPECIAL.get(which)
        if special is not None:
            special(reading, message, scope, stack)
        else:
            push_children(reading, message, stack)


def expression(reading: Reading, node: Any, scope: Scope | None = None) -> None:
    """Read one expression node."""
    if node.WhichOneof("node") not in _LEAVES:
        expressions(reading, (node,), scope or Scope())


# What to do with a field, by descriptor: 0 nothing, 1 a node, 2 nodes, 3 a message, 4 messages, 5 a type.
_FIELDS: dict[Any, int] = {}


def _field_kind(field: Any) -> int:
    if field.message_type is None:
        return 0
    repeated = field.is_repeated if hasattr(field, "is_repeated") else field.label == 3
    if field.message_type.name == "Node":
        return 2 if repeated else 1
    if field.message_type.name == "TypeName" and not repeated:
        return 5
    if field.message_type.name in ("Alias", "RangeVar"):
        return 0
    return 4 if repeated else 3


def push_children(reading: Reading, message: Any, stack: list[Any]) -> None:
    """Put the nodes directly below a message on the stack."""
    for field, value in message.ListFields():
        kind = _FIELDS.get(field)
        if kind is None:
            kind = _FIELDS[field] = _field_kind(field)
        if kind == 0:
            continue
        if kind == 1:
            stack.append(value)
        elif kind == 2:
            stack.extend(value)
        elif kind == 3:
            push_children(reading, value, stack)
        elif kind == 5:
            reading.use_type(value)
        else:
            for item in value:
                push_children(reading, item, stack)


def qualified(text: str) -> Ref | None:
    """A name inside a string constant, as `regclass` and `nextval` read it."""
    names: list[str] = []
    at = 0
    while match := _WORD.match(text, at):
        quoted, bare, dot = match.groups()
        names.append(quoted.replace('""', '"') if quoted else bare.lower())
        at = match.end()
        if not dot:
            break
    return reference(names) if names and not names[-1].isdigit() else None


def constant(node: Any) -> str | None:
    """The text of a constant expression: a literal, a cast of one, or literals joined by `||`."""
    which = node.WhichOneof("node")
    if which == "a_const":
        return str(node.a_const.sval.sval) if node.a_const.WhichOneof("val") == "sval" else None
    if which == "type_cast":
        return constant(node.type_cast.arg)
    if which == "a_expr" and strings(node.a_expr.name) == ["||"]:
        left, right = constant(node.a_expr.lexpr), constant(node.a_expr.rexpr)
        return None if left is None or right is None else left + right
    return None


def _column_ref(reading: Reading, message: Any, scope: Scope, stack: list[Any]) -> None:
    fields = message.fields
    if fields[-1].WhichOneof("node") != "string":
        return
    names = strings(fields)
    column = names[-1]
    ref: Ref | None
    if len(names) == 1:
        ref = scope.single
        if column in scope.outputs or column in reading.variables:
            return
    elif len(names) == 2:
        ref = scope.resolve(names[0])
    else:
        ref = (names[-3], names[-2])
    if ref is not None:
        reading.use_column(ref, column, message.location, _COLUMN_DETAIL, soft=True)


def _func_call(reading: Reading, message: Any, scope: Scope, stack: list[Any]) -> None:
    ref = reference(strings(message.funcname))
    name = ref[1]
    if ref[0] in (None, "pg_catalog") and message.args:
        if name in _NAMING_FUNCTIONS:
            use_named(reading, ObjectKind.RELATION, constant(message.args[0]), message.location)
        elif name == "set_config":
            _set_config(reading, message)
    reading.use_function(ref, message.location)
    push_children_of_call(reading, message, stack)


def push_children_of_call(reading: Reading, message: Any, stack: list[Any]) -> None:
    """The arguments, filter, order and window of a call; not the nodes of its name."""
    stack.extend(message.args)
    stack.extend(message.agg_order)
    if message.HasField("agg_filter"):
        stack.append(message.agg_filter)
    if message.HasField("over"):
        push_children(reading, message.over, stack)


def _set_config(reading: Reading, message: Any) -> None:
    setting = constant(message.args[0])
    value = constant(message.args[1]) if len(message.args) > 1 else None
    setting = setting.lower() if setting is not None else None
    if setting in SWITCHES:
        reading.fault(
            "role", f"set_config('{setting}', ...) switches the role", message.location, strict_only=True
        )
    elif setting == "search_path" and value is not None and not reading.in_body:
        reading.path = path_of(value.split(","))


def path_of(entries: Iterable[str]) -> tuple[str, ...]:
    """A search path without `"$user"`, the catalog and temporary schemas."""
    names = (entry.strip().strip('"') for entry in entries)
    return tuple(n for n in names if n and n not in ("$user", "pg_catalog") and not n.startswith("pg_temp"))


_REG_KINDS = {
    "regclass": ObjectKind.RELATION,
    "regtype": ObjectKind.TYPE,
    "regproc": ObjectKind.FUNCTION,
    "regprocedure": ObjectKind.FUNCTION,
    "regnamespace": ObjectKind.SCHEMA,
}


def use_named(reading: Reading, kind: ObjectKind, text: str | None, location: int) -> None:
    """USE of the object that a string constant names."""
    ref = qualified(text) if text else None
    if ref is None:
        return
    if kind is ObjectKind.RELATION:
        reading.use_relation(ref, location)
    elif kind is ObjectKind.TYPE:
        reading.use_type_name(ref, location)
    elif kind is ObjectKind.FUNCTION:
        reading.use_function(ref, location)
    else:
        reading.use_schema(ref[1], location)


def _type_cast(reading: Reading, message: Any, scope: Scope, stack: list[Any]) -> None:
    names = strings(message.type_name.names)
    kind = _REG_KINDS.get(names[-1]) if names else None
    text = constant(message.arg) if kind is not None else None
    if kind is not None and text is not None:
        use_named(reading, kind, text, message.location)
        return
    reading.use_type(message.type_name)
    stack.append(message.arg)


def _sub_link(reading: Reading, message: Any, scope: Scope, stack: list[Any]) -> None:
    from bgce_migrate.sqlfile.effects.queries import query

    query(reading, message.subselect, scope)
    if message.HasField("testexpr"):
        stack.append(message.testexpr)


def _a_expr(reading: Reading, message: Any, scope: Scope, stack: list[Any]) -> None:
    if message.HasField("lexpr"):
        stack.append(message.lexpr)
    if message.HasField("rexpr"):
        stack.append(message.rexpr)


def _res_target(reading: Reading, message: Any, scope: Scope, stack: list[Any]) -> None:
    if message.HasField("val"):
        stack.append(message.val)


def _nested_query(reading: Reading, message: Any, scope: Scope, stack: list[Any]) -> None:
    from bgce_migrate.sqlfile.effects.queries import select

    select(reading, message, scope)


def _range_var(reading: Reading, message: Any, scope: Scope, stack: list[Any]) -> None:
    reading.use_relation(relation(message), message.location)


_SPECIAL: dict[str, Callable[[Reading, Any, Scope, list[Any]], None]] = {
    "a_expr": _a_expr,
    "column_ref": _column_ref,
    "func_call": _func_call,
    "range_var": _range_var,
    "res_target": _res_target,
    "select_stmt": _nested_query,
    "sub_link": _sub_link,
    "type_cast": _type_cast,
}
