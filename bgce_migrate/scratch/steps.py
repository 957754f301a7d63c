"""Running the two files of a migration on scratch: within one transaction, or as the real run would commit them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import msgspec

from bgce_migrate.apply.context import Context
from bgce_migrate.apply.owned import Owned, settings_of
from bgce_migrate.apply.units import cut
from bgce_migrate.db.session import Session
from bgce_migrate.db.statements import set_role, set_session_role, settings
from bgce_migrate.db.wire import Command, Failed
from bgce_migrate.migration import Mode, Script


def within(context: Context, session: Session, owned: Owned, script: Script) -> None:
    """Run a file inside an open transaction, as its owner's role; deferred triggers fire at its end.

    Raises:
        Failed: the server refused a statement; the transaction is aborted.
    """
    session.run(_prologue(context, session, owned, script))
    if script.mode is Mode.OPAQUE:
        _simple(session, script)
    else:
        session.run([Command(s.text, keep_rows=False) for s in script.statements])
    session.run([Command("SET CONSTRAINTS ALL IMMEDIATE"), Command(set_role(None))])


def committed(context: Context, session: Session, owned: Owned, script: Script, grants: Iterable[str] = ()) -> None:
    """Run a file as it runs for real: one transaction, or unit by unit where it cannot be in one.

    Raises:
        Failed: the server refused a statement.
    """
    owner = [Command(set_role(owned.owner))] if owned.owner else []
    if script.mode is not Mode.JOURNAL:
        session.run([Command("BEGIN")])
        within(context, session, owned, script)
        session.run([*owner, *map(Command, grants), Command("COMMIT")])
        return
    text, values = settings(session.server_version, settings_of(context, _with(owned, script)), local=False)
    role = [Command(set_session_role(owned.owner))] if owned.owner else []
    session.run([Command("RESET ALL"), Command(text, values), *role])
    for unit in cut(script):
        body = [Command(s.text, keep_rows=False) for s in unit.statements]
        if len(body) > 1 or unit.rolls_back:
            session.run([Command("BEGIN"), *body, Command("ROLLBACK" if unit.rolls_back else "COMMIT")])
        else:
            # By itself, so that what cannot run in a transaction block is in none: a pipeline is one to the server.
            session.connection.execute(unit.statements[0].text.encode())
    session.run([*map(Command, grants), Command(set_session_role(None)), Command("RESET ALL")])


def _prologue(context: Context, session: Session, owned: Owned, script: Script) -> Sequence[Command]:
    text, values = settings(session.server_version, settings_of(context, _with(owned, script)))
    role = [Command(set_role(owned.owner))] if owned.owner else []
    return [Command("RESET ALL"), Command(set_role(None)), Command(text, values, keep_rows=False), *role]


def _with(owned: Owned, script: Script) -> Owned:
    return msgspec.structs.replace(owned, step=msgspec.structs.replace(owned.step, script=script))


def _simple(session: Session, script: Script) -> None:
    """A text that our grammar does not know, as one simple query."""
    import psycopg

    try:
        session.connection.execute(script.statements[0].text.encode())
    except psycopg.Error as error:
        raise Failed(0, error) from None
