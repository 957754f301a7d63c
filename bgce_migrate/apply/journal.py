"""A file that cannot run in one transaction: unit by unit, each recorded, resumed where it stopped."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable

from msgspec.structs import replace

from bgce_migrate.apply import faults, recording
from bgce_migrate.apply.owned import Owned, of_part, settings_of
from bgce_migrate.apply.probes import Verdict, probe
from bgce_migrate.apply.step import StepRunner
from bgce_migrate.apply.units import Unit, cut, require_unchanged
from bgce_migrate.db.history import OpenUnit, read_state
from bgce_migrate.db.session import Session
from bgce_migrate.db.statements import set_role, set_session_role, settings
from bgce_migrate.db.wire import Command, Failed, Lost
from bgce_migrate.errors import BgceError, Interrupted, NeedsHuman, Refused, StepFailed, Where
from bgce_migrate.migration import Mode, Statement
from bgce_migrate.outcome import Head, StepResult, StepStatus

_REBUILDS = 2  # how often a leftover is removed and the statement run again
_RECONNECTS = 3


class JournalRunner:
    """Runs one journaled step; shares the session and the bookkeeping of its `StepRunner`."""

    def __init__(self, runner: StepRunner) -> None:
        self.runner = runner
        self.context = runner.context
        self.leadership = runner.leadership
        self._retries = 0

    def run(self, owned: Owned, previous: Head | None) -> tuple[StepResult, Head | None]:
        """Run what is left of the file, to a result that is certain."""
        step = owned.step
        started = time.monotonic()
        units = cut(step.script)
        self.context.progress.step_started(step, len(step.script.statements))
        error: BgceError | None = None
        head = previous
        for _ in range(_RECONNECTS):
            try:
                self._run_units(owned, units, previous)
                head = self._finish(owned, previous, started)
                error = None
                break
            except (Lost, Failed) as trouble:
                error = NeedsHuman(
                    f"{step.id}: the connection was lost in the middle of a journaled file: {trouble}",
                    hint="run again: what is done is recorded, the rest is looked up in the catalog",
                    where=Where(step.script.source.path),
                )
                if isinstance(trouble, Failed):
                    if trouble.error.sqlstate == faults.EPOCH_OVER:
                        error = faults.epoch_over(step)
                        break
                    error = faults.failed(step, None, trouble.error, "see migration_history and journal")
                    break
                try:
                    self.runner.reconnect(owned)
                except BgceError as gone:
                    error.facts = {"cause": gone.message}
                    break
            except BgceError as trouble:
                error = trouble
                head = self.runner.record_failure(owned, previous, trouble)
                break
        took = (time.monotonic() - started) * 1000
        status = StepStatus.APPLIED if error is None else StepStatus.FAILED
        result = self.runner.patience.waits.told(StepResult(step.id, step.direction, status, took, error, self._retries))
        self.context.progress.step_finished(result)
        return result, head

    # -- the units ---------------------------------------------------------------------------------------------

    def _run_units(self, owned: Owned, units: tuple[Unit, ...], previous: Head | None) -> None:
        session = self._prepare(owned)
        recorded = self._recorded(session, owned)
        require_unchanged(owned.step, units, recorded)
        done = sum(1 for u in recorded.values() if u.done)
        for unit in units:
            self.leadership.hold()
            self.leadership.check()
            if self.context.stop.requested:
                raise Interrupted(f"{owned.step.id} was interrupted after {done} of {len(units)} units")
            entry = recorded.get(unit.number)
            if unit.session:
                session.run([Command(s.text) for s in unit.statements])
                continue
            if entry is not None and entry.done:
                continue
            try:
                if unit.transactional:
                    self._transactional(session, owned, unit, previous)
                else:
                    self._alone(session, owned, unit, entry)
            except Failed as caught:
                raise self._failure(owned, unit, caught, done, len(units)) from None
            for statement in unit.statements:
                index = owned.step.script.statements.index(statement)
                self.context.progress.statement_done(owned.step, index, statement.kind)
            done += 1

    def _prepare(self, owned: Owned) -> Session:
        session = self.runner.open(owned)
        values = settings_of(self.context, owned)
        text, params = settings(session.server_version, values)
        session.run([Command("RESET ALL"), Command(set_session_role(None)), Command(text.replace(", true)", ", false)"), params)])
        if self.context.facts.pooled:
            raise Refused(
                f"{owned.step.id} runs statement by statement and needs a direct connection; this one goes through a pooler",
                hint="give the server's own address with --database-url",
            )
        return session

    def _recorded(self, session: Session, owned: Owned) -> dict[int, OpenUnit]:
        state = read_state(session)
        return {u.unit: u for u in state.journal if u.id == owned.step.id and u.direction is owned.step.direction}

    def _transactional(self, session: Session, owned: Owned, unit: Unit, previous: Head | None) -> None:
        deadline, tries = time.monotonic() + self.context.limits.retry_for, 0
        while True:
            tries += 1
            self.runner.patience.begin(owned.step)
            try:
                return self._transaction(session, owned, unit, previous)
            except Failed as caught:
                self.runner.rollback()
                if caught.error.sqlstate == faults.CANCELLED and self.runner.patience.gave_way():
                    deadline += self.leadership.hold()
                    if not self.context.stop.requested:
                        tries -= 1
                        continue
                given_up = tries > self.context.limits.retries or time.monotonic() > deadline
                if not faults.is_retriable(caught.error) or given_up:
                    raise
                self._retries += 1

    def _transaction(self, session: Session, owned: Owned, unit: Unit, previous: Head | None) -> None:
        step, attempt = owned.step, str(uuid.uuid4())
        owned, known = of_part(owned, unit.effects, unit.statements)
        begin = [
            Command("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE NOT DEFERRABLE"),
            Command(set_role(None)),
            recording.open_step(session, attempt, self.leadership.epoch, step.id.domain, previous, {}, owned.owner),
        ]
        body = [Command(s.text, keep_rows=False) for s in unit.statements]
        tail = self.runner.tail(session, owned)
        try:
            replies = session.run([*begin, *body, *tail], on_tick=self.runner.tick(session))
        except Failed as caught:
            raise Failed(caught.index - len(begin), caught.error) from None
        last = self.runner.close(session, owned, replies[-1])
        record = recording.finish_unit(session, attempt, self.context.info.run_id, step, unit)
        if unit.rolls_back:
            session.run([Command("ROLLBACK")])
            self._intent(session, owned, unit)
            self._done(session, owned, unit, "the file itself rolls it back")
            return
        role = [Command(set_role(owned.owner))] if owned.owner else []
        dirty = self.context.versions.begun(session, self.leadership.epoch, step, attempt)
        replies = session.run([*dirty, record, *role, *map(Command, (*known, *last)), Command("COMMIT")])
        if replies[-1].tag != "COMMIT":
            raise StepFailed(f"{step.id} failed: the server answered COMMIT with {replies[-1].tag}")

    def _alone(self, session: Session, owned: Owned, unit: Unit, entry: OpenUnit | None) -> None:
        """A statement outside any transaction: intent, statement, probe, done."""
        if entry is not None:
            self._await_backend(session, owned, entry)
        # `IF NOT EXISTS` would be satisfied by an invalid index; so the probe looks first there too.
        look_first = entry is not None or " IF NOT EXISTS " in f" {' '.join(unit.statements[0].text.upper().split())} "
        rebuilds = 0
        while look_first:
            found = probe(session, unit, owned.step.script)
            if found.verdict is Verdict.DONE:
                self._intent(session, owned, unit)
                return self._done(session, owned, unit, found.evidence)
            if found.verdict is Verdict.UNKNOWN and entry is not None and not owned.step.script.directives.repeatable:
                raise faults.undecidable(owned.step, unit.statements[0], unit.number, found.evidence)
            if found.verdict is not Verdict.LEFTOVER or rebuilds >= _REBUILDS:
                break
            rebuilds += 1
            self._as_owner(session, owned, found.cleanup)
        self._intent(session, owned, unit)
        try:
            self._as_owner(session, owned, (unit.statements[0].text,))
        except Failed:
            self._clean_up(session, owned, unit)
            raise
        found = probe(session, unit, owned.step.script)
        if unit.tag and found.verdict is Verdict.LEFTOVER:
            self._clean_up(session, owned, unit)
            raise StepFailed(
                f"{owned.step.id} failed: {found.evidence} although the server reported success",
                hint="run again: the leftover is removed first",
                where=faults.place(owned.step, unit.statements[0], None),
            )
        self._done(session, owned, unit, found.evidence or "the server reported success")

    def _as_owner(self, session: Session, owned: Owned, texts: tuple[str, ...]) -> None:
        """Run each text in autocommit, with no short lock timeout: a timeout would leave an invalid index."""
        session.run([Command("SELECT set_config('lock_timeout', '0', false)")])
        if owned.owner:
            session.run([Command(set_session_role(owned.owner))])
        try:
            for text in texts:
                session.run([Command(text)], on_tick=self._watch(session, owned))
        finally:
            if session.usable:
                session.run([Command(set_session_role(None))])

    def _watch(self, session: Session, owned: Owned) -> Callable[[float], None]:
        # What was built so far would be lost, and such a statement holds nobody up: a pause waits for its end.
        stop_tick = self.runner.patience.body(session, pausable=False)
        shown = 0.0

        def on_tick(seconds: float) -> None:
            nonlocal shown
            stop_tick(seconds)
            if seconds - shown >= 1.0:
                shown = seconds
                rows = self.runner.audit.progress(session.libpq_pid)
                if rows:
                    phase, blocks, blocks_total, tuples, tuples_total = rows[0]
                    done, total = (blocks, blocks_total) if int(blocks_total or 0) else (tuples, tuples_total)
                    self.context.progress.index_progress(owned.step, phase or "", int(done or 0), int(total or 0))

        return on_tick

    def _clean_up(self, session: Session, owned: Owned, unit: Unit) -> None:
        """Remove what a failed or cancelled build has left; what remains, the next run removes."""
        if not session.usable:
            return
        try:
            found = probe(session, unit, owned.step.script)
            if found.verdict is Verdict.LEFTOVER:
                self._as_owner(session, owned, found.cleanup)
        except (Failed, BgceError) as error:
            self.context.progress.note(f"a leftover of {owned.step.id} could not be removed: {error}")

    def _await_backend(self, session: Session, owned: Owned, entry: OpenUnit) -> None:
        """The backend of an earlier run may still be at work: wait for it, then end it."""
        deadline = time.monotonic() + self.context.limits.lock_wait
        told = False
        while self.runner.audit.backend(entry.backend_pid, entry.backend_start):
            if not told:
                self.context.progress.waiting(
                    f"{owned.step.id}: waiting for backend {entry.backend_pid} of run {entry.run_id} to end its statement"
                )
                told = True
            if time.monotonic() >= deadline:
                session.execute("SELECT pg_terminate_backend($1::integer)", str(entry.backend_pid))
                deadline = time.monotonic() + 10
            self.context.stop.sleep(0.1)

    # -- its records -------------------------------------------------------------------------------------------

    def _intent(self, session: Session, owned: Owned, unit: Unit) -> None:
        dirty = self.context.versions.begun(session, self.leadership.epoch, owned.step)
        session.run([*dirty, recording.intent(session, self.leadership.epoch, self.context.info.run_id, owned.step, unit)])

    def _done(self, session: Session, owned: Owned, unit: Unit, evidence: str) -> None:
        session.run([recording.done(session, self.leadership.epoch, owned.step, unit, evidence)])

    def _finish(self, owned: Owned, previous: Head | None, started: float) -> Head:
        """The file's history row, in a step without a body."""
        script = replace(owned.step.script, statements=(), mode=Mode.EMPTY)
        bare = replace(owned, step=replace(owned.step, script=script))
        ms = int((time.monotonic() - started) * 1000)
        result, head = self.runner.attempts(bare, previous, ms=ms)
        if result.error is not None:
            raise result.error
        if head is None:
            raise StepFailed(f"{owned.step.id}: its history row was not written")
        return head

    def _failure(self, owned: Owned, unit: Unit, caught: Failed, done: int, total: int) -> BgceError:
        step = owned.step
        if caught.error.sqlstate == faults.EPOCH_OVER:
            return faults.epoch_over(step)
        statement: Statement = unit.statements[caught.index if 0 < caught.index < len(unit.statements) else 0]
        stands = f"units 1 to {done} of {total} stand and are recorded" if done else "nothing of this file"
        if self.context.stop.requested and caught.error.sqlstate == "57014":
            return Interrupted(f"{step.id} was interrupted; {stands}", hint="run again to go on where it stopped")
        failure: BgceError = faults.failed(step, statement, caught.error, stands)
        if faults.is_retriable(caught.error):
            failure = self.runner.gave_up(owned, caught.error, self.context.limits.retries + 1)
        if not done:
            return failure
        return NeedsHuman(
            f"{failure.message}; {stands}",
            hint=f"mend statement {unit.number} and run again: it goes on there",
            where=failure.where,
            facts=failure.facts,
        )
