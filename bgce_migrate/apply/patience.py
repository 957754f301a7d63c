"""What a waiting call looks at meanwhile: requests to stop, who blocks it, a COMMIT without an answer."""

from __future__ import annotations

from collections.abc import Callable

from bgce_migrate.apply import faults
from bgce_migrate.apply.audit import Audit
from bgce_migrate.apply.context import Context
from bgce_migrate.db.session import Session
from bgce_migrate.db.wire import Lost
from bgce_migrate.errors import Interrupted

_GRACE = 5.0  # seconds from a request to stop until the answer is not waited for any longer


class Patience:
    """Makes the `on_tick` callbacks of one runner's calls; `blockers` gathers who was in the way."""

    def __init__(self, context: Context, audit: Audit) -> None:
        self.context = context
        self.audit = audit
        self.blockers: dict[str, None] = {}

    def body(self, session: Session) -> Callable[[float], None]:
        """Called while a body runs: notices a stop request and who blocks us."""
        cancelled: float | None = None

        def on_tick(seconds: float) -> None:
            nonlocal cancelled
            if self.context.stop.requested and cancelled is None:
                cancelled = seconds
                session.cancel()
            if cancelled is not None and seconds - cancelled > _GRACE:
                session.close()
                raise Interrupted(
                    "interrupted; the server does not answer the request to cancel",
                    hint="nothing of the step can be committed any more; the next run waits for its end",
                )
            if seconds > 0.1:
                for row in () if self.context.facts.pooled else self.audit.blockers(session.libpq_pid):
                    self.blockers[faults.describe_blocker(row)] = None

        return on_tick

    def commit(self, session: Session) -> Callable[[float], None]:
        """Called while COMMIT runs: what ends the waiting, never the COMMIT."""
        asked: float | None = None
        look_at = self.context.limits.resolve_timeout

        def on_tick(seconds: float) -> None:
            nonlocal asked, look_at
            if self.context.stop.requested and asked is None:
                asked = seconds
            if asked is not None and seconds - asked > _GRACE:
                session.close()
                raise Lost("interrupted while COMMIT had no answer")
            if seconds >= look_at and not self.context.facts.pooled:
                look_at = seconds + 1
                if self.audit.awaits_standby(session.libpq_pid):
                    session.close()
                    raise Lost(f"COMMIT has waited {seconds:.0f} s for a synchronous standby (backend {session.libpq_pid})")

        return on_tick
