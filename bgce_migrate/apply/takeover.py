"""Tables that services made themselves go to their domain's owner role, one short transaction each, under load."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Sequence

from msgspec import Struct

from bgce_migrate.apply.faults import describe_blocker, is_retriable
from bgce_migrate.apply.taking import Item, TakePlan
from bgce_migrate.db import rights_sql
from bgce_migrate.db import statements as st
from bgce_migrate.db.session import Session
from bgce_migrate.db.wire import Command, Failed, Lost
from bgce_migrate.errors import Refused, Unavailable

#: The part of the server's deadlock_timeout that all waits of a transaction have together: whoever we hold up must
#: never be the one that the server ends for a deadlock.
_PART = 0.8
_PAUSES = (0.2, 0.8)  # seconds between two tries: programs come first


class Patience(Struct, frozen=True):
    """How long a statement waits for a lock (milliseconds), and one object in all (seconds)."""

    lock_timeout: int = 200
    retry_for: float = 60.0


class Taken(Struct, frozen=True):
    """An object that has its new owner."""

    item: Item
    tries: int


def run(
    open_session: Callable[[], Session], plan: TakePlan, patience: Patience, tell: Callable[[Taken], None]
) -> tuple[Taken, ...]:
    """Take over everything that is planned; what is done stands whatever happens to the rest.

    Args:
        open_session: opens one more session of the administrator.
        tell: called after each object.

    Raises:
        Refused: this administrator may not act for a former owner.
        Unavailable: some objects were in use for too long; names them and who uses them.
    """
    done: list[Taken] = []
    left: dict[str, str] = {}
    if not plan.items:
        return ()
    with open_session() as session, open_session() as look:
        deadlock, superuser = (value or "" for value in session.ask("takeover", "patience")[0])
        borrowed = _borrow(session, plan)
        try:
            for item in plan.items:
                mover = _Mover(session, look, patience, int(deadlock), superuser == "true")
                tries = mover.move(item)
                if tries:
                    done.append(Taken(item, tries))
                    tell(done[-1])
                else:
                    left[str(item)] = "; ".join(mover.blockers) or "nobody that this login can see"
        except BaseException:
            # Interrupted in the middle of a call, say: what it had begun rolls back with its connection.
            session.close()
            raise
        finally:
            _give_back(session, open_session, plan, borrowed)
    if left:
        names = "; ".join(f"{name} is held by {who}" for name, who in left.items())
        raise Unavailable(
            f"{len(left)} of {len(plan.items)} could not be taken over: {names}",
            hint="what is taken over stands; run it again when they are free, or with a longer --retry-for",
        )
    return tuple(done)


def _give_back(session: Session, open_session: Callable[[], Session], plan: TakePlan, roles: Sequence[str]) -> None:
    if not roles:
        return
    with session if session.usable else open_session() as usable:
        for role in reversed(roles):
            usable.execute(st.revoke_role(role, plan.me))


def _borrow(session: Session, plan: TakePlan) -> list[str]:
    """Memberships for as long as this runs: who changes an owner acts for the old one and for the new one."""
    done: list[str] = []
    for role in plan.needs:
        try:
            session.execute(rights_sql.lend(role, plan.me, session.server_version))
        except Failed as failed:
            for lent in reversed(done):
                session.execute(st.revoke_role(lent, plan.me))
            raise Refused(
                f"{plan.me} may not act for {role}: {failed.error.diag.message_primary}",
                hint=f"run it as a superuser, or let one say: GRANT {st.identifier(role)} TO {st.identifier(plan.me)}"
                " WITH ADMIN OPTION; nothing was changed",
            ) from None
        done.append(role)
    return done


class _Mover:
    """Moves one object, again and again until it is free or the time is over."""

    def __init__(self, session: Session, look: Session, patience: Patience, deadlock: int, superuser: bool) -> None:
        self.session = session
        self.look = look
        self.patience = patience
        self.deadlock = deadlock
        self.superuser = superuser
        self.blockers: dict[str, None] = {}

    def move(self, item: Item) -> int:
        """How many tries it took; 0: it was never free."""
        deadline = time.monotonic() + self.patience.retry_for
        tries = 0
        while True:
            tries += 1
            try:
                self.session.run(self._commands(item), on_tick=self._look)
                return tries
            except Failed as failed:
                self.session.execute("ROLLBACK")
                if not is_retriable(failed.error):
                    raise _refused(item, failed) from None
            if time.monotonic() >= deadline:
                return 0
            time.sleep(random.uniform(*_PAUSES))

    def _commands(self, item: Item) -> list[Command]:
        wait = max(min(self.patience.lock_timeout, int(self.deadlock * _PART) // item.locks), 1)
        values = {
            "lock_timeout": f"{wait}ms", "statement_timeout": "0", "search_path": "pg_catalog",
            "idle_in_transaction_session_timeout": "10s",
        }  # fmt: skip
        if self.superuser:
            # We notice a deadlock before anybody else does, and an autovacuum in the way ends itself for us.
            values["deadlock_timeout"] = f"{max(wait // 2, 1)}ms"
        return [
            Command("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"),
            Command(*st.settings(self.session.server_version, values)),
            *(Command(statement) for statement in item.statements()),
            Command("COMMIT"),
        ]

    def _look(self, seconds: float) -> None:
        try:
            for row in self.look.ask("locks", "blockers", str(self.session.libpq_pid)):
                self.blockers[describe_blocker(row)] = None
        except (Failed, Lost):
            return


def _refused(item: Item, failed: Failed) -> Refused:
    return Refused(
        f"{item} stays with {item.former}: {failed.error.diag.message_primary}",
        hint="an administrator runs bootstrap first, so that the owner roles have CREATE on their schemas; "
        "what was taken over before stands",
    )


def script(plan: TakePlan, patience: Patience) -> Sequence[str]:
    """The same for psql: one transaction an object, each to be run again where it met a lock."""
    out = [rights_sql.lend(role, plan.me, plan.server_version) for role in plan.needs]
    for item in plan.items:
        timeout = f"SET LOCAL lock_timeout = '{patience.lock_timeout}ms'"
        out += ["BEGIN", timeout, *item.statements(), "COMMIT"]
    return [*out, *(st.revoke_role(role, plan.me) for role in reversed(plan.needs))]
