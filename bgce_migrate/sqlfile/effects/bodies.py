"""SQL inside strings: bodies of functions and DO blocks, and what EXECUTE runs."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from typing import Any

from bgce_migrate.sqlfile.effects.expressions import constant, qualified
from bgce_migrate.sqlfile.effects.reading import Reading, reference, strings
from bgce_migrate.sqlparse import BodyQuery, SqlSyntaxError, parse_nodes, read_body

_TYPE_WORDS = re.compile(r"""(?:"(?:[^"]|"")+"|[^\s."%(\[]+)(?:\s*\.\s*(?:"(?:[^"]|"")+"|[^\s."%(\[]+))*""")
_FORMAT = re.compile(r"%(?:(\d+)\$)?(-?\d*)?([sIL%])")
_SAFE_WORD = re.compile(r"[a-z_][a-z0-9_$]*\Z")


def sql_body(reading: Reading, body: str, location: int) -> None:
    """The string body of an SQL function: it binds when the function runs."""
    line = reading.line(location)
    state = _enter(reading, hard=False)
    _run(reading, [BodyQuery(body, 1)], line)
    _leave(reading, state)


def plpgsql_body(
    reading: Reading,
    body: str,
    location: int,
    *,
    hard: bool,
    name: str = "",
    parameters: Sequence[tuple[str, str]] = (),
    returns: str = "do",
    many: bool = False,
) -> None:
    """A PL/pgSQL body; `hard` for DO, which runs now."""
    line = reading.line(location)
    state = _enter(reading, hard=hard)
    try:
        found = read_body(body, name=name, parameters=parameters, returns=returns, set_returning=many)
    except SqlSyntaxError as error:
        reading.opaque(f"body that cannot be read: {error.message}", location)
    else:
        reading.variables |= found.variables
        for word, at in found.controls:
            _control(reading, word, line + at - 1, hard)
        for text, at in found.types:
            _declared_type(reading, text, line + at - 1)
        _run(reading, list(found.queries), line)
    _leave(reading, state)


def _enter(reading: Reading, *, hard: bool) -> tuple[Any, ...]:
    state = (
        reading.soft,
        reading.in_body,
        reading.guarded,
        reading.variables,
        set(reading.temporary),
        reading.line_of,
        reading.statement_line,
        reading.column_of,
    )
    reading.column_of = None
    if not hard:
        reading.soft = reading.in_body = True
    return state


def _leave(reading: Reading, state: tuple[Any, ...]) -> None:
    temporary = reading.temporary
    (
        reading.soft,
        was_in_body,
        reading.guarded,
        reading.variables,
        before,
        reading.line_of,
        reading.statement_line,
        reading.column_of,
    ) = state
    reading.temporary = before if reading.in_body and not was_in_body else temporary
    reading.in_body = was_in_body


def _control(reading: Reading, word: str, line: int, hard: bool) -> None:
    if not hard:
        return
    reading.uncontrolled = True
    reading.statement_line = line
    reading.fault("transaction", f"{word.upper()} in a DO block", strict_only=True)


def _declared_type(reading: Reading, text: str, line: int) -> None:
    match = _TYPE_WORDS.match(text)
    if match is None:
        return
    ref = qualified(match.group())
    if ref is None:
        return
    reading.statement_line = line
    rest = text[match.end() :].lstrip().lower()
    if rest.startswith("%type"):
        words = [qualified(word) for word in re.split(r"\s*\.\s*", match.group())]
        names = [word[1] for word in words if word]
        if len(names) > 1:
            reading.use_relation(reference(names[:-1]))
            reading.use_column(reference(names[:-1]), names[-1])
    elif rest.startswith("%rowtype"):
        reading.use_relation(ref)
    else:
        reading.use_type_name(ref, 0, "variable")


def _run(reading: Reading, queries: list[BodyQuery], first_line: int) -> None:
    """Read the queries' effects; all are parsed at once, and one by one only if that fails."""
    plain = [query for query in queries if query.sql]
    joined = "\n;\n".join(query.sql for query in plain)
    try:
        parsed = parse_nodes(joined)
    except SqlSyntaxError as error:
        if len(plain) > 1:
            for query in plain:
                _run(reading, [query], first_line)
        elif plain:
            reading.statement_line = first_line + plain[0].line - 1
            reading.opaque(f"SQL in a body that cannot be read: {error.message}")
        return
    starts: list[int] = []
    at = 0
    for query in plain:
        starts.append(at)
        at += len(query.sql.encode()) + 3
    raw = joined.encode()
    for kind, node, place in parsed:
        index = bisect_right(starts, place) - 1
        query, start = plain[index], starts[index]
        base = first_line + query.line - 1

        def line_of(location: int, start: int = start, base: int = base) -> int:
            return base + raw.count(b"\n", start, location)

        reading.line_of, reading.statement_line = line_of, line_of(place)
        _one(reading, kind, node, query)


def _one(reading: Reading, kind: str, node: Any, query: BodyQuery) -> None:
    from bgce_migrate.sqlfile.effects.dispatch import read_statement

    guarded = reading.guarded
    reading.guarded = guarded or query.guarded
    read_statement(reading, kind, node)
    if query.dynamic:
        _execute(reading, node)
    reading.guarded = guarded


def _execute(reading: Reading, select: Any) -> None:
    """EXECUTE of a text: followed if it is constant, else it cannot be seen through."""
    targets = select.target_list
    text = executed_text(targets[0].res_target.val) if len(targets) == 1 else None
    if text is None:
        reading.opaque("EXECUTE of a computed string")
        return
    line, line_of = reading.statement_line, reading.line_of
    _run(reading, [BodyQuery(text, 1)], line)
    reading.statement_line, reading.line_of = line, line_of


def executed_text(node: Any) -> str | None:
    """A constant text, also one made by `format` from constants alone."""
    found = constant(node)
    if found is not None or node.WhichOneof("node") != "func_call":
        return found
    call = node.func_call
    if strings(call.funcname)[-1] != "format" or not call.args:
        return None
    values = [constant(argument) for argument in call.args]
    if any(value is None for value in values):
        return None
    return _formatted([value or "" for value in values])


def _formatted(values: list[str]) -> str | None:
    """What `format` makes of constants; None for what it would refuse."""
    used = 0

    def piece(match: re.Match[str]) -> str:
        nonlocal used
        position, _, kind = match.groups()
        if kind == "%":
            return "%"
        used = int(position) if position else used + 1
        value = values[used]
        if kind == "I":
            return value if _SAFE_WORD.match(value) else '"' + value.replace('"', '""') + '"'
        return "'" + value.replace("'", "''") + "'" if kind == "L" else value

    try:
        return _FORMAT.sub(piece, values[0])
    except IndexError:
        return None
