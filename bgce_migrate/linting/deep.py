"""What stands deeper in a file than effects and facts look: calls, row locks, statements in function bodies."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from msgspec import Struct, field

from bgce_migrate.lint.ownership.values import Call, Inner, RowLock
from bgce_migrate.sqlfile.effects.bodies import executed_text
from bgce_migrate.sqlfile.effects.expressions import constant
from bgce_migrate.sqlparse import (
    BodyQuery,
    Parsed,
    Positions,
    SqlSyntaxError,
    node_kind,
    parse_nodes,
    pb,
    read_body,
)

#: Files with one of these words are walked through; U& may spell any of them in other letters, and a comment may
#: stand between FOR and UPDATE. Plain words, because a pattern of them all costs more than parsing.
_WORDS = ("set_config", "lo_import", "lo_export", "dblink", "u&", "/*")
#: Those of the server's own functions, looked for where any of them can be.
_SERVERS = "pg_"
_SERVER_WORDS = (
    "pg_advisory", "pg_terminate", "pg_cancel", "pg_read", "pg_ls_", "pg_stat_file", "pg_write", "pg_reload", "pg_switch",
    "pg_create", "pg_drop", "pg_logical", "pg_replication", "pg_promote", "pg_rotate", "pg_file",
)  # fmt: skip
_LOCKING = re.compile(r"for(?:\s|--[^\n]*\n)+(?:update|share|no|key)\b")
#: Statements that hold others, in which no word can be told beforehand.
_HOLDERS = frozenset({"CreateFunctionStmt", "DoStmt", "CreateSchemaStmt"})
_MAX_DEPTH = 8


class Deep(Struct):
    """What was found."""

    calls: list[Call] = field(default_factory=list)
    row_locks: list[RowLock] = field(default_factory=list)
    inner: list[Inner] = field(default_factory=list)


class _Place(Struct):
    """Where the SQL at hand stands: `line_of` turns its byte positions into lines of the file."""

    deep: Deep
    statement: int
    line: int
    line_of: Callable[[int], int]
    inside: str = ""
    depth: int = 0

    def at(self, location: int) -> int:
        return self.line_of(location) if location > 0 else self.line


def look(text: str, parsed: Sequence[Parsed], positions: Positions) -> Deep:
    """Look at a whole file that somebody has parsed already."""
    deep = Deep()
    suspect = _is_suspect(text.lower())
    for index, found in enumerate(parsed):
        if not suspect and found.kind not in _HOLDERS:
            continue
        line = positions.line(found.start)
        _statement(_Place(deep, index, line, positions.line), found.kind, found.node)
    return deep


def _is_suspect(lowered: str) -> bool:
    if _SERVERS in lowered and any(word in lowered for word in _SERVER_WORDS):
        return True
    return any(word in lowered for word in _WORDS) or _LOCKING.search(lowered) is not None


def _statement(place: _Place, kind: str, node: Any) -> None:
    if kind == "CreateFunctionStmt":
        _function(place, node)
    elif kind == "DoStmt":
        _do(place, node)
    elif kind in ("ExplainStmt", "PrepareStmt", "DeclareCursorStmt"):
        _statement(place, *node_kind(node.query))
    else:
        if place.inside:
            place.deep.inner.append(_inner(place, kind, node))
        _walk(place, node)


def _walk(place: _Place, root: Any) -> None:
    """All calls and row locks below a message."""
    stack = [root]
    while stack:
        message = stack.pop()
        name = message.DESCRIPTOR.name
        if name == "Node":
            which = message.WhichOneof("node")
            if which is not None:
                stack.append(getattr(message, which))
            continue
        if name == "FuncCall":
            place.deep.calls.append(_call(place, message))
        elif name == "SelectStmt" and message.locking_clause:
            place.deep.row_locks += _row_locks(place, message)
        for descriptor, value in message.ListFields():
            if descriptor.message_type is None:
                continue
            if hasattr(value, "ListFields"):
                stack.append(value)
            else:
                stack.extend(value)


def _call(place: _Place, message: Any) -> Call:
    names = [n.string.sval for n in message.funcname]
    arguments = tuple(constant(a) for a in message.args)
    schema = names[-2] if len(names) > 1 else None
    return Call(names[-1], schema, arguments, place.at(message.location), place.statement, place.inside)


def _row_locks(place: _Place, select: Any) -> Iterator[RowLock]:
    tables: dict[str, Any] = {}
    stack = list(select.from_clause)
    while stack:
        node = stack.pop()
        which = node.WhichOneof("node")
        if which == "join_expr":
            stack += [node.join_expr.larg, node.join_expr.rarg]
        elif which == "range_var":
            item = node.range_var
            tables[item.alias.aliasname if item.HasField("alias") else item.relname] = item
    for node in select.locking_clause:
        named = [n.range_var.relname for n in node.locking_clause.locked_rels]
        for alias in named or list(tables):
            if (item := tables.get(alias)) is not None:
                line = place.at(item.location)
                yield RowLock(item.schemaname or None, item.relname, line, place.statement, place.inside)


def _inner(place: _Place, kind: str, node: Any) -> Inner:
    schema, name, words = None, "", ()
    if kind == "VariableSetStmt":
        values = [n.a_const.sval.sval for n in node.args if n.WhichOneof("node") == "a_const"]
        reset = node.kind in (pb.VAR_RESET, pb.VAR_RESET_ALL)
        words = (("reset" if reset else "set"), node.name.lower() or "all", *values)
    elif "relation" in node.DESCRIPTOR.fields_by_name and node.DESCRIPTOR.fields_by_name["relation"].message_type:
        relation = node.relation
        if relation.DESCRIPTOR.name == "RangeVar":
            schema, name = relation.schemaname or None, relation.relname
    elif kind == "DropStmt" and node.objects:
        first = node.objects[0]
        which = first.WhichOneof("node")
        if which == "list":
            names = [n.string.sval for n in first.list.items]
            schema, name = (names[-2] if len(names) > 1 else None), names[-1]
        elif which == "type_name":
            names = [n.string.sval for n in first.type_name.names]
            schema, name = (names[-2] if len(names) > 1 else None), names[-1]
    return Inner(kind, schema, name, tuple(words), place.line, place.statement, place.inside)


def _do(place: _Place, node: Any) -> None:
    options = {n.def_elem.defname: n.def_elem for n in node.args}
    language = options["language"].arg.string.sval.lower() if "language" in options else "plpgsql"
    if language == "plpgsql" and "as" in options:
        code = options["as"]
        body = _Place(place.deep, place.statement, place.at(code.location), place.line_of, place.inside or "DO", place.depth)
        _plpgsql(body, code.arg.string.sval, "do", False, (), "")


def _function(place: _Place, node: Any) -> None:
    options = {n.def_elem.defname: n.def_elem for n in node.options}
    name = node.funcname[-1].string.sval
    inside = f"function {name}"
    if node.HasField("sql_body"):
        _walk(_Place(place.deep, place.statement, place.line, place.line_of, inside), node.sql_body)
    if "as" not in options or not options["as"].arg.list.items:
        return
    language = options["language"].arg.string.sval.lower() if "language" in options else "sql"
    text = options["as"].arg.list.items[0].string.sval
    body = _Place(place.deep, place.statement, place.at(options["as"].location), place.line_of, inside, place.depth)
    if language == "sql":
        _queries(body, [BodyQuery(text, 1)])
    elif language == "plpgsql":
        parameters = [(_MODES.get(p.function_parameter.mode, "in"), p.function_parameter.name) for p in node.parameters]
        names = [n.string.sval for n in node.return_type.names] if node.HasField("return_type") else []
        returns = "procedure" if node.is_procedure else names[-1] if names else ""
        _plpgsql(body, text, returns, bool(node.return_type.setof), tuple(parameters), name)


_MODES = {
    pb.FUNC_PARAM_OUT: "out",
    pb.FUNC_PARAM_INOUT: "inout",
    pb.FUNC_PARAM_TABLE: "table",
}


def _plpgsql(
    place: _Place, text: str, returns: str, many: bool, parameters: tuple[tuple[str, str], ...], name: str
) -> None:
    try:
        body = read_body(text, name=name or "bgce", parameters=parameters, returns=returns, set_returning=many)
    except SqlSyntaxError:
        return  # effects say that it cannot be seen through
    _queries(place, list(body.queries))


def _queries(place: _Place, queries: list[BodyQuery]) -> None:
    if place.depth >= _MAX_DEPTH:
        return
    first = place.line
    for query in queries:
        try:
            found = parse_nodes(query.sql)
        except SqlSyntaxError:
            continue
        breaks = [m.start() for m in re.finditer(b"\n", query.sql.encode())]
        base = first + query.line - 1

        def line_of(location: int, breaks: list[int] = breaks, base: int = base) -> int:
            return base + bisect_right(breaks, location)

        for kind, node, start in found:
            inner = _Place(place.deep, place.statement, line_of(start), line_of, place.inside, place.depth + 1)
            _statement(inner, kind, node)
            if query.dynamic and kind == "SelectStmt" and len(node.target_list) == 1:
                text = executed_text(node.target_list[0].res_target.val)
                if text is not None:
                    _dynamic(inner, text)


def _dynamic(place: _Place, text: str) -> None:
    line = place.line
    run = _Place(place.deep, place.statement, line, lambda _: line, place.inside, place.depth + 1)
    try:
        found = parse_nodes(text)
    except SqlSyntaxError:
        return
    for kind, node, _ in found:
        _statement(run, kind, node)

