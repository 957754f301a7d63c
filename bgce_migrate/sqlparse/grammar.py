"""Parse, scan, split and fingerprint over libpg_query, with character offsets and plain errors."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterator
from typing import Any, NamedTuple, NoReturn, TypeAlias

from msgspec import Struct

from bgce_migrate.sqlparse.binding import DecodeError, PgQueryError, pb, postgast
from bgce_migrate.sqlparse.positions import Positions

#: libpg_query recurses over the tree on the C stack and dies with the process somewhere above
#: 15,000 levels. A level takes two tokens at least, and a comma starts anew; the server itself gives
#: up on such expressions (54001), so nothing real is lost.
MAX_RUN = 24_000
MAX_MESSAGE = 120
#: So many tokens are held at a time.
_PIECE = 10_000
TOO_DEEP = "expression too deep: stack depth limit exceeded"

_KINDS: dict[str, str] = {
    field.name: field.message_type.name for field in pb.DESCRIPTOR.message_types_by_name["Node"].fields
}
_COMMENTS = (b"--", b"/*")
_SEMICOLON = ord(";")
Spans: TypeAlias = "array[int]"


class SqlSyntaxError(Exception):
    """PostgreSQL's grammar refuses the text.

    Attributes:
        message: PostgreSQL's own message.
        offset: characters before the place it points at.
    """

    def __init__(self, message: str, offset: int) -> None:
        super().__init__(message)
        self.message = message
        self.offset = offset


class Token(NamedTuple):
    """One token: its text, the characters before it, and whether it is a comment."""

    text: str
    offset: int
    comment: bool


class Parsed(Struct, frozen=True):
    """One statement as PostgreSQL's grammar sees it.

    Attributes:
        node: the message, e.g. a `CreateStmt`; positions inside it count bytes of the whole text.
        kind: its type's name.
        offset: characters before the statement in the text.
        length: its characters, without the semicolon and what follows the last token.
        start: bytes before the statement.
    """

    node: Any
    kind: str
    offset: int
    length: int
    start: int


def node_kind(node: Any) -> tuple[str, Any]:
    """The kind (`SelectStmt`) and the message inside a `Node`; ("", None) if it is empty."""
    which = node.WhichOneof("node")
    return (_KINDS[which], getattr(node, which)) if which else ("", None)


def _refuse(error: Any) -> NoReturn:
    # Unlike all positions in the tree, this one counts characters, whatever the binding says.
    offset = max(error.cursorpos - 1, 0)
    # "unterminated ... at or near" is followed by the whole rest of the text.
    message, *more = error.message.split("\n", 1)
    if more or len(message) > MAX_MESSAGE:
        message = f'{message[:MAX_MESSAGE]}..."'
    raise SqlSyntaxError(message, offset) from None


def spans(raw: bytes) -> Spans:
    """The byte ranges of all tokens, comments included: start, end, start, end and so on.

    Flat and packed, because a file of data has millions of them.

    Raises:
        SqlSyntaxError: a quote, comment or dollar quote is not closed; points at its opening.
    """
    try:
        found = postgast.scan(raw.decode()).tokens
    except PgQueryError as error:
        _refuse(error)
    flat = array("I")
    add = flat.append
    # A slice is a list at once, while a walk over it ends with an error that protobuf has to make; pieces, for memory.
    for at in range(0, len(found), _PIECE):
        for token in found[at : at + _PIECE]:
            add(token.start)
            add(token.end)
    return flat


def pairs(flat: Spans) -> Iterator[tuple[int, int]]:
    """The tokens of `spans` as (start, end)."""
    places = iter(flat)
    return zip(places, places, strict=False)


def scan(sql: str) -> tuple[Token, ...]:
    """All tokens of `sql` in order, comments included. Raises SqlSyntaxError."""
    positions = Positions(sql)
    raw = positions.raw
    return tuple(
        Token(raw[start:end].decode(), positions.char(start), raw.startswith(_COMMENTS, start))
        for start, end in pairs(spans(raw))
    )


def _check_depth(raw: bytes, tokens: Spans | None) -> None:
    if len(raw) < MAX_RUN:
        return
    run = 0
    for start, _ in pairs(tokens if tokens is not None else spans(raw)):
        run = 0 if raw[start] in b",;" else run + 1
        if run > MAX_RUN:
            raise SqlSyntaxError(TOO_DEEP, len(raw[:start].decode()))


def parse(sql: str, tokens: Spans | None = None, positions: Positions | None = None) -> tuple[Parsed, ...]:
    """Parse all statements of `sql`.

    Args:
        sql: the text; it must not hold a NUL.
        tokens: `spans` of it, if the caller has them already.
        positions: those of `sql`, if the caller has them already.

    Raises:
        SqlSyntaxError: with PostgreSQL's message and a character offset.
    """
    positions = positions or Positions(sql)
    raw = positions.raw
    statements = _statements(sql, raw, tokens)
    if tokens is None:
        tokens = spans(raw)
    return tuple([_parsed(found, positions, tokens) for found in statements[:]])


def parse_nodes(sql: str) -> list[tuple[str, Any, int]]:
    """Kind, message and start in bytes of every statement: `parse` without the cost of `length`."""
    found = _statements(sql, sql.encode(), None)
    return [(*node_kind(statement.stmt), statement.stmt_location) for statement in found]


def _statements(sql: str, raw: bytes, tokens: Spans | None) -> Any:
    _check_depth(raw, tokens)
    try:
        return postgast.parse(sql).stmts
    except PgQueryError as error:
        _refuse(error)
    except DecodeError:
        raise SqlSyntaxError(TOO_DEEP, 0) from None


def _parsed(statement: Any, positions: Positions, tokens: Spans) -> Parsed:
    raw = positions.raw
    start = statement.stmt_location
    stop = start + statement.stmt_len if statement.stmt_len else len(raw)
    # libpg_query counts comments and blanks after the statement in; the last token ends it.
    last = (bisect_left(tokens, stop) - 1) // 2
    while raw.startswith(_COMMENTS, tokens[2 * last]) or raw[tokens[2 * last]] == _SEMICOLON:
        last -= 1
    kind, node = node_kind(statement.stmt)
    offset = positions.char(start)
    return Parsed(node, kind, offset, positions.char(tokens[2 * last + 1]) - offset, start)


def split(sql: str) -> tuple[str, ...]:
    """The statements of `sql` as texts without semicolons. Raises SqlSyntaxError."""
    return tuple(sql[found.offset : found.offset + found.length] for found in parse(sql))


def fingerprint(sql: str) -> str:
    """libpg_query's fingerprint (16 hex digits): equal for SQL that differs only in constants."""
    try:
        return str(postgast.fingerprint(sql).hex)
    except PgQueryError as error:
        _refuse(error)
