"""Leadership of a run: a table lock nobody waits for inside the server, a heartbeat, and the epoch."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Sequence

from bgce_migrate.apply.attempting import attempt
from bgce_migrate.apply.context import Context
from bgce_migrate.apply.faults import describe_blocker
from bgce_migrate.db.session import SERVER_KEEPALIVE, Session
from bgce_migrate.db.statements import settings
from bgce_migrate.db.wire import Command, Failed, Lost
from bgce_migrate.errors import LeadershipLost, Refused, Unavailable

HEARTBEAT = 5.0  # seconds
_FIRST_PAUSE, _LONGEST_PAUSE = 0.05, 1.0

#: Takes no snapshot. A SELECT would keep one for as long as the transaction lasts (its portal stays open), and
#: every index build CONCURRENTLY would wait for it without end.
_SIGN_OF_LIFE = "SHOW transaction_isolation"

#: The transaction that holds the lock idles on purpose.
_NO_LIMITS = {
    "statement_timeout": "0",
    "lock_timeout": "0",
    "idle_in_transaction_session_timeout": "0",
    "idle_session_timeout": "0",
    "transaction_timeout": "0",
    **SERVER_KEEPALIVE,  # else a client that has vanished from the network would hold the lock for hours
}


class Leadership:
    """The right to run steps, from `acquire` until `release`.

    The lock is for politeness: that each step happens exactly once rests on the epoch and on the history's
    chain. Losing the lock ends the run after the step under way.
    """

    def __init__(self, context: Context, control: Session) -> None:
        self.context = context
        self.control = control
        self.epoch = 0
        self._session: Session | None = None
        self._lost: str | None = None
        self._guard = threading.Lock()
        self._one_at_a_time = threading.Lock()
        self._quit = threading.Event()
        self._thread: threading.Thread | None = None

    def acquire(self) -> None:
        """Take the lock and raise the epoch.

        Raises:
            Unavailable: another run holds the lock longer than `lock_wait`; names it.
            Refused: this login may not lead.
        """
        self._session = self.context.access.lead()
        try:
            self.take_lock(self._session)
            self.raise_epoch()
        except BaseException:
            self._session.close()
            raise
        self._thread = threading.Thread(target=self._beat, name="bgce-migrate heartbeat", daemon=True)
        self._thread.start()

    def take_lock(self, session: Session, first: Sequence[Command] = ()) -> None:
        """Begin a transaction that holds the run lock.

        Args:
            first: what a login that may not take it by itself does before, in the same transaction.
        """
        deadline = time.monotonic() + self.context.limits.lock_wait
        pause, told = _FIRST_PAUSE, False
        limits, values = settings(session.server_version, _NO_LIMITS)
        # READ COMMITTED and nothing else in it: a snapshot held here would hang an index build.
        work = [
            Command("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE"),
            Command(limits, values),
            *first,
            Command(session.query("locks", "run_lock")),
        ]
        while True:
            failed = attempt(
                session, work, f"login {self.context.facts.login} may not lead runs here",
                "use the migrator's login; an administrator makes it: bgce-migrate bootstrap",
            )  # fmt: skip
            if failed is None:
                return
            if failed.error.sqlstate != "55P03":
                raise Unavailable(f"the run lock cannot be taken: {failed.error}")
            if time.monotonic() >= deadline:
                raise Unavailable(
                    f"another run holds the lock: {self.holder()}",
                    hint="nothing was changed; try again later or wait longer with --lock-wait SECONDS",
                )
            if not told:
                self.context.progress.waiting(f"waiting for the run lock, held by {self.holder()}")
                told = True
            self.context.stop.sleep(pause * random.uniform(0.5, 1.0))
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def holder(self) -> str:
        """Run, host, user and since when, as far as this login may see."""
        try:
            rows = self.control.ask("locks", "holder")
        except Failed:
            return "a run that this login may not see"  # an administrator who makes grants
        if not rows:
            return "a run that has just ended"
        pid, login, application, _, _, run_id, host, os_user, since, command = rows[0]
        if application and run_id and run_id in application:
            return f"run {run_id} ({command}) of {os_user}@{host} since {since} (backend {pid})"
        return f"backend {pid} of {login} ({application or 'unknown program'})"

    def raise_epoch(self) -> None:
        """Fence every older run; returns once none of its transactions is under way.

        Raises:
            Unavailable: an older run's step does not end within `resolve_timeout`.
        """
        info = self.context.info
        call = self.control.call(
            "lead_run", ("uuid", info.run_id), ("text", info.command), ("text", info.host), ("text", info.os_user),
            ("text", info.deployment), ("text", info.git_commit), ("text", info.tool_version),
        )  # fmt: skip
        deadline = time.monotonic() + self.context.limits.resolve_timeout
        while True:
            try:
                self.epoch = int(self.control.run([call])[0].rows[0][0] or 0)
                return
            except Failed as failed:
                if failed.error.sqlstate != "55P03":
                    raise Refused(
                        f"login {self.context.facts.login} may not lead runs here: {failed.error}",
                        hint="an administrator runs once: bgce-migrate bootstrap",
                    ) from None
            if time.monotonic() >= deadline:
                raise Unavailable(
                    f"a step of an earlier run is still under way on the server: {self._under_way()}",
                    hint="wait for it, or end its backend: SELECT pg_terminate_backend(PID); then run again",
                )
            self.context.stop.sleep(random.uniform(0.02, 0.08))

    def _under_way(self) -> str:
        rows = self.control.ask("locks", "under_way")
        return "; ".join(describe_blocker(row) for row in rows) or "it cannot be seen by this login"

    def _beat(self) -> None:
        while not self._quit.wait(HEARTBEAT):
            with self._guard:
                session = self._session
                if session is None:
                    return
                try:
                    session.execute(_SIGN_OF_LIFE)
                except (Lost, Failed) as error:
                    self._lost = str(error)
                    return

    def check(self) -> None:
        """Raise `LeadershipLost` if the lock's connection has ended."""
        if self._session is not None and not self._session.usable and self._lost is None:
            self._lost = "its connection ended"
        if self._lost is not None:
            raise LeadershipLost(
                f"this run has lost the run lock ({self._lost}); it stopped after the step it was in",
                hint="run it again: what is applied is recorded",
            )

    def hold(self) -> float:
        """Wait for as long as the run is paused, unless it is to stop or does not lead any more; seconds."""
        context, began = self.context, time.monotonic()
        while context.pause.asked and not context.stop.requested:
            if self._lost is not None or self._session is None or not self._session.usable:
                break
            context.pause.wait(0.2)
        return time.monotonic() - began

    def retake(self, control: Session) -> None:
        """After a lost connection: take the lock anew if it went too, and raise the epoch through `control`."""
        with self._one_at_a_time:
            self.control = control
            self._retake()

    def _retake(self) -> None:
        if self._lost is not None or self._session is None or not self._session.usable or not self._alive():
            self._stop_beating()
            self._lost = None
            self._session = self.context.access.lead()
            self.take_lock(self._session)
            self._thread = threading.Thread(target=self._beat, name="bgce-migrate heartbeat", daemon=True)
            self._thread.start()
        led = self.epoch
        self.raise_epoch()
        if self.epoch != led + 1:
            # What this run has read of the history is old now.
            self._lost = "another run has led since"

    def _alive(self) -> bool:
        with self._guard:
            if self._session is None:
                return False
            try:
                self._session.execute(_SIGN_OF_LIFE)
            except (Lost, Failed):
                return False
            return True

    def _stop_beating(self) -> None:
        self._quit.set()
        if self._thread is not None:
            self._thread.join(timeout=HEARTBEAT)
        self._quit = threading.Event()
        if self._session is not None:
            self._session.close()
            self._session = None

    def release(self) -> None:
        """Give the lock back."""
        self._stop_beating()
