"""Triggers that wait for COMMIT, run before it: nothing may act once a step has been looked at."""

from __future__ import annotations

import json
from collections.abc import Iterable

from msgspec import Struct

from bgce_migrate.db.session import Rows
from bgce_migrate.db.statements import fire_now, require_nothing_waiting


class Late(Struct, frozen=True, order=True):
    """A table that a step has written to, and its triggers that may have been deferred.

    Attributes:
        triggers: their names, which are those of their constraints.
        options: the table's storage options.
    """

    schema: str
    table: str
    triggers: tuple[str, ...]
    options: tuple[str, ...] = ()


def found(held: Rows) -> tuple[Late, ...]:
    """The tables with such triggers among what a step has locked (rows of the query `locks.held`)."""
    out = set()
    for kind, _mode, _oid, _classid, schema, name, _owner, _extension, _relkind, late in held:
        if kind == "relation" and late is not None:
            said = json.loads(late)
            out.add(Late(schema or "", name or "", tuple(said["names"]), tuple(said["options"] or ())))
    return tuple(sorted(out))


def fire(tables: Iterable[Late]) -> list[str]:
    """The statements that run now, as the owner, what these have waiting."""
    return [fire_now(table.schema, table.triggers) for table in tables]


def require_none(tables: Iterable[Late]) -> list[str]:
    """The statements that fail where something waits again."""
    return [require_nothing_waiting(table.schema, table.table, table.options) for table in tables]
