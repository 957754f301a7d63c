"""The checksum `v1:`: PostgreSQL's tokens and our directives, blind to cosmetics."""

from __future__ import annotations

import hashlib

from bgce_migrate.errors import SqlFileError, Where
from bgce_migrate.migration import SourceFile
from bgce_migrate.sqlfile.directives import Header, read_header
from bgce_migrate.sqlparse import Positions, Spans, SqlSyntaxError, pairs, spans

_COMMENTS = (b"--", b"/*")
_QUOTES = b"'\""
#: First bytes of quotes, dollar quotes, comments and operators.
_OPENERS = b"'\"$-/"


def checksum_of(source: SourceFile) -> str:
    """See `bgce_migrate.sqlfile.checksum`."""
    header = read_header(source.path, source.text)
    if header.problems:
        raise SqlFileError(
            header.problems[0].message, where=header.problems[0].where, problems=header.problems
        )
    if header.directives.opaque is not None:
        return of_opaque(header, source.text)
    raw = source.text.encode()
    try:
        return of_tokens(header, raw, spans(raw))
    except SqlSyntaxError as error:
        line, column = Positions(source.text).line_column_of_char(error.offset)
        raise SqlFileError(error.message, where=Where(source.path, line, column)) from None


def of_tokens(header: Header, raw: bytes, tokens: Spans) -> str:
    """Over the tokens of `raw`.

    Whether a word is a keyword depends on PostgreSQL's version, so all words without quotes are
    lower-cased alike; only ASCII, as PostgreSQL folds identifiers.
    """
    folded = raw.lower()
    parts: list[bytes] = []
    add = parts.append
    for start, end in pairs(tokens):
        if raw[start] not in _OPENERS:
            # E'...', U&"..." and the like end with their quote.
            add((raw if raw[end - 1] in _QUOTES else folded)[start:end])
        elif not raw.startswith(_COMMENTS, start):
            add(raw[start:end])
    return _digest(header, b"\0".join(parts))


def of_opaque(header: Header, text: str) -> str:
    """Over the text after the directives: our grammar cannot cut it into tokens."""
    return _digest(header, b"\0" + text[header.end :].strip().encode())


def _digest(header: Header, body: bytes) -> str:
    digest = hashlib.sha256()
    for line in header.canonical:
        digest.update(line.encode() + b"\0\0")
    digest.update(b"\0\0\0" + body)
    return f"v1:{digest.hexdigest()}"
