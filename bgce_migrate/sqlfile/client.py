"""What only a client program understands: psql's backslash commands and COPY data in the file."""

from __future__ import annotations

import unicodedata

from bgce_migrate.errors import Problem, Where
from bgce_migrate.sqlparse import Positions, SqlSyntaxError, pairs, spans

_OPAQUE_HINT = (
    'if the server knows this syntax and this grammar does not, say `-- bgce: opaque reason="..."` at the top'
)
_BACKSLASH = ord("\\")
_OPENERS = b"'\"$-/"
_INVISIBLE = frozenset({"Cc", "Cf", "Zl", "Zp", "Zs"})
_END_OF_DATA = b"\n\\."


def client_problems(path: str, positions: Positions, error: SqlSyntaxError) -> list[Problem]:
    """Why a file that does not parse is none of SQL: [] if it is an ordinary syntax error."""
    raw = positions.raw
    problems: list[Problem] = []
    start, size = 0, len(raw)
    while start < size:
        start = _scan(path, positions, start, problems)
    return problems


def _scan(path: str, positions: Positions, start: int, problems: list[Problem]) -> int:
    """Look at the tokens from `start` up to the end of the first COPY data; returns where to go on."""
    raw = positions.raw
    words: list[bytes] = []
    first = start
    lines = {problem.where.line for problem in problems if problem.where}
    for begin, end in _tokens(raw, start):
        token = raw[begin:end].lower()
        if token[0] == _BACKSLASH:
            line, column = positions.line_column(begin)
            if line not in lines:
                lines.add(line)
                command = raw[begin:].split(b"\n", 1)[0].split(b" ", 1)[0].decode(errors="replace")
                problems.append(
                    Problem(
                        f"{command} is a command of psql, not SQL",
                        Where(path, line, column),
                        "take the line out; a dump is to be made without it, or its SQL copied",
                    )
                )
        if token == b";":
            if words[:1] == [b"copy"] and b"stdin" in words:
                line, column = positions.line_column(first)
                problems.append(
                    Problem(
                        "COPY FROM STDIN needs a client that sends the data",
                        Where(path, line, column),
                        "use INSERT, or load the data outside of migrations",
                    )
                )
                data_end = raw.find(_END_OF_DATA, end)
                return data_end + len(_END_OF_DATA) if data_end >= 0 else len(raw)
            words = []
        elif not token.startswith((b"--", b"/*")):
            first = first if words else begin
            words.append(token)
    return len(raw)


def _tokens(raw: bytes, start: int) -> list[tuple[int, int]]:
    """The tokens from `start` to the end, or to where the scanner gives up."""
    part = raw[start:]
    for _ in range(2):
        try:
            return [(begin + start, end + start) for begin, end in pairs(spans(part))]
        except SqlSyntaxError as error:
            part = part[: len(part.decode()[: error.offset].encode())]
    return []


def syntax_hint(error: SqlSyntaxError, positions: Positions) -> str:
    """What may help: an invisible character is named, else the way out for a newer syntax."""
    if error.message.startswith("unterminated"):
        return "it opens here and is never closed"
    raw = positions.raw
    for begin, end in _tokens(raw, 0):
        if raw[begin:end].isascii() or raw[begin] in _OPENERS or positions.char(begin) > error.offset:
            continue
        for at, character in enumerate(raw[begin:end].decode()):
            if unicodedata.category(character) in _INVISIBLE:
                line, column = positions.line_column(begin)
                name = unicodedata.name(character, "a control character")
                return f"U+{ord(character):04X} ({name}) at {line}:{column + at} cannot be seen: remove it"
    return _OPAQUE_HINT
