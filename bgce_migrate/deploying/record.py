"""Deployments in the history: each event is a row of its own, in the chain of the domain it is about."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bgce_migrate.apply import recording
from bgce_migrate.apply.context import Limits, RunInfo
from bgce_migrate.apply.marks import leading
from bgce_migrate.apply.target import Target
from bgce_migrate.db.wire import Failed
from bgce_migrate.deploying.model import EVERYTHING, Event, Standing
from bgce_migrate.errors import Refused

#: The name of the correction row; its text is the word and the scope.
DEPLOYMENT = "deployment"


def read_events(target: Target, deployment: str) -> tuple[Event, ...]:
    """What history says of this deployment, and of others since its first row; oldest first. One round trip."""
    if target.state.meta is None:
        return ()
    rows = target.control.ask("deployments", "events", deployment)
    found = []
    for history_id, run_id, of, said in rows:
        word, _, scope = (said or "").partition(" ")
        found.append(Event(int(history_id or 0), run_id or "", of or "", word, scope or EVERYTHING))
    return tuple(found)


def standings(events: Sequence[Event]) -> tuple[Standing, ...]:
    """By deployment and scope, in the order of their first events."""
    found: dict[tuple[str, str], list[Event]] = {}
    for event in events:
        found.setdefault((event.deployment, event.scope), []).append(event)
    return tuple(Standing(*key, tuple(of)) for key, of in found.items())


def standing(events: Sequence[Event], deployment: str, scope: str) -> Standing:
    """Of one deployment in one scope."""
    return Standing(deployment, scope, tuple(e for e in events if (e.deployment, e.scope) == (deployment, scope)))


def write(
    target: Target, info: RunInfo, limits: Limits, scope: str, word: str, domains: Sequence[str],
    *, check: Callable[[Standing], None] = lambda _: None,
) -> None:  # fmt: skip
    """Record one event under the run's lock.

    Args:
        info: with the deployment's id.
        domains: those of the project; what is about all of them stands in the first one's chain.
        check: is told under the lock where the deployment stands; what it raises leaves all as it was.

    Raises:
        Unavailable: another run holds the lock.
        Refused: this login may not.
    """
    domain = domains[0] if scope == EVERYTHING else scope
    with leading(target, info, limits) as leadership:
        check(standing(read_events(target, info.deployment or ""), info.deployment or "", scope))
        row = recording.correction_row(info, DEPLOYMENT, f"{word} {scope}")
        call = recording.record(target.control, leadership.epoch, domain, target.state.heads.get(domain), row)
        try:
            target.control.run([call])
        except Failed as failed:
            raise Refused(f"the history of {domain} takes no such row: {failed.error}") from None
    target.reread()
