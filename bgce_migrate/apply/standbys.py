"""Before a run's first step: which sessions on the replicas its locks would have to wait for there."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence

from bgce_migrate.apply.context import Progress
from bgce_migrate.db.standbys import Readers, StandbySession, readers
from bgce_migrate.domain import Domain
from bgce_migrate.errors import BgceError
from bgce_migrate.migration import MigrationId, Plan

#: A session that uses a table for less (seconds) is ordinary work and soon over.
SHORT = 1.0
#: In all; a replica that does not answer holds no run up for longer.
PATIENCE = 2.0
_QUERY = 80  # characters of a query that are shown


class StandbyLook:
    """Asks all replicas at the same time, beside what a run does anyway before its first step.

    Nobody is asked where the plan takes no ACCESS EXCLUSIVE on a table that exists: only that goes to standbys.

    Args:
        replicas: name and address of each.
    """

    def __init__(self, replicas: Sequence[tuple[str, str]], plan: Plan, domains: Mapping[str, Domain]) -> None:
        self._locked = _locked(plan, domains) if replicas else {}
        self._said: dict[str, Readers | BgceError] = {}
        self._threads = {
            name: threading.Thread(target=self._ask, args=(name, conninfo), daemon=True)
            for name, conninfo in (replicas if self._locked else ())
        }
        self._end = time.monotonic() + PATIENCE
        for thread in self._threads.values():
            thread.start()

    def tell(self, progress: Progress) -> tuple[str, ...]:
        """What was found, in words; waits for answers, but not longer than `PATIENCE` after it was made."""
        for thread in self._threads.values():
            thread.join(max(self._end - time.monotonic(), 0))
        lines = tuple(line for name in self._threads for line in self._words(name, self._said.get(name)))
        for line in lines:
            # Now and not only in the report: somebody may want to end that session first.
            progress.note(line)
        return lines

    def _ask(self, name: str, conninfo: str) -> None:
        try:
            self._said[name] = readers(conninfo, tuple(self._locked))
        except BgceError as error:
            self._said[name] = error

    def _words(self, name: str, said: Readers | BgceError | None) -> list[str]:
        if not isinstance(said, Readers):
            why = said.message if said is not None else f"no answer within {PATIENCE:g} s"
            return [f"{name}: whether queries there hold up the replay of this run is not known: {why}"]
        if not said.recovering:
            return []
        return [self._line(name, said.delay, s) for s in said.sessions if s.seconds is None or s.seconds >= SHORT]

    def _line(self, name: str, delay: str, session: StandbySession) -> str:
        who = f"{session.login or 'a login'}" + (f" ({session.application})" if session.application else "")
        tables = session.tables.replace("public.", "")
        step = next((i for t, i in self._locked.items() if ".".join(t) in session.tables.split(", ")), None)
        ends = {"-1": "without end", "0": "not at all: it is cancelled at once"}.get(delay, f"up to {delay}, then it is cancelled")
        words = " ".join(session.query.split())
        query = f": {words[:_QUERY]}{'...' if len(words) > _QUERY else ''}" if words else ""
        age = f"for {session.seconds:.0f} s" if session.seconds is not None else "for a time that this login may not see"
        return f"{name}: {who}, pid {session.pid}, uses {tables} {age}; replay of {step} waits for it {ends}{query}"


def _locked(plan: Plan, domains: Mapping[str, Domain]) -> dict[tuple[str, str], MigrationId]:
    from bgce_migrate.plan.exclusive import exclusive

    found = exclusive(plan.steps, {name: domain.schema for name, domain in domains.items()})
    return {(schema or "public", name): step for (schema, name), step in found.items()}
