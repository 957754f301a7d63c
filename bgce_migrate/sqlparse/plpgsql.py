"""PL/pgSQL bodies taken apart into the SQL inside them, each piece with its line."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from bgce_migrate.sqlparse.binding import PgQueryError, postgast
from bgce_migrate.sqlparse.grammar import SqlSyntaxError, scan

_GUARDS = frozenset(
    {"then_body", "elsif_list", "else_body", "case_when_list", "else_stmts", "body", "exceptions"}
)
_RESULTS = {"trigger": "record", "event_trigger": "void", "void": "void"}
_PLAIN_BODY = frozenset({"PLpgSQL_stmt_block"})
_ASSIGN = re.compile(r"[^:=]*(?::=|=)")


class BodyQuery(Struct, frozen=True):
    """SQL inside a body.

    Attributes:
        sql: a statement that can be parsed (`SELECT` is put before bare expressions).
        line: the body's line it is on, counted from 1 where the quote opens.
        dynamic: `sql` gives the text that EXECUTE runs.
        guarded: it may not run: inside IF, CASE, a loop or a block with EXCEPTION.
    """

    sql: str
    line: int
    dynamic: bool = False
    guarded: bool = False


class Body(Struct, frozen=True):
    """What a PL/pgSQL body holds.

    Attributes:
        queries: its SQL in order.
        variables: names that are variables, not columns.
        types: declared types as written, with their line.
        controls: COMMIT and ROLLBACK as (word, line).
    """

    queries: tuple[BodyQuery, ...]
    variables: frozenset[str]
    types: tuple[tuple[str, int], ...]
    controls: tuple[tuple[str, int], ...]


def read_body(
    body: str,
    *,
    name: str = "bgce",
    parameters: Sequence[tuple[str, str]] = (),
    returns: str = "",
    set_returning: bool = False,
) -> Body:
    """Read the text between the quotes of a PL/pgSQL function, procedure or DO block.

    Args:
        name: the function's, which may stand before its parameters (`f.a`).
        parameters: (mode, name) with mode `in`, `out`, `inout` or `table`; names may be "".
        returns: "trigger", "event_trigger", "void", "procedure", "do", or anything else for a value.

    Raises:
        SqlSyntaxError: PL/pgSQL's own message, or one that says what the reader cannot do.
    """
    try:
        text, types = _without_types(body)
    except SqlSyntaxError:
        text, types = body, ()
    tag = "$bgce$"
    while tag in body:
        tag = f"{tag[:-1]}x$"
    if returns in _TRIGGERS:
        text = _as_plain_function(text, returns)
    head = _signature(name, parameters, returns, set_returning)
    try:
        trees = postgast.parse_plpgsql(f"{head} LANGUAGE plpgsql AS {tag}{text}{tag}")
    except PgQueryError as error:
        raise SqlSyntaxError(error.message, 0) from None
    except ValueError:
        raise SqlSyntaxError("the PL/pgSQL reader cannot show this body", 0) from None
    found = _Found([], set(), [])
    for tree in trees:
        function = tree.get("PLpgSQL_function", {})
        _variables(function.get("datums", []), found)
        _walk(function.get("action", {}), found, 1, False)
    found.variables.update(name for _, name in parameters if name)
    return Body(tuple(found.queries), frozenset(found.variables), types, tuple(found.controls))


class _Found(Struct):
    queries: list[BodyQuery]
    variables: set[str]
    controls: list[tuple[str, int]]


_TRIGGERS = {
    "trigger": "new record; old record; tg_name text; tg_when text; tg_level text; tg_op text; tg_relid oid; "
    "tg_relname text; tg_table_name text; tg_table_schema text; tg_nargs int; tg_argv text[];",
    "event_trigger": "tg_event text; tg_tag text;",
}
_OPTIONS = re.compile(r"(?:\s*#\s*\w+\s+\w+)+")


def _as_plain_function(body: str, kind: str) -> str:
    """A trigger's body with its special variables declared: libpg_query shows them as broken JSON."""
    found = _OPTIONS.match(body)
    options = found.group() if found else ""
    return f"{options} DECLARE {_TRIGGERS[kind]} BEGIN {body[len(options) :].rstrip().rstrip(';')}; END"


def _signature(name: str, parameters: Sequence[tuple[str, str]], returns: str, set_returning: bool) -> str:
    """A header with the same names and only built-in types: the reader knows no others."""
    if returns == "do":
        return "CREATE PROCEDURE bgce()"
    shown = '"' + name.replace('"', '""') + '"'
    named = [(mode, '"' + name.replace('"', '""') + '"' if name else "") for mode, name in parameters]
    table = [f"{name} text" for mode, name in named if mode == "table"]
    words = {"in": "", "out": "OUT ", "inout": "INOUT "}
    listed = ", ".join(f"{words[mode]}{name} text" for mode, name in named if mode != "table")
    if returns == "procedure":
        return f"CREATE PROCEDURE {shown}({listed})"
    head = f"CREATE FUNCTION {shown}({listed})"
    if table:
        return f"{head} RETURNS TABLE({', '.join(table)})"
    outs = sum(mode in ("out", "inout") for mode, _ in named)
    if outs:
        record = "record" if outs > 1 else "text"
        return f"{head} RETURNS SETOF {record}" if set_returning else f"{head} RETURNS {record}"
    if set_returning:
        return f"{head} RETURNS SETOF text"
    return f"{head} RETURNS {_RESULTS.get(returns, 'text')}"


