"""Reads other tools' bookkeeping: which tables could be such, and their rows. Changes nothing."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from bgce_migrate.db.session import Rows, Session
from bgce_migrate.db.statements import identifier
from bgce_migrate.db.wire import Command, Failed
from bgce_migrate.errors import Refused

_MOST = 100_000  # rows; more is no bookkeeping


def candidates(session: Session) -> tuple[tuple[str, str, Mapping[str, str]], ...]:
    """Tables that could be a tool's bookkeeping: schema, name, and columns with their types."""
    rows = session.ask("adopt", "version_tables", session.schema)
    return tuple((schema or "", name or "", json.loads(columns or "{}")) for schema, name, columns in rows)


def rows(session: Session, schema: str, table: str, columns: Iterable[str], order: str) -> Rows:
    """The rows of one table as text, oldest first.

    Args:
        order: the column that says what came first.

    Raises:
        Refused: this login may not read it.
    """
    listed = ", ".join(f"{identifier(c)}::text" for c in columns)
    text = f"SELECT {listed} FROM {identifier(schema, table)} ORDER BY {identifier(order)} LIMIT {_MOST}"
    try:
        replies = session.run([Command("BEGIN READ ONLY"), Command(text), Command("COMMIT")])
    except Failed as failed:
        session.execute("ROLLBACK")
        login = session.connection.info.user
        raise Refused(
            f"login {login} cannot read {schema}.{table}: {failed.error.diag.message_primary}",
            hint=f"GRANT SELECT ON {identifier(schema, table)} TO {identifier(login)}",
        ) from None
    return replies[1].rows


def dropped_columns(session: Session) -> Mapping[tuple[str, str], int]:
    """How many columns each table has lost since it was made, by schema and name; only tables that lost some."""
    found = session.ask("adopt", "dropped_columns")
    return {(schema or "", name or ""): int(count or 0) for schema, name, count in found}
