"""Rows put into tables of a scratch database and read back, for the data probe."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from bgce_migrate.db.session import Session
from bgce_migrate.db.statements import identifier, literal, set_role
from bgce_migrate.db.wire import Command, Failed


def put_row(session: Session, table: tuple[str, str], owner: str, values: Mapping[str, str | None]) -> dict[str, Any]:
    """Insert one row as the table's owner, inside an open transaction, and return it as it is then.

    Args:
        table: schema and name, as they are in the catalog.
        values: as the columns' types read them; what is not named gets its default.

    Raises:
        Failed: the server refused it; the transaction is as before.
    """
    columns = ", ".join(identifier(name) for name in values)
    given = ", ".join("NULL" if value is None else literal(value) for value in values.values())
    said = f"({columns}) VALUES ({given})" if values else "DEFAULT VALUES"
    insert = f"INSERT INTO {identifier(*table)} AS r {said} RETURNING to_jsonb(r)::text"
    session.run([Command("SAVEPOINT bgce_row")])
    try:
        replies = session.run([Command(set_role(owner)), Command(insert), Command(set_role(None))])
    except Failed:
        session.run([Command("ROLLBACK TO SAVEPOINT bgce_row"), Command("RELEASE SAVEPOINT bgce_row")])
        raise
    session.run([Command("RELEASE SAVEPOINT bgce_row")])
    rows = replies[1].rows
    row: dict[str, Any] = json.loads(rows[0][0] or "{}") if rows else {}
    return row


def rows_of(session: Session, table: tuple[str, str], owner: str) -> list[dict[str, Any]]:
    """All rows of a table, read as its owner inside an open transaction."""
    told = f"SELECT coalesce(json_agg(to_jsonb(r)), '[]')::text FROM {identifier(*table)} r"
    replies = session.run([Command(set_role(owner)), Command(told), Command(set_role(None))])
    rows: list[dict[str, Any]] = json.loads(replies[1].rows[0][0] or "[]")
    return rows
