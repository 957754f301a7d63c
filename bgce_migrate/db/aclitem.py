"""PostgreSQL's own text of one entry of an ACL: `grantee=privileges/grantor`."""

from __future__ import annotations

import re
from functools import lru_cache

from msgspec import Struct

from bgce_migrate.grants.model import PUBLIC

#: acl.h; a star behind a letter is the grant option.
LETTERS = {
    "a": "INSERT", "r": "SELECT", "w": "UPDATE", "d": "DELETE", "D": "TRUNCATE", "x": "REFERENCES", "t": "TRIGGER",
    "m": "MAINTAIN", "X": "EXECUTE", "U": "USAGE", "C": "CREATE", "T": "TEMPORARY", "c": "CONNECT", "s": "SET",
    "A": "ALTER SYSTEM",
}  # fmt: skip
#: putid: whatever is not a letter, digit or underscore is quoted, quotes are doubled.
_ITEM = re.compile(r'(?P<grantee>"(?:[^"]|"")*"|[^"=/]*)=(?P<letters>[A-Za-z*]*)/(?P<grantor>"(?:[^"]|"")*"|[^"=/]*)\Z')
_LETTER = re.compile(r"([A-Za-z])(\*?)")


class Entry(Struct, frozen=True):
    """One entry.

    Attributes:
        privileges: each with whether it may be passed on.
    """

    grantee: str
    privileges: tuple[tuple[str, bool], ...]
    grantor: str


@lru_cache(maxsize=10_000)
def entry(text: str) -> Entry:
    """Read an entry; the same ones come again and again.

    Raises:
        ValueError: it is none.
    """
    found = _ITEM.match(text)
    if found is None:
        raise ValueError(f"not an entry of an ACL: {text}")
    privileges = tuple((LETTERS[letter], star == "*") for letter, star in _LETTER.findall(found["letters"]) if letter in LETTERS)
    return Entry(_name(found["grantee"]) or PUBLIC, privileges, _name(found["grantor"]))


def _name(text: str) -> str:
    return text[1:-1].replace('""', '"') if text.startswith('"') else text
