"""After a lost connection: is it the same target, and did the step happen?"""

from __future__ import annotations

import time

from bgce_migrate.apply.context import Context
from bgce_migrate.apply.leader import Leadership
from bgce_migrate.db.session import Session
from bgce_migrate.db.target import read_facts, require_changeable
from bgce_migrate.db.wire import Failed, Lost
from bgce_migrate.errors import HistoryBroken, Interrupted, NeedsHuman, Refused, Unavailable, Where
from bgce_migrate.migration import Step
from bgce_migrate.outcome import Head

_PAUSE = 0.25  # seconds between tries to connect


def await_same_target(context: Context) -> Session:
    """Connect again, within `resolve_timeout`, and make sure that it is the cluster the run began on.

    Raises:
        Unavailable: no server answers in time.
        HistoryBroken: another cluster answers at the address, or an older timeline.
    """
    deadline = time.monotonic() + context.limits.resolve_timeout
    while True:
        try:
            session = context.access.lead()
            facts = read_facts(session)
            require_changeable(facts)
        except (Unavailable, Lost, Failed, Refused) as error:
            if time.monotonic() >= deadline:
                raise Unavailable(
                    f"the connection was lost and no usable server answers since: {error}",
                    hint="run again when the server is back: what is applied is recorded",
                ) from None
            context.stop.sleep(_PAUSE)
            continue
        was = context.facts
        if (facts.system_identifier, facts.database_oid) != (was.system_identifier, was.database_oid):
            session.close()
            raise HistoryBroken("another cluster answers at this address now", hint="check the address; look at both")
        if facts.timeline < was.timeline:
            session.close()
            raise HistoryBroken(
                f"the cluster went back from timeline {was.timeline} to {facts.timeline}",
                hint="bgce-migrate history --verify --after RECEIPT shows what is missing",
            )
        return session


def resolve(context: Context, leadership: Leadership, step: Step, attempt: str) -> Head | None:
    """Whether the attempt whose COMMIT was not answered is in the history.

    Raising the epoch waits until the old transaction is gone, so the answer is final.

    Returns:
        The head it made, or None: it did not happen and may be tried again.

    Raises:
        NeedsHuman: it cannot be decided within `resolve_timeout`.
    """
    try:
        control = await_same_target(context)
        leadership.retake(control)
        rows = control.ask("history", "attempt", attempt)
    except (Unavailable, Lost, Failed, Interrupted) as error:
        raise NeedsHuman(
            f"{step.id}: the answer to COMMIT was lost and the outcome cannot be found out: {error}",
            hint=f"look for attempt {attempt} in migration_history, and for waiting backends (wait_event SyncRep)"
            " in pg_stat_activity; then run again",
            where=Where(step.script.source.path),
        ) from None
    if not rows:
        return None
    _, sequence, row_hash = rows[0]
    return Head(int(sequence or 0), row_hash or "")
