"""What stands between a step's body and its COMMIT: the login's role back, what was touched, what still waits."""

from __future__ import annotations

from collections.abc import Callable, Set

from bgce_migrate.apply import faults, late
from bgce_migrate.apply.audit import Audit
from bgce_migrate.apply.context import Context
from bgce_migrate.apply.owned import Owned, settings_of
from bgce_migrate.db.session import Rows, Session
from bgce_migrate.db.statements import set_role, set_session_role, settings
from bgce_migrate.db.wire import Command, Failed
from bgce_migrate.errors import StepFailed

#: A body may set these for itself; our own part of the step must not run into them.
_LIMITS = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout", "transaction_timeout")
#: How often triggers that wait may make others wait.
_ROUNDS = 8

Row = tuple[str | None, ...]


def tail(context: Context, session: Session, owned: Owned) -> list[Command]:
    """What follows a body in its round trip: the session's own role, our limits again, what the step has touched."""
    wanted = settings_of(context, owned)
    text, values = settings(session.server_version, {name: wanted[name] for name in _LIMITS})
    return [
        # COMMIT would run the query of a cursor WITH HOLD, after everything was looked at.
        *([Command("CLOSE ALL")] if owned.owner else []),
        # For the session, not only the transaction: a role that a hostile body has left behind a ROLLBACK of its own
        # must not stay on a pooled connection.
        Command(set_session_role(None)),
        Command(text, values, keep_rows=False),
        *([Command(session.query("locks", "held"), (owned.owner,))] if owned.owner else []),
    ]


def key(row: Row) -> Row:
    """What makes two rows of `locks.held` the same, seen from two steps of one transaction."""
    return row[:5]


def close(
    context: Context,
    audit: Audit,
    session: Session,
    owned: Owned,
    held: Rows,
    on_tick: Callable[[float], None],
    seen: Set[Row] = frozenset(),
) -> tuple[str, ...]:
    """Refuse what is not the domain's own, and let run what waits for COMMIT as long as it can still be refused.

    Args:
        held: what the body's `tail` has read.
        seen: keys of rows that an earlier step of the same transaction has answered for.

    Returns:
        Statements that the owner must still run in the step's transaction.

    Raises:
        StepFailed: something is not the domain's own. The transaction is still open.
        Failed: a trigger that waited has failed.
    """
    if owned.owner is None:
        return ()
    waiting: tuple[late.Late, ...] = ()
    for _ in range(_ROUNDS):
        fresh = tuple(row for row in held if key(row) not in seen)
        audit.check(owned.step, owned.owner, owned.parents, fresh, session)
        found = late.found(held)
        if found == waiting:
            given = owned.gift.found(session, owned.owner, fresh) if owned.gift is not None else ()
            return (*given, *late.require_none(waiting))
        waiting = found
        fire = [set_role(owned.owner), *late.fire(waiting)]
        try:
            replies = session.run([*map(Command, fire), *tail(context, session, owned)], on_tick=on_tick)
        except Failed as caught:
            raise Failed(-1, caught.error) from None
        held = replies[-1].rows
    raise StepFailed(
        f"{owned.step.id} was rolled back: its deferred triggers make ever more of each other wait",
        hint="make them INITIALLY IMMEDIATE",
        where=faults.place(owned.step, None, None),
    )
