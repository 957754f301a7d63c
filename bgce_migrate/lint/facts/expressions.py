"""Expressions: the columns they read, the functions they call, what a check proves, how a default behaves."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bgce_migrate.lint.facts.reader import reference, strings
from bgce_migrate.lint.facts.values import Ref
from bgce_migrate.sqlparse import pb

#: Built-in functions whose result changes within a statement, and those of uuid-ossp and pgcrypto.
VOLATILE = frozenset(
    [
        "clock_timestamp",
        "currval",
        "gen_random_uuid",
        "lastval",
        "nextval",
        "pg_sleep",
        "pg_sleep_for",
        "pg_sleep_until",
        "random",
        "random_normal",
        "setseed",
        "setval",
        "timeofday",
        "uuidv4",
        "uuidv7",
        "gen_random_bytes",
        "gen_salt",
        "uuid_generate_v1",
        "uuid_generate_v1mc",
        "uuid_generate_v4",
    ]
)
_LEAVES = frozenset({None, "a_const", "param_ref", "sqlvalue_function", "set_to_default", "a_star"})
_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "=": "="}


class Seen:
    """What an expression mentions."""

    __slots__ = ("calls", "columns", "current", "queries", "refs")

    def __init__(self) -> None:
        self.columns: list[str] = []
        self.calls: list[tuple[Ref, Any]] = []
        self.queries: list[Any] = []
        self.refs: list[tuple[str, str]] = []
        self.current = False


def look(nodes: Iterable[Any], seen: Seen | None = None) -> Seen:
    """Read expression nodes; a stack instead of recursion, because chains of operators are deep."""
    seen = seen or Seen()
    stack = list(nodes)
    while stack:
        node = stack.pop()
        which = node.WhichOneof("node")
        if which in _LEAVES:
            seen.current = seen.current or which == "sqlvalue_function"
            continue
        value = getattr(node, which)
        if which == "column_ref":
            last = value.fields[-1]
            plain = last.WhichOneof("node") == "string"
            if plain:
                seen.columns.append(last.string.sval)
            qualifier = value.fields[-2].string.sval if len(value.fields) > 1 else ""
            seen.refs.append((qualifier, last.string.sval if plain else "*"))
        elif which == "func_call":
            seen.calls.append((reference(strings(value.funcname)), value))
            stack.extend(value.args)
        elif which == "a_expr":
            stack += (value.rexpr, value.lexpr)
        elif which in ("type_cast", "null_test", "collate_clause", "boolean_test", "named_arg_expr"):
            stack.append(value.arg)
        elif which == "sub_link":
            seen.queries.append(value.subselect)
            stack.append(value.testexpr)
        else:
            stack.extend(_children(value))
    return seen


def _children(message: Any) -> list[Any]:
    """The nodes right under a message of a rare kind."""
    found: list[Any] = []
    for field, value in message.ListFields():
        if field.message_type is None:
            continue
        for item in value if hasattr(value, "append") else (value,):
            if field.message_type.name == "Node":
                found.append(item)
            else:
                found.extend(_children(item))
    return found


def columns_of(node: Any) -> tuple[str, ...]:
    """The columns an expression reads, each once, in order."""
    return tuple(dict.fromkeys(reversed(look([node]).columns)))


def default_of(node: Any) -> tuple[str, Ref | None]:
    """How a default behaves, and the function that decides; see `Column.default`."""
    kind = node.WhichOneof("node")
    if kind == "a_const":
        return ("null" if node.a_const.isnull else "constant"), None
    seen = look([node])
    names = [ref for ref, _ in seen.calls]
    for ref in names:
        if ref[1] in VOLATILE and ref[0] in (None, "pg_catalog", "public"):
            return ("sequence" if ref[1] == "nextval" else "volatile"), ref
    own = [ref for ref in names if ref[0] != "pg_catalog"]
    if own:
        # Whether it is one of the server's own stable functions shows in the replay: those are not in it.
        return "unknown", own[0]
    return ("stable" if names or seen.current else "constant"), None


def constant(node: Any) -> str | None:
    """The text of a constant, also a cast one and a negative number; None for anything else."""
    which = node.WhichOneof("node")
    if which == "type_cast":
        return constant(node.type_cast.arg)
    if which == "a_expr" and strings(node.a_expr.name) == ["-"] and not node.a_expr.HasField("lexpr"):
        inner = constant(node.a_expr.rexpr)
        return None if inner is None else f"-{inner}"
    if which != "a_const":
        return None
    value = node.a_const
    kind = value.WhichOneof("val")
    if value.isnull or kind is None:
        return "NULL"
    if kind == "ival":
        return str(value.ival.ival)
    if kind == "fval":
        return str(value.fval.fval)
    if kind == "boolval":
        return str(value.boolval.boolval).lower()
    return str(value.sval.sval if kind == "sval" else value.bsval.bsval)


def _column(node: Any) -> str | None:
    which = node.WhichOneof("node")
    if which == "type_cast":
        return _column(node.type_cast.arg)
    if which != "column_ref" or node.column_ref.fields[-1].WhichOneof("node") != "string":
        return None
    return str(node.column_ref.fields[-1].string.sval)


def conjuncts(node: Any) -> tuple[tuple[str, ...], tuple[tuple[str, str, str], ...]]:
    """What a check proves: columns that are not null, and terms (column, operator, constant)."""
    not_nulls: list[str] = []
    terms: list[tuple[str, str, str]] = []
    stack = [node]
    while stack:
        part = stack.pop()
        which = part.WhichOneof("node")
        if which == "bool_expr" and part.bool_expr.boolop == pb.AND_EXPR:
            stack.extend(part.bool_expr.args)
        elif which == "null_test" and part.null_test.nulltesttype == pb.IS_NOT_NULL:
            column = _column(part.null_test.arg)
            if column:
                not_nulls.append(column)
        elif which == "a_expr":
            terms.extend(_term(part.a_expr))
    return tuple(sorted(not_nulls)), tuple(sorted(terms))


def _term(test: Any) -> list[tuple[str, str, str]]:
    operator = strings(test.name)[-1]
    left, right = _column(test.lexpr), _column(test.rexpr)
    if test.kind == pb.AEXPR_IN and left and operator == "=":
        values = [constant(item) for item in test.rexpr.list.items]
        if all(value is not None for value in values):
            return [(left, "in", "\x1f".join(sorted(str(value) for value in values)))]
    if test.kind != pb.AEXPR_OP or operator not in _TURNED:
        return []
    if left and (value := constant(test.rexpr)) is not None:
        return [(left, operator, value)]
    if right and (value := constant(test.lexpr)) is not None:
        return [(right, _TURNED[operator], value)]
    return []
