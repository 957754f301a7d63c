"""Names and types as this house writes them in migrations."""

from __future__ import annotations

import re
from collections.abc import Callable

from msgspec import Struct

from bgce_migrate.adopt.scope import parts
from bgce_migrate.sqlparse.grammar import SqlSyntaxError, scan

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*\Z")
#: The server's words for types, and the shorter ones.
_TYPES = (
    (re.compile(r"character varying"), "VARCHAR"),
    (re.compile(r"timestamp(\(\d\))? with time zone"), r"TIMESTAMPTZ\1"),
    (re.compile(r"timestamp(\(\d\))? without time zone"), r"TIMESTAMP\1"),
    (re.compile(r"time(\(\d\))? with time zone"), r"TIMETZ\1"),
    (re.compile(r"time(\(\d\))? without time zone"), r"TIME\1"),
    (re.compile(r"(bigint|integer|smallint|boolean|text|uuid|jsonb|json|date|bytea|real|double precision|numeric|tsvector|inet|interval)(?![a-z_ ])"),
     lambda m: m[1].upper()),
)  # fmt: skip
_CAST_LITERAL = re.compile(r"('(?:[^']|'')*')::(character varying|text)\Z")


class Speller(Struct, frozen=True):
    """How names are written.

    Attributes:
        reserved: words to be quoted.
        hidden: names that keep their schema.
        home: the schema that is left out; it is in the search path of every step.
    """

    reserved: frozenset[str] = frozenset()
    hidden: frozenset[str] = frozenset()
    home: str = "public"

    def word(self, raw: str) -> str:
        """One name, in quotes where it must be."""
        if _PLAIN.match(raw) and raw not in self.reserved:
            return raw
        return '"' + raw.replace('"', '""') + '"'

    def qualified(self, shown: str) -> str:
        """`schema.name` as a fingerprint shows it, quoted as it must be."""
        schema, name = parts(shown)
        return f"{self.word(schema)}.{self.word(name)}"

    def short(self, statement: str) -> str:
        """A statement without the schema that is in the search path; texts in quotes stay as they are."""
        if self.home not in statement:
            return statement
        try:
            tokens = [t for t in scan(statement) if not t.comment]
        except SqlSyntaxError:
            return statement
        out, at = [], 0
        for one, dot, name in zip(tokens, tokens[1:], tokens[2:], strict=False):
            if one.text == self.home and dot.text == "." and not self._hides(name.text) and one.offset >= at:
                out.append(statement[at : one.offset])
                at = dot.offset + 1
        return "".join(out) + statement[at:]

    def _hides(self, name: str) -> bool:
        return (name[1:-1].replace('""', '"') if name.startswith('"') else name) in self.hidden


def type_word(text: str) -> str:
    """A type of the server's as the house writes it; types of others as they are."""
    if "." in text.partition("(")[0] or text.startswith('"'):
        return text
    for pattern, word in _TYPES:
        found = pattern.match(text)
        if found:
            spelled: str | Callable[[re.Match[str]], str] = word
            return pattern.sub(spelled, text, count=1)
    return text


def default_text(default: str, kind: str) -> str:
    """A default, without the cast to the column's own type where that is a plain text's."""
    found = _CAST_LITERAL.match(default)
    return found[1] if found and kind.startswith(found[2]) else default


def literal(text: str) -> str:
    """A string constant."""
    escaped = text.replace("'", "''")
    return f"E'{escaped}'".replace("\\", "\\\\") if "\\" in text else f"'{escaped}'"
