"""Layout plain: the bookkeeping that the connected role makes, owns and upgrades itself."""

from __future__ import annotations

import time

from bgce_migrate.db import statements as st
from bgce_migrate.db.session import Session
from bgce_migrate.db.target import BOOKKEEPING_VERSION, Facts, Meta
from bgce_migrate.db.wire import Command, Lost
from bgce_migrate.errors import Refused

_POLITE = 5.0  # seconds to let another session make the bookkeeping first


def create_plain(session: Session, facts: Facts, schema: str) -> None:
    """Layout plain: the connected role makes and owns the bookkeeping, once, whoever else tries at the same time."""
    key = "SELECT pg_try_advisory_xact_lock(hashtextextended('bgce-migrate ' || $1, 0))::text"
    deadline = time.monotonic() + _POLITE
    while True:
        session.run([
            Command("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"),
            Command("SELECT set_config('lock_timeout', '10s', true), set_config('statement_timeout', '0', true)"),
        ])  # fmt: skip
        # Polled: whoever waits inside the server can hold up others. But anybody may hold an advisory lock, so in
        # the end we go on without it, and the server's unique keys let only one through.
        if session.execute(key, schema)[0][0] == "true" or time.monotonic() > deadline:
            if not _is_made(session, schema):
                _make_plain(session, facts, schema)
            return
        session.execute("ROLLBACK")
        time.sleep(0.05)


def _make_plain(session: Session, facts: Facts, schema: str) -> None:
    try:
        session.connection.execute(st.script(st.bookkeeping(schema, "plain")).encode())
        session.execute("COMMIT")
    except Lost:
        raise
    except Exception as error:
        if not session.usable:
            raise Lost(str(error).strip()) from None
        session.execute("ROLLBACK")
        if _is_made(session, schema):
            return
        raise _cannot_create(facts, schema, str(error)) from None


def _is_made(session: Session, schema: str) -> bool:
    made = session.ask("target", "facts", schema)[0][12] == "true"
    if made:
        session.execute("ROLLBACK")
    return made


def _cannot_create(facts: Facts, schema: str, reason: str) -> Refused:
    return Refused(
        f"login {facts.login} cannot make the bookkeeping schema {schema} in {facts.database}: {reason}",
        hint="an administrator runs once: bgce-migrate bootstrap; or GRANT CREATE ON DATABASE to this login",
    )


def upgrade_plain(session: Session, facts: Facts, meta: Meta, schema: str) -> bool:
    """Bring an older bookkeeping in layout plain to this program's version; says whether it was older.

    Raises:
        Refused: this login does not own it.
    """
    if meta.layout != "plain" or meta.version >= BOOKKEEPING_VERSION:
        return False
    try:
        session.connection.execute(st.script(["BEGIN", *st.bookkeeping_upgrade(schema), "COMMIT"]).encode())
    except Exception as error:
        if not session.usable:
            raise Lost(str(error).strip()) from None
        session.execute("ROLLBACK")
        raise Refused(
            f"login {facts.login} cannot upgrade the bookkeeping in {schema} of {facts.database}: {error}",
            hint="run it once as the login that made the bookkeeping",
        ) from None
    return True
