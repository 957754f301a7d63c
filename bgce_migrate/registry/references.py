"""Names and references as declarations write them: `domain:table(col)`, `table.set`, key paths."""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches
from typing import TypeAlias

from bgce_migrate.domain import RESERVED_NAMES, Read

KeyPath: TypeAlias = tuple[str | int, ...]

#: ASCII only, so that no two names differ by Unicode alone, and nothing that needs escaping reaches SQL.
IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_$]{0,62}\Z")
ROLE = re.compile(r"[a-z_][a-z0-9_]{0,62}\Z")
_TARGET = re.compile(r"(?P<table>[^\s:().]+)(?:\.(?P<set>[^\s:().]+)|\s*\((?P<columns>[^()]*)\))?\Z")


class ReferenceFault(ValueError):
    """A reference that cannot be read; the text says why."""


def printable(text: str) -> str:
    """`text` with everything but printable ASCII shown as code points, so that look-alikes show."""
    return "".join(c if " " <= c <= "~" else f"<U+{ord(c):04X}>" for c in text)


def key_text(path: KeyPath) -> str:
    """`("services", 0, "reads")` as `services[0].reads`."""
    out = ""
    for part in path:
        if isinstance(part, int):
            out += f"[{part}]"
        else:
            shown = part if re.fullmatch(r"[A-Za-z0-9_-]+", part) else f'"{printable(part)}"'
            out += f".{shown}" if out else shown
    return out


def identifier_fault(name: str) -> str | None:
    """Why `name` cannot be the name of a table, column, function, set or schema, or None if it can."""
    if IDENTIFIER.match(name):
        return None
    return f"'{printable(name[:80])}' is not an identifier of ASCII letters, digits and _, at most 63 long"


def schema_fault(name: str) -> str | None:
    """Why `name` cannot be a schema of ours, or None if it can."""
    if name.lower().startswith("pg_") or name.lower() == "information_schema":
        return f"'{printable(name[:80])}' is reserved by PostgreSQL"
    return identifier_fault(name)


def role_fault(name: str) -> str | None:
    """Why `name` cannot be a login, or None if it can."""
    if not ROLE.match(name):
        return f"'{printable(name[:80])}' is not a role name of the form [a-z_][a-z0-9_]*, at most 63 long"
    if name in RESERVED_NAMES or name.startswith("pg_"):
        return f"'{name}' is reserved"
    return None


def did_you_mean(word: str, known: Iterable[str]) -> str | None:
    """A hint with the nearest known word, or None."""
    near = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"did you mean '{near[0]}'?" if near else None


def parse_target(text: str) -> tuple[str, tuple[str, ...] | None, str | None]:
    """Read `table`, `table(col, col)` or `table.set` into (table, columns, set).

    Raises:
        ReferenceFault: anything else.
    """
    found = _TARGET.match(text.strip())
    if not found:
        raise ReferenceFault(f"'{printable(text[:80])}' is not table, table(column, ...) or table.set")
    columns: tuple[str, ...] | None = None
    if found["columns"] is not None:
        columns = tuple(part.strip() for part in found["columns"].split(","))
        if len(set(columns)) != len(columns):
            raise ReferenceFault(f"'{printable(text[:80])}' names a column twice")
    for name in (found["table"], *([found["set"]] if found["set"] else ()), *(columns or ())):
        if fault := identifier_fault(name):
            raise ReferenceFault(fault)
    return found["table"], columns, found["set"]


def parse_read(text: str) -> Read:
    """Read `domain:table`, `domain:table(col, col)`, `domain:table.set` or `domain:*`.

    Raises:
        ReferenceFault: anything else.
    """
    domain, colon, target = (part.strip() for part in text.partition(":"))
    if not colon or not domain or not target:
        raise ReferenceFault(
            f"'{printable(text[:80])}' is not domain:table, domain:table(column, ...), "
            "domain:table.set or domain:*"
        )
    if target == "*":
        return Read(domain, "*")
    table, columns, set_name = parse_target(target)
    return Read(domain, table, columns, set_name)


def parse_call(text: str) -> tuple[str, str]:
    """Read `domain:function`.

    Raises:
        ReferenceFault: anything else.
    """
    domain, colon, function = (part.strip() for part in text.partition(":"))
    if not colon or not domain:
        raise ReferenceFault(f"'{printable(text[:80])}' is not domain:function")
    if fault := identifier_fault(function):
        raise ReferenceFault(fault)
    return domain, function
