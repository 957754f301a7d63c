"""Makes a database's rights the wanted ones: under the run's lock, as each object's owner, read back before COMMIT."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence

from msgspec import Struct

from bgce_migrate.apply import faults
from bgce_migrate.apply.context import Context
from bgce_migrate.apply.hands import Hand, Hands
from bgce_migrate.apply.leader import Leadership
from bgce_migrate.db import acl, rights_sql
from bgce_migrate.db import statements as st
from bgce_migrate.db.session import Session
from bgce_migrate.db.wire import Command, Failed
from bgce_migrate.errors import Refused, Unavailable
from bgce_migrate.grants.changes import Change
from bgce_migrate.grants.current import Current
from bgce_migrate.grants.difference import Difference, difference
from bgce_migrate.grants.scope import Mode, Scope
from bgce_migrate.grants.surroundings import wanted

#: Warnings: privilege not granted, not revoked.
_WITHOUT_EFFECT = ("01007", "01006")


class Found(Struct, frozen=True):
    """What a database has, what it should have, and who can make which change.

    Attributes:
        possible: the changes that this login can make.
        left: those that take an administrator.
    """

    current: Current
    difference: Difference
    possible: tuple[tuple[Hand, Change], ...] = ()
    left: tuple[Change, ...] = ()


def find(session: Session, scope: Scope, mode: Mode, *, within: bool = False) -> Found:
    """Read and compare; changes nothing.

    Args:
        within: in the transaction that is under way.
    """
    current = acl.read(session, scope, within=within)
    access = wanted(scope, current)
    found = difference(scope, access, current, mode)
    hands = Hands.of(scope, current, access)
    made = [(hands.make(change), change) for change in found.changes]
    return Found(
        current,
        found,
        tuple((hand, change) for hand, change in made if hand is not None),
        tuple(change for hand, change in made if hand is None),
    )


def apply(context: Context, control: Session, scope: Scope, mode: Mode) -> Found:
    """Make what differs as wanted, as far as this login can; takes no lock where nothing is to do.

    Returns:
        What was found under the lock, and so what was changed.

    Raises:
        Unavailable: another run holds the lock, or others were in the way all the time; nothing was changed.
        Refused: the server refused, or does not have afterwards what was to be; nothing was changed.
    """
    found = find(control, scope, mode)
    if not found.possible or mode is Mode.OBSERVE:
        return found
    session = context.access.lead()
    try:
        for attempt in range(context.limits.retries + 1):
            try:
                return _once(context, control, session, scope, mode, found.current)
            except Failed as failed:
                if not faults.is_retriable(failed.error):
                    raise
                trouble = str(failed.error).strip()
            except _Moved as moved:
                trouble = str(moved)
            if session.usable:
                session.execute("ROLLBACK")
            context.progress.waiting(f"trying again: {trouble}")
            context.stop.sleep(random.uniform(0.05, 0.2) * (attempt + 1))
    finally:
        session.close()
    raise Unavailable(
        f"others changed or held the same objects in {context.limits.retries + 1} attempts: {trouble}",
        hint="nothing half done is left; run it again when it is quieter",
    )


class _Moved(Exception):
    """Read back, something differs again: somebody has just changed it."""


def _once(
    context: Context, control: Session, session: Session, scope: Scope, mode: Mode, before: Current
) -> Found:
    """One attempt: lock, read, change, read back, COMMIT."""
    lent = _migrator_lent(scope, before)
    Leadership(context, control).take_lock(session, [*_lend(before, lent), *_as_migrator(scope, before, lent)])
    limits, values = st.settings(session.server_version, _settings(context))
    session.run([Command(st.set_role(None)), *_take_back(before, lent), Command(limits, values)])
    found = find(session, scope, mode, within=True)
    if found.possible:
        _run(session, found.current, [(hand, change) for hand, change in found.possible if not hand.login])
        for login in dict.fromkeys(hand.login for hand, _ in found.possible if hand.login):
            with context.access.work(login) as own:
                own.run([Command("BEGIN"), Command(limits, values)])
                _run(own, found.current, [(hand, change) for hand, change in found.possible if hand.login == login])
                own.run([Command("COMMIT")])
        _require_done(session, find(session, scope, mode, within=True))
    session.run([Command("COMMIT")])
    return found


def _migrator_lent(scope: Scope, current: Current) -> tuple[str, ...]:
    """An administrator who is no superuser takes the run lock as the migrator."""
    migrator = current.accounts.get(st.MIGRATOR)
    if not scope.guarded or current.superuser or migrator is None or migrator.usable or migrator.settable:
        return ()
    return (st.MIGRATOR,) if migrator.administrable else ()


def _as_migrator(scope: Scope, current: Current, lent: tuple[str, ...]) -> list[Command]:
    migrator = current.accounts.get(st.MIGRATOR)
    may = bool(lent) or (migrator is not None and migrator.settable and current.session != st.MIGRATOR)
    return [Command(st.set_role(st.MIGRATOR))] if scope.guarded and may else []


def _settings(context: Context) -> dict[str, str]:
    return {
        "search_path": "pg_catalog, pg_temp",
        "lock_timeout": context.limits.lock_timeout,
        "statement_timeout": context.limits.statement_timeout,
        "client_min_messages": "warning",
    }


def _lend(current: Current, roles: Iterable[str]) -> list[Command]:
    return [Command(rights_sql.lend(role, current.session, current.server_version)) for role in roles]


def _take_back(current: Current, roles: Iterable[str]) -> list[Command]:
    return [Command(st.revoke_role(role, current.session)) for role in roles]


def _run(session: Session, current: Current, changes: Sequence[tuple[Hand, Change]]) -> None:
    """The statements in one round trip, with a change of role only where the next one needs another."""
    borrowed = list(dict.fromkeys(role for hand, _ in changes for role in hand.borrowed))
    commands = _lend(current, borrowed)
    acting = ""
    for hand, change in changes:
        if hand.role != acting:
            acting = hand.role
            commands.append(Command(st.set_role(acting or None)))
        commands.append(Command(rights_sql.statement(change, current.server_version)))
    commands += [Command(st.set_role(None)), *_take_back(current, borrowed)]
    try:
        session.run(commands)
    except Failed as failed:
        if faults.is_retriable(failed.error):
            raise
        raise Refused(
            f"the server refused {commands[failed.index].sql}: {str(failed.error).strip()}",
            hint=f"nothing was changed; see what login {current.session} may do: bgce-migrate doctor",
        ) from None


def _require_done(session: Session, after: Found) -> None:
    """What the server took without a word but did not do is told by reading once more."""
    if not after.possible:
        return
    text = rights_sql.statement(after.possible[0][1], session.server_version)
    said = [message for state, message, _ in session.warnings if state in _WITHOUT_EFFECT]
    if not said:
        raise _Moved(f"{text} is needed again")
    raise Refused(
        f"login {after.current.session} could not: {text}",
        hint=f"an administrator runs: bgce-migrate grants apply (the server said: {said[0]})",
    )
