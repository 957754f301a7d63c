"""Looks again and again whether migrations are applied: one small question a time, nothing held in between."""

from __future__ import annotations

import math
import random
import re
import time
from collections.abc import Iterable
from types import TracebackType

from msgspec import Struct

from bgce_migrate.db.queries import array
from bgce_migrate.db.session import Rows, Session, connect, parameters
from bgce_migrate.db.wire import Failed, Lost
from bgce_migrate.errors import NotReady, Refused, Unavailable, UsageError
from bgce_migrate.migration import MigrationId

#: What nobody has made yet is no error: schema, relation, database and role come with the migrations.
_NOT_YET = frozenset({"3F000", "42P01"})
_NO_FUNCTION, _NO_RIGHT = "42883", "42501"
#: Seconds between two looks at a server that answers, and the longest between two tries to reach one.
POLL, RETRY = 0.03, 1.0
#: After so many seconds nobody is in a hurry any more.
_PATIENT, _SLOW = 60.0, 0.25
_NEED = re.compile(r"\s*(?P<domain>[^\s/>=]+)\s*(?:/|>=)\s*(?P<version>[0-9]{1,18})(?:_\S*)?\s*\Z")


def need(text: str) -> MigrationId:
    """`cortex>=000004`, `cortex/000004` or `cortex/000004_name`: they mean the same.

    Raises:
        UsageError: it is of another form.
    """
    found = _NEED.match(text)
    if found is None:
        raise UsageError(f"'{text}' is not of the form domain>=version", hint="for example cortex>=000004")
    return MigrationId(found["domain"], int(found["version"]))


class End(Struct, frozen=True):
    """Where a run has ended in the WAL: in bytes from 0/0, on a timeline, and in PostgreSQL's own form."""

    position: int
    timeline: int
    shown: str


class Seen(Struct, frozen=True):
    """One look.

    Attributes:
        missing: what is not ready, sorted.
        reason: why nothing could be seen; empty where the history was read.
        pause: seconds until it is worth looking again.
    """

    missing: tuple[MigrationId, ...]
    reason: str
    pause: float


class Gate:
    """Waits for a set of migrations. A need is met when it is applied, and nothing of its domain below it is undone.

    Args:
        conninfo: for libpq; empty takes libpq's own variables.
        timeout: seconds from now on; also bridges a server that does not answer yet.
        end: of a standby: it must have replayed so far, too. A standby on another timeline is not held to it.
    """

    def __init__(
        self, needs: Iterable[MigrationId], conninfo: str, schema: str, timeout: float, end: End | None = None
    ) -> None:
        self.needs = tuple(sorted(set(needs)))
        self.schema = schema
        self.timeout = timeout
        self.started = time.monotonic()
        self._conninfo = conninfo
        self._known = parameters(conninfo)
        self._session: Session | None = None
        self._tries = 0
        self._missing = self.needs
        self._end = end

    @property
    def left(self) -> float:
        """Seconds until time is up."""
        return self.started + self.timeout - time.monotonic()

    def look(self) -> Seen:
        """Ask once; connects again where the connection broke.

        Raises:
            Refused: this login may not look.
        """
        try:
            ready = self._ready()
            behind = self._behind() if len(ready) == len(self.needs) and self._end is not None else ""
        except Unavailable as error:
            return self._away(error.said if isinstance(error, Lost) else error.message)
        except Failed as failed:
            state = failed.error.sqlstate or ""
            if state == _NO_RIGHT:
                raise self._forbidden(failed) from None
            if state in _NOT_YET:
                return self._answer(self.needs, "nothing was ever applied here")
            return self._away(str(failed.error).strip())
        return self._answer(self.needs if behind else tuple(i for i in self.needs if i not in ready), behind)

    def end(self) -> End | None:
        """Where the run has ended that brought what is needed; None where it has not, or nobody has recorded it."""
        try:
            rows = self._asked().ask("history", "run_end", *self._words())
        except (Failed, Unavailable):
            return None  # a bookkeeping from before it was recorded: the rows themselves say enough
        return End(int(rows[0][0] or 0), int(rows[0][1] or 0), rows[0][2] or "") if rows else None

    def closed(self, seen: Seen) -> NotReady | Unavailable:
        """What to say when time is up."""
        names = ", ".join(i.short for i in seen.missing)
        if seen.reason and self._session is None:
            return Unavailable(
                f"nobody could be asked within {self.timeout:g} s whether {names} is applied: {seen.reason}",
                hint="look whether the server runs and the address and the password are right",
            )
        why = f" ({seen.reason})" if seen.reason else ""
        return NotReady(
            f"not applied within {self.timeout:g} s: {names}{why}",
            hint="look at `bgce-migrate status`, and whether the migration job runs",
        )

    def close(self) -> None:
        """End the connection."""
        if self._session is not None:
            self._session.close()
            self._session = None

    def __enter__(self) -> Gate:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _ready(self) -> set[MigrationId]:
        return {MigrationId(r[0] or "", int(r[1] or 0)) for r in self._rows() if r[2] == "true"}

    def _rows(self) -> Rows:
        session, words = self._asked(), self._words()
        try:
            return session.ask("history", "ready", *words)
        except Failed as failed:
            if failed.error.sqlstate != _NO_FUNCTION:
                raise
        # A bookkeeping from before there was the function.
        return session.ask("history", "ready_by_view", *words)

    def _behind(self) -> str:
        """What a standby lacks of the run's end, in words; empty where it has everything, or is no standby of that timeline."""
        recovering, _, position, timeline = self._asked().ask("routing", "standing")[0]
        end = self._end
        if end is None or recovering != "true" or timeline is None or int(timeline) != end.timeline:
            return ""
        missing = end.position - int(position or 0)
        return f"it lacks {missing} bytes of the WAL up to {end.shown}, where the run has ended" if missing > 0 else ""

    def _asked(self) -> Session:
        self._session = self._session or connect(self._address(), self.schema, name="bgce-migrate wait")
        return self._session

    def _words(self) -> tuple[str, str]:
        return array(i.domain for i in self.needs), array(str(i.version) for i in self.needs)

    def _address(self) -> str:
        """No try may last longer than there is time."""
        if "connect_timeout" in self._known:
            return self._conninfo
        from psycopg.conninfo import make_conninfo

        return make_conninfo(self._conninfo, connect_timeout=min(10, max(2, math.ceil(self.left))))

    def _answer(self, missing: tuple[MigrationId, ...], reason: str) -> Seen:
        self._tries, self._missing = 0, missing
        hurry = time.monotonic() - self.started < _PATIENT
        return Seen(missing, reason, (POLL if hurry else _SLOW) * random.uniform(0.5, 1.5))

    def _away(self, reason: str) -> Seen:
        self.close()
        self._tries += 1
        pause = min(RETRY, POLL * 2 ** min(self._tries, 10)) * random.uniform(0.5, 1.5)
        return Seen(self._missing, reason, pause)

    def _forbidden(self, failed: Failed) -> Refused:
        return Refused(
            f"this login may not see what is applied: {str(failed.error).strip()}",
            hint=f"GRANT USAGE ON SCHEMA {self.schema} and SELECT ON {self.schema}.migration_state to it; bootstrap does",
        )
