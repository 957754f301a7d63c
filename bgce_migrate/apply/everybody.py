"""What PostgreSQL gives everybody in a database and `bootstrap` takes: temporary tables."""

from __future__ import annotations

from collections.abc import Sequence

from bgce_migrate.db import statements as st
from bgce_migrate.db.session import Session
from bgce_migrate.domain import Domain


def close_database(session: Session, domains: Sequence[Domain]) -> list[str]:
    """Temporary tables are for owners, whose migrations may want them; nothing where the database is another's."""
    database = session.ask("target", "own_database")
    if not database:
        return []
    name = [database[0][0] or ""]
    found = {grantee or "" for (grantee,) in session.ask("target", "temporary")}
    out = [st.grant(["TEMPORARY"], "DATABASE", name, d.owner) for d in domains if d.owner not in found]
    return [*out, *([st.revoke_public("TEMPORARY", "DATABASE", name)] if "" in found else [])]


def close_new_database(name: str, domains: Sequence[Domain]) -> list[str]:
    """The same for a database that is yet to be made."""
    out = [st.grant(["TEMPORARY"], "DATABASE", [name], d.owner) for d in domains]
    return [*out, st.revoke_public("TEMPORARY", "DATABASE", [name])]