def _without_types(body: str) -> tuple[str, tuple[tuple[str, int], ...]]:
    """The body with every declared type of its own replaced by `record`, and those types.

    libpg_query has no catalog: it fails on types with a schema and drops the names of others.
    """
    tokens = [token for token in scan(body) if not token.comment]
    types: list[tuple[str, int]] = []
    pieces: list[str] = []
    copied = at = 0
    while at < len(tokens):
        if tokens[at].text.lower() != "declare":
            at += 1
            continue
        at += 1
        while at < len(tokens) and tokens[at].text.lower() != "begin":
            begin, end, at = _declaration([t.text for t in tokens], at)
            if begin >= end:
                continue
            start, stop = tokens[begin].offset, tokens[end - 1].offset + len(tokens[end - 1].text)
            types.append((body[start:stop], body.count("\n", 0, start) + 1))
            pieces += (body[copied:start], "record" + "\n" * body.count("\n", start, stop))
            copied = stop
    pieces.append(body[copied:])
    return "".join(pieces), tuple(types)


def _declaration(words: list[str], at: int) -> tuple[int, int, int]:
    """The token range of a declaration's own type (empty if built in) and where the next starts."""
    begin = at + 1
    if begin < len(words) and words[begin].lower() == "constant":
        begin += 1
    end = begin
    keep = begin < len(words) and words[begin].lower() in ("cursor", "scroll", "no", "alias", "record")
    while end < len(words) and words[end].lower() not in (":=", "=", "default", ";", "not", "collate"):
        end += 1
    following = end
    while following < len(words) and words[following] != ";":
        following += 1
    own = "." in words[begin:end] or "%" in words[begin:end] or end - begin == 1
    if keep or not own or (end - begin == 1 and _is_builtin(words[begin])):
        return begin, begin, following + 1
    return begin, end, following + 1


def _is_builtin(word: str) -> bool:
    return word.lower() in _BUILTIN_WORDS


_BUILTIN_WORDS = frozenset(
    [
        "int",
        "integer",
        "bigint",
        "smallint",
        "text",
        "varchar",
        "char",
        "bool",
        "boolean",
        "numeric",
        "decimal",
        "real",
        "float",
        "json",
        "jsonb",
        "uuid",
        "date",
        "time",
        "timestamp",
        "timestamptz",
        "interval",
        "bytea",
        "refcursor",
        "record",
        "name",
        "regclass",
        "oid",
        "inet",
        "xml",
        "int4",
        "int8",
        "int2",
    ]
)


def _variables(datums: list[dict[str, Any]], found: _Found) -> None:
    for datum in datums:
        for kind, value in datum.items():
            name = value.get("refname")
            if name and kind in ("PLpgSQL_var", "PLpgSQL_rec", "PLpgSQL_row"):
                found.variables.add(name)
            for key in ("default_val", "cursor_explicit_expr"):
                if key in value:
                    _expression(value[key], found, value.get("lineno", 1), False, False)


def _walk(tree: Any, found: _Found, line: int, guarded: bool) -> None:
    if isinstance(tree, list):
        for item in tree:
            _walk(item, found, line, guarded)
        return
    if not isinstance(tree, dict):
        return
    for kind, value in tree.items():
        if not isinstance(value, (dict, list)):
            continue
        if kind == "PLpgSQL_expr":
            _expression({kind: value}, found, line, False, guarded)
        elif kind.startswith("PLpgSQL_stmt_") and isinstance(value, dict):
            _statement(kind, value, found, guarded)
        else:
            _walk(value, found, line, guarded)


def _statement(kind: str, value: dict[str, Any], found: _Found, guarded: bool) -> None:
    line = value.get("lineno", 1)
    if kind in ("PLpgSQL_stmt_commit", "PLpgSQL_stmt_rollback"):
        found.controls.append((kind.rpartition("_")[2], line))
    dynamic = {"PLpgSQL_stmt_dynexecute": "query", "PLpgSQL_stmt_dynfors": "query"}.get(kind, "dynquery")
    block = kind in _PLAIN_BODY and "exceptions" not in value
    # The JSON has a loop's body before its query.
    for key, part in sorted(value.items(), key=lambda item: item[0] in _GUARDS):
        if key == dynamic:
            _expression(part, found, line, True, guarded)
        elif key in _GUARDS and not block:
            _walk(part, found, line, True)
        else:
            _walk(part, found, line, guarded)


def _expression(tree: dict[str, Any], found: _Found, line: int, dynamic: bool, guarded: bool) -> None:
    expr = tree.get("PLpgSQL_expr", tree)
    sql, mode = expr.get("query", ""), expr.get("parseMode", 0)
    if mode == 2:
        sql = f"SELECT {sql}"
    elif mode >= 3:
        match = _ASSIGN.match(sql)
        sql = f"SELECT {sql[match.end() :] if match else sql}"
    if sql.strip():
        found.queries.append(BodyQuery(sql, line, dynamic, guarded))
