"""Facts of what a DO block runs: its static SQL, and EXECUTE of constant texts."""

from __future__ import annotations

import re
from typing import Any

from bgce_migrate.lint.facts.expressions import constant
from bgce_migrate.lint.facts.reader import Reader, options
from bgce_migrate.lint.facts.sessions import Do
from bgce_migrate.sqlparse import BodyQuery, SqlSyntaxError, parse_nodes, read_body

_TAG = re.compile(rb"\$[^$]*\$")


def do_block(reader: Reader, node: Any) -> None:
    """DO."""
    said = options(node.args)
    language = said["language"].arg.string.sval.lower() if "language" in said else "plpgsql"
    place = reader.place()
    option = said.get("as")
    if option is None or language != "plpgsql":
        reader.add(Do(place, language, f"a body in {language} cannot be read"))
        return
    body = option.arg.string.sval
    try:
        found = read_body(body, returns="do")
    except SqlSyntaxError as error:
        reader.add(Do(place, language, error.message))
        return
    dynamic: list[int] = []
    index = len(reader.facts)
    kept = reader.line, reader.column, reader.shift, reader.inside, reader.guarded
    first = _body_start(reader, option.location, body)
    for query in found.queries:
        _run(reader, query, first, body, kept[0], dynamic)
    reader.line, reader.column, reader.shift, reader.inside, reader.guarded = kept
    reader.facts.insert(index, Do(place, language, "", tuple(dynamic)))


def _body_start(reader: Reader, location: int, body: str) -> int | None:
    """The byte position of a dollar-quoted body in the file."""
    raw = reader.positions.raw
    at = raw.find(b"$", location if location >= 0 else reader.start)
    match = _TAG.match(raw, at) if at >= 0 else None
    if match is None or not raw.startswith(body.encode(), match.end()):
        return None
    return match.end()


def _run(
    reader: Reader, query: BodyQuery, first: int | None, body: str, line: int, dynamic: list[int]
) -> None:
    start = _line_start(body, query.line)
    at = body.find(query.sql, start)
    if first is None:
        reader.line, reader.column, reader.shift = line + query.line - 1, 1, None
    elif at < 0:
        begin = first + len(body[:start].encode())
        reader.line, reader.column, reader.shift = reader.positions.line(begin), 1, None
    else:
        reader.shift = first + len(body[:at].encode())
        reader.line, reader.column = reader.positions.line_column(reader.shift)
    reader.inside, reader.guarded = "DO", query.guarded
    _parse(reader, query, dynamic)


def _line_start(body: str, line: int) -> int:
    at = 0
    for _ in range(line - 1):
        at = body.find("\n", at) + 1
        if at == 0:
            return 0
    return at


def _parse(reader: Reader, query: BodyQuery, dynamic: list[int]) -> None:
    from bgce_migrate.lint.facts.dispatch import read_node

    try:
        parsed = parse_nodes(query.sql)
    except SqlSyntaxError:
        dynamic.append(reader.line)
        return
    for kind, node, _ in parsed:
        read_node(reader, kind, node)
        if query.dynamic and kind == "SelectStmt":
            text = constant(node.target_list[0].res_target.val) if len(node.target_list) == 1 else None
            if text is None:
                dynamic.append(reader.line)
                continue
            reader.shift = None
            _parse(reader, BodyQuery(text, 1), dynamic)
