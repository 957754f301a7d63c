"""Running the two files of a migration on scratch: within one transaction, or as the real run would commit them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

import msgspec

from bgce_migrate.apply.context import Context
from bgce_migrate.apply.owned import Owned, settings_of
from bgce_migrate.apply.units import cut
from bgce_migrate.db.session import Session
from bgce_migrate.db.statements import set_role, set_session_role, settings
from bgce_migrate.db.wire import Command, Failed
from bgce_migrate.migration import Mode, Script, Statement


class Running(Protocol):
    """How statements are sent: plainly, or with somebody looking on."""

    def together(self, session: Session, statements: Sequence[Statement]) -> None:
        """Inside an open transaction."""

    def simply(self, session: Session, statement: Statement) -> None:
        """A text that our grammar does not know, as one simple query inside an open transaction."""

    def alone(self, session: Session, statement: Statement) -> None:
        """By itself, outside any transaction."""


class Plainly:
    """Nobody looks on."""

    def together(self, session: Session, statements: Sequence[Statement]) -> None:
        """One pipeline."""
        session.run([Command(s.text, keep_rows=False) for s in statements])

    def simply(self, session: Session, statement: Statement) -> None:
        """One simple query."""
        import psycopg

        try:
            session.connection.execute(statement.text.encode())
        except psycopg.Error as error:
            raise Failed(0, error) from None

    def alone(self, session: Session, statement: Statement) -> None:
        """By itself, so that what cannot run in a transaction block is in none: a pipeline is one to the server."""
        session.connection.execute(statement.text.encode())


PLAINLY = Plainly()


def within(
    context: Context, session: Session, owned: Owned, script: Script, running: Running = PLAINLY
) -> None:
    """Run a file inside an open transaction, as its owner's role; deferred triggers fire at its end.

    Raises:
        Failed: the server refused a statement; the transaction is aborted.
    """
    session.run(_prologue(context, session, owned, script))
    if script.mode is Mode.OPAQUE:
        running.simply(session, script.statements[0])
    else:
        running.together(session, script.statements)
    session.run([Command("SET CONSTRAINTS ALL IMMEDIATE"), Command(set_role(None))])


def at_once(context: Context, session: Session, several: Sequence[Owned]) -> int:
    """Run ups as `committed` does, in one round trip, and say how many are in; the next one was refused.

    Args:
        several: steps of whose scripts each is one transaction that our grammar knows.
    """
    commands: list[Command] = []
    ends: list[int] = []
    for owned in several:
        script = owned.step.script
        owner = [Command(set_role(owned.owner))] if owned.owner else []
        commands += [Command("BEGIN"), *_prologue(context, session, owned, script)]
        commands += [Command(s.text, keep_rows=False) for s in script.statements]
        commands += [Command("SET CONSTRAINTS ALL IMMEDIATE"), Command(set_role(None))]
        commands += [*owner, *map(Command, owned.grants), Command("COMMIT")]
        ends.append(len(commands))
    try:
        session.run(commands)
    except Failed as failed:
        session.run([Command("ROLLBACK")])
        return sum(end <= failed.index for end in ends)
    return len(several)


def committed(
    context: Context,
    session: Session,
    owned: Owned,
    script: Script,
    grants: Iterable[str] = (),
    running: Running = PLAINLY,
) -> None:
    """Run a file as it runs for real: one transaction, or unit by unit where it cannot be in one.

    Raises:
        Failed: the server refused a statement.
    """
    owner = [Command(set_role(owned.owner))] if owned.owner else []
    if script.mode is not Mode.JOURNAL:
        session.run([Command("BEGIN")])
        within(context, session, owned, script, running)
        session.run([*owner, *map(Command, grants), Command("COMMIT")])
        return
    text, values = settings(session.server_version, settings_of(context, _with(owned, script)), local=False)
    role = [Command(set_session_role(owned.owner))] if owned.owner else []
    session.run([Command("RESET ALL"), Command(text, values), *role])
    for unit in cut(script):
        if len(unit.statements) > 1 or unit.rolls_back:
            session.run([Command("BEGIN")])
            running.together(session, unit.statements)
            session.run([Command("ROLLBACK" if unit.rolls_back else "COMMIT")])
        else:
            running.alone(session, unit.statements[0])
    session.run([*map(Command, grants), Command(set_session_role(None)), Command("RESET ALL")])


def _prologue(context: Context, session: Session, owned: Owned, script: Script) -> Sequence[Command]:
    text, values = settings(session.server_version, settings_of(context, _with(owned, script)))
    role = [Command(set_role(owned.owner))] if owned.owner else []
    return [Command("RESET ALL"), Command(set_role(None)), Command(text, values, keep_rows=False), *role]


def _with(owned: Owned, script: Script) -> Owned:
    return msgspec.structs.replace(owned, step=msgspec.structs.replace(owned.step, script=script))
