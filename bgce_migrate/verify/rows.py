"""One row for each table that is asked for, and for those that its keys refer to, where that can be found out."""

from __future__ import annotations

import re
from typing import Any

from msgspec import Struct

from bgce_migrate.db.rows import put_row
from bgce_migrate.db.session import Session
from bgce_migrate.db.wire import Failed
from bgce_migrate.fingerprint.model import ORDER, Catalog, Object
from bgce_migrate.verify.saying import said
from bgce_migrate.verify.values import candidates

_KEY = re.compile(r"FOREIGN KEY \((.+?)\) REFERENCES (.+?)\((.+?)\)")
_PART = re.compile(r'"((?:[^"]|"")*)"|([^.",\s]+)')
#: So many ways are tried to fill a table.
_TRIES = 4


class Unfilled(Exception):
    """No row could be put into a table; the message says which and why."""


class Column(Struct, frozen=True):
    """A column to be filled; `shown` as the catalog has it, `name` as it is."""

    shown: str
    name: str
    type: str
    nullable: bool
    required: bool
    checks: tuple[str, ...]


def parts(name: str) -> tuple[str, ...]:
    """`public."Odd"."a.b"` as its names."""
    return tuple(quoted.replace('""', '"') or plain for quoted, plain in _PART.findall(name))


def place(table: Object) -> tuple[str, str]:
    """Schema and name of a table."""
    schema, name = parts(table.name)
    return schema, name


class Filling:
    """Rows put into the tables of a catalog, inside an open transaction."""

    def __init__(self, session: Session, catalog: Catalog) -> None:
        self.session = session
        self.catalog = catalog
        self.rows: dict[str, dict[str, Any]] = {}
        self._parts: dict[str, list[Object]] = {}
        for item in catalog.objects.values():
            if item.kind in ("column", "constraint"):
                self._parts.setdefault(item.part_of, []).append(item)
        self._busy: set[str] = set()

    def fill(self, identity: str) -> dict[str, Any]:
        """The row of a table, put there the first time it is asked for.

        Raises:
            Unfilled: none was let in.
        """
        if identity in self.rows:
            return self.rows[identity]
        table = self.catalog.objects.get(identity)
        if table is None or identity in self._busy:
            raise Unfilled(f"{identity} needs a row of its own first")
        self._busy.add(identity)
        try:
            self.rows[identity] = self._put(table)
        finally:
            self._busy.discard(identity)
        return self.rows[identity]

    def _put(self, table: Object) -> dict[str, Any]:
        columns = self._columns(table)
        keys = self._keys(table, {c.name: c.required for c in columns})
        refused = ""
        for attempt in range(_TRIES):
            tried = {c: self._value(table, c, attempt) for c in columns if c.name not in keys}
            # Where nothing may not stand, the default does.
            values = {c.name: value for c, value in tried.items() if value is not None or c.nullable}
            try:
                return put_row(self.session, place(table), table.owner, {**values, **keys})
            except Failed as failed:
                refused = said(failed)
        raise Unfilled(f"{table.identity}: {refused}")

    def _columns(self, table: Object) -> list[Column]:
        found = {o.name: o for o in self._parts.get(table.identity, ()) if o.kind == "column"}
        checks = [
            str(o.facts.get("definition", ""))
            for o in self._parts.get(table.identity, ())
            if o.kind == "constraint" and str(o.facts.get("definition", "")).startswith("CHECK")
        ]
        out = []
        order = table.facts.get(ORDER)
        for shown in order if isinstance(order, tuple) else ():
            column = found[f"{table.name}.{shown}"]
            default = str(column.facts.get("default", ""))
            if "generated" in column.facts or "identity" in column.facts or "nextval(" in default:
                continue
            word = re.compile(rf"(?<![\w]){re.escape(shown)}(?![\w])")
            mine = tuple(c for c in checks if word.search(c))
            nullable = "not null" not in column.facts
            type = str(column.facts.get("type"))
            out.append(Column(shown, parts(shown)[0], type, nullable, not nullable and not default, mine))
        return out

    def _value(self, table: Object, column: Column, attempt: int) -> str | None:
        """What to try: what a check names first, then other values, then nothing where nothing is needed."""
        if attempt == _TRIES - 1 and column.checks and not column.required:
            return None
        known = candidates(self.catalog, column.type, column.checks)
        if known:
            return known[min(attempt, len(known) - 1) if column.checks else 0]
        if column.required:
            raise Unfilled(f"{table.identity}: nothing is known of the type {column.type} of column {column.shown}")
        return None

    def _keys(self, table: Object, required: dict[str, bool]) -> dict[str, str | None]:
        """Values of the columns of foreign keys: those of the row referred to."""
        out: dict[str, str | None] = {}
        for item in self._parts.get(table.identity, ()):
            key = _KEY.match(str(item.facts.get("definition", ""))) if item.kind == "constraint" else None
            if key is None:
                continue
            ours, theirs = (tuple(parts(c)[0] for c in key[n].split(", ")) for n in (1, 3))
            try:
                row = self.fill(f"table {key[2]}")
            except Unfilled:
                if any(required.get(name) for name in ours):
                    raise
                out.update(dict.fromkeys(ours))
                continue
            for name, other in zip(ours, theirs, strict=True):
                value = row.get(other)
                out[name] = None if value is None else str(value)
        return out
