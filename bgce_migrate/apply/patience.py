"""What a waiting call looks at meanwhile: requests to stop, who blocks it, a COMMIT without an answer."""

from __future__ import annotations

from collections.abc import Callable

from bgce_migrate.apply import faults
from bgce_migrate.apply.audit import Audit
from bgce_migrate.apply.context import Context
from bgce_migrate.apply.waits import Waits
from bgce_migrate.db.session import Session
from bgce_migrate.db.wire import Lost
from bgce_migrate.errors import Interrupted
from bgce_migrate.migration import Step

_GRACE = 5.0  # seconds from a request to stop until the answer is not waited for any longer


class Patience:
    """Makes the `on_tick` callbacks of one runner's calls.

    Attributes:
        step: the one under way.
        waits: for how long.
        pausable: whether what runs may be given up and begun again when somebody pauses the run.
    """

    def __init__(self, context: Context, audit: Audit) -> None:
        self.context = context
        self.audit = audit
        self._blockers: dict[str, str] = {}
        self.waits = Waits()
        self.step: Step | None = None
        self.pausable = True
        self._gave_way = False

    def begin(self, step: Step) -> None:
        """Another try of a step."""
        if step is not self.step:
            self._blockers.clear()
        self.step, self._gave_way = step, False
        self.waits.over()

    @property
    def blockers(self) -> tuple[str, ...]:
        """Who was in the way of any try of the step, each as last seen."""
        return tuple(self._blockers.values())

    def gave_way(self) -> bool:
        """Whether what just failed was given up for a pause, and nobody asked to stop; told once."""
        gave_way, self._gave_way = self._gave_way, False
        return gave_way and not self.context.stop.requested

    def body(self, session: Session, *, pausable: bool = True) -> Callable[[float], None]:
        """Called while a body runs: notices requests to stop or pause, and who blocks us."""
        cancelled: float | None = None
        paused = -1.0
        pausable = pausable and self.pausable

        def on_tick(seconds: float) -> None:
            nonlocal cancelled, paused
            if self.context.stop.requested and cancelled is None:
                cancelled = seconds
                session.cancel()
            if cancelled is not None and seconds - cancelled > _GRACE:
                session.close()
                raise Interrupted(
                    "interrupted; the server does not answer the request to cancel",
                    hint="nothing of the step can be committed any more; the next run waits for its end",
                )
            # Again and again: between two statements of a pipeline the server overhears it.
            if pausable and self.context.pause.asked and cancelled is None and seconds - paused > 0.5:
                paused, self._gave_way = seconds, True
                session.cancel()
            if seconds > 0.1 and not self.context.facts.pooled:
                self._look(session, seconds)

        return on_tick

    def _look(self, session: Session, seconds: float) -> None:
        rows = self.audit.blockers(session.libpq_pid)
        # By pid, or by name for a prepared transaction, whatever else of them changes.
        found = {row[0] or row[2] or "": faults.describe_blocker(row) for row in rows}
        self._blockers.update(found)
        self.waits.look(found, seconds)
        if found and self.step is not None:
            self.context.progress.blocked(self.step, found)

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
