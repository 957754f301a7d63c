"""One step in two round trips: the body under its owner's role, then history, rights and COMMIT."""

from __future__ import annotations

import random
import time
import uuid
from collections.abc import Callable, Sequence, Set

import psycopg

from bgce_migrate.apply import closing, faults, recording
from bgce_migrate.apply.audit import Audit
from bgce_migrate.apply.context import Context
from bgce_migrate.apply.leader import Leadership
from bgce_migrate.apply.owned import Owned, settings_of
from bgce_migrate.apply.patience import Patience
from bgce_migrate.db.session import Session
from bgce_migrate.db.statements import set_role, set_session_role
from bgce_migrate.db.wire import Command, Failed, Lost, Reply
from bgce_migrate.errors import (
    BgceError,
    HistoryBroken,
    LeadershipLost,
    NeedsHuman,
    StepFailed,
    Unavailable,
)
from bgce_migrate.migration import Mode, Statement
from bgce_migrate.outcome import Head, StepResult, StepStatus

_RECONNECTS = 2  # how often one step may lose its connection


class StepRunner:
    """Runs steps of one lane on one session, which it replaces when it is lost."""

    def __init__(self, context: Context, leadership: Leadership, session: Session | None, audit: Audit) -> None:
        self.context = context
        self.leadership = leadership
        self.session = session
        self.audit = audit
        self.patience = Patience(context, audit)
        self._notes: list[str] = []

    def run(self, owned: Owned, previous: Head | None) -> tuple[StepResult, Head | None]:
        """Run one step, with retries, to a result that is certain. Never raises for what a step can do.

        Returns:
            The result, and the domain's new head (unchanged where nothing was recorded).
        """
        step = owned.step
        self.context.progress.step_started(step, len(step.script.statements))
        result, head = self.attempts(owned, previous)
        result = self.patience.waits.told(result)
        self.context.progress.step_finished(result)
        return result, head

    def attempts(self, owned: Owned, previous: Head | None, ms: int | None = None) -> tuple[StepResult, Head | None]:
        step, limits = owned.step, self.context.limits
        started, tries, reconnects = time.monotonic(), 0, 0

        def result(status: StepStatus, error: BgceError | None = None, notes: tuple[str, ...] = ()) -> StepResult:
            took = (time.monotonic() - started) * 1000
            return StepResult(step.id, step.direction, status, took, error, tries - 1, notes=notes)

        while True:
            tries += 1
            attempt = str(uuid.uuid4())
            self.patience.begin(step)
            try:
                self.leadership.check()
                epoch = self.leadership.epoch
                head = self._attempt(owned, attempt, previous, ms)
                return result(StepStatus.APPLIED, notes=tuple(self._notes)), head
            except Failed as caught:
                error = caught.error
                if error.sqlstate == faults.CANCELLED and self.patience.gave_way():
                    started += self.leadership.hold()
                    if not self.context.stop.requested:
                        tries -= 1
                        continue
                exhausted = tries > limits.retries or time.monotonic() - started > limits.retry_for
                # Another lane that had lost its connection may have raised the epoch for this very run.
                again = error.sqlstate == faults.EPOCH_OVER and epoch != self.leadership.epoch
                if (again or faults.is_retriable(error)) and not exhausted and not self.context.stop.requested:
                    time.sleep(random.uniform(0.02, 0.1) * tries)
                    started += self.leadership.hold()
                    if not self.context.stop.requested:
                        continue
                stopping, blockers = self.context.stop.requested, self.patience.blockers
                failure = faults.explained(step, caught, tries, blockers, stopping=stopping)
                if isinstance(failure, (HistoryBroken, LeadershipLost)):
                    return result(StepStatus.FAILED, failure), previous  # nothing of ours belongs in that history
                return result(StepStatus.FAILED, failure), self.record_failure(owned, previous, failure)
            except StepFailed as failure:
                return result(StepStatus.FAILED, failure), self.record_failure(owned, previous, failure)
            except faults.LostBeforeCommit as lost:
                reconnects += 1
                if reconnects > _RECONNECTS:
                    return result(StepStatus.FAILED, lost.explain(step)), previous
                try:
                    self.reconnect(owned)
                except BgceError as error:
                    return result(StepStatus.FAILED, error), previous
            except faults.LostAtCommit as lost:
                try:
                    found = self._resolve(owned, lost.attempt)
                except NeedsHuman as unknown:
                    return result(StepStatus.UNKNOWN, unknown), previous
                except BgceError as error:
                    return result(StepStatus.FAILED, error), previous
                reconnects += 1
                if found is None and reconnects > _RECONNECTS:
                    return result(StepStatus.FAILED, faults.LostBeforeCommit(str(lost)).explain(step)), previous
                if found is not None:
                    note = "the answer to COMMIT was lost; the server confirms that it is applied"
                    return result(StepStatus.APPLIED, notes=(note,)), found
            except BgceError as error:
                self.rollback()
                return result(StepStatus.FAILED, error), previous

    # -- one attempt -------------------------------------------------------------------------------------------

    def _attempt(self, owned: Owned, attempt: str, previous: Head | None, ms: int | None) -> Head:
        session = self.open(owned)
        first = self.prologue(owned, attempt, previous)
        statements = owned.step.script.statements
        # Shown while it runs; behind the last one only our own questions follow, so its reply need not hurry.
        body = [Command(s.text, keep_rows=False, live=n < len(statements)) for n, s in enumerate(statements, 1)]
        try:
            if owned.step.script.mode is Mode.OPAQUE:
                held = self._opaque(session, owned, first)
            else:
                held = self._round_one(session, owned, first, body)
            last = self.close(session, owned, held)
        except Failed as caught:
            self.rollback()
            index = caught.index - len(first)
            raise self.located(caught, index, owned.step.script.statements) from None
        except Lost as lost:
            raise faults.LostBeforeCommit(str(lost)) from None
        return self._round_two(session, owned, attempt, ms, last)

    @staticmethod
    def located(caught: Failed, index: int, statements: Sequence[Statement]) -> Failed:
        """The same failure, with the statement of the file it belongs to."""
        statement = statements[index] if 0 <= index < len(statements) else None
        return faults.FailedStatement(index, caught.error, statement)

    def prologue(self, owned: Owned, attempt: str, previous: Head | None) -> list[Command]:
        """Everything before the body: the transaction, its settings, the guard, the role."""
        session = self.open(owned)
        return [
            Command("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE NOT DEFERRABLE"),
            # What an earlier file has SET for the session must not reach this one.
            Command("RESET ALL"),
            Command(set_role(None)),
            recording.open_step(
                session, attempt, self.leadership.epoch, owned.step.id.domain, previous,
                settings_of(self.context, owned), owned.owner,
            ),
        ]  # fmt: skip

    def tail(self, session: Session, owned: Owned) -> list[Command]:
        """What follows a body in its round trip; see `closing.tail`."""
        return closing.tail(self.context, session, owned)

    def close(
        self, session: Session, owned: Owned, held: Reply, seen: Set[closing.Row] = frozenset()
    ) -> tuple[str, ...]:
        """What the owner must still run; see `closing.close`. Whatever it refuses is rolled back."""
        try:
            tick = self.tick(session)
            return closing.close(self.context, self.audit, session, owned, held.rows, tick, seen)
        except BgceError:
            self.rollback()
            raise

    def _round_one(self, session: Session, owned: Owned, first: list[Command], body: list[Command]) -> Reply:
        tail = self.tail(session, owned)
        done = len(first)

        def on_reply(index: int, reply: Reply) -> None:
            if done <= index < done + len(body):
                self.context.progress.statement_done(owned.step, index - done, reply.tag)

        replies = session.run([*first, *body, *tail], on_reply=on_reply, on_tick=self.tick(session))
        self._require_transaction(session, owned)
        return replies[-1]

    def _require_transaction(self, session: Session, owned: Owned) -> None:
        if session.connection.pgconn.transaction_status != psycopg.pq.TransactionStatus.INTRANS:
            raise StepFailed(
                f"{owned.step.id} failed: something in the file ended the transaction",
                hint="take transaction control out of the file",
                where=faults.place(owned.step, None, None),
            )

    def _opaque(self, session: Session, owned: Owned, first: list[Command]) -> Reply:
        session.run(first)
        try:
            session.connection.execute(owned.step.script.statements[0].text.encode())
        except psycopg.OperationalError as error:
            if not session.usable:
                raise Lost(str(error)) from None
            raise Failed(len(first), error) from None
        except psycopg.Error as error:
            raise Failed(len(first), error) from None
        self._require_transaction(session, owned)
        try:
            return session.run(self.tail(session, owned))[-1]
        except Failed as caught:
            raise Failed(-1, caught.error) from None

    def _round_two(
        self, session: Session, owned: Owned, attempt: str, ms: int | None, last: Sequence[str]
    ) -> Head:
        # While the guard is open, and before the role is the owner's again.
        first = self.context.versions.finish(session, self.leadership.epoch, owned.step, attempt)
        commands = [
            *first,
            recording.close_step(
                session, attempt, recording.step_row(self.context.info, owned.step, success=True, ms=ms), owned.owner
            ),
            *map(Command, (*owned.grants, *last)),
            Command("COMMIT"),
            # What a step has left in the session's temporary schema comes first in every later step's search path.
            *([Command("DISCARD TEMP")] if owned.owner else []),
        ]
        commit = -2 if owned.owner else -1
        session.warnings.clear()
        self._notes.clear()
        try:
            replies = session.run(commands, on_tick=self.patience.commit(session))
        except Failed as caught:
            self.rollback()
            raise Failed(-1, caught.error) from None
        except Lost as lost:
            raise faults.LostAtCommit(attempt, str(lost)) from None
        if replies[commit].tag != "COMMIT":
            raise StepFailed(f"{owned.step.id} failed: the server answered COMMIT with {replies[commit].tag}")
        # A COMMIT that succeeds with a warning: somebody has cancelled its wait for a synchronous standby.
        self._notes += [f"committed, but the server warns: {message} ({detail})" for _, message, detail in session.warnings]
        return recording.head_of(replies[len(first)])

    # -- bookkeeping -------------------------------------------------------------------------------------------

    def record_failure(self, owned: Owned, previous: Head | None, failure: BgceError) -> Head | None:
        """Append the failed attempt; the failure itself is what counts, so trouble here is only noted."""
        text = f"{failure.message} [{failure.facts.get('sqlstate', '')}]"
        row = recording.step_row(self.context.info, owned.step, success=False, error=text, ms=0)
        try:
            session = self.open(owned)
            call = recording.record(session, self.leadership.epoch, owned.step.id.domain, previous, row)
            return recording.head_of(session.run([call])[0])
        except (Failed, Lost, BgceError) as error:
            self.context.progress.note(f"the failure of {owned.step.id} could not be recorded: {error}")
            return previous

    # -- the connection ----------------------------------------------------------------------------------------

    def open(self, owned: Owned) -> Session:
        if self.session is None or not self.session.usable:
            self.session = self.context.access.work(owned.migrator)
        return self.session

    def rollback(self) -> None:
        """Leave the transaction, whatever its state."""
        if self.session is not None and self.session.usable:
            try:
                self.session.run([Command("ROLLBACK"), Command(set_session_role(None))])
            except (Failed, Lost):
                self.session.close()

    def reconnect(self, owned: Owned) -> None:
        """After a lost connection: the same cluster and history, the lock, a new epoch, a new session."""
        from bgce_migrate.apply.recovery import await_same_target

        self.session = None
        self.leadership.retake(await_same_target(self.context))
        self.open(owned)

    def _resolve(self, owned: Owned, attempt: str) -> Head | None:
        from bgce_migrate.apply.recovery import resolve

        self.session = None
        return resolve(self.context, self.leadership, owned.step, attempt)

    def tick(self, session: Session) -> Callable[[float], None]:
        """What a body's waiting looks at; see `Patience.body`."""
        return self.patience.body(session)

    def gave_up(self, owned: Owned, error: psycopg.Error, tries: int) -> Unavailable:
        """The failure of a step that met somebody else's lock at every try."""
        return faults.gave_up(owned.step, error, tries, self.patience.blockers)
