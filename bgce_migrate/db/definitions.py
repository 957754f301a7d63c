"""What a writer of DDL asks the server beside the catalog's values: whole routines, reserved words, hidden names."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from bgce_migrate.db.acl import PIN
from bgce_migrate.db.session import Session
from bgce_migrate.db.wire import Command
from bgce_migrate.fingerprint.model import quoted


class Definitions(Struct, frozen=True):
    """Texts and words of one database.

    Attributes:
        reserved: words that must be quoted where they are names.
        hidden: names in schema public that mean something of the server's where no schema is said.
        routines: CREATE statements by name with argument types, as a fingerprint calls them.
    """

    reserved: frozenset[str]
    hidden: frozenset[str]
    routines: Mapping[str, str]


def read_definitions(session: Session) -> Definitions:
    """One round trip, read only."""
    replies = session.run([
        Command("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"), Command(PIN),
        Command(session.query("adopt", "reserved")), Command(session.query("adopt", "hidden")),
        Command(session.query("adopt", "routine_texts")), Command("COMMIT"),
    ])  # fmt: skip
    words, hidden, routines = (reply.rows for reply in replies[2:5])
    return Definitions(
        frozenset(row[0] or "" for row in words),
        frozenset(row[0] or "" for row in hidden),
        {f"{quoted(s or '')}.{quoted(n or '')}{arguments}": text or "" for s, n, arguments, text in routines},
    )
