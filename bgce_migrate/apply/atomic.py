"""A whole plan in one transaction (`--atomic`): all steps or none."""

from __future__ import annotations

import time
import uuid
from collections.abc import Sequence

from bgce_migrate.apply import closing, faults, recording
from bgce_migrate.apply.lanes import Lanes
from bgce_migrate.apply.owned import Owned
from bgce_migrate.apply.step import StepRunner
from bgce_migrate.db.statements import set_role
from bgce_migrate.db.wire import Command, Failed, Lost
from bgce_migrate.errors import BgceError, Interrupted, NeedsHuman, Refused, StepFailed, Unavailable
from bgce_migrate.outcome import Head, StepResult, StepStatus


def run_atomically(lanes: Lanes) -> tuple[StepResult, ...]:
    """Run every step of the lanes in the plan's order and commit once.

    The server may refuse together what it takes step by step (pending trigger events, new enum values).
    """
    runner = StepRunner(lanes.context, lanes.leadership, lanes.leadership.control, lanes.audit)
    runner.patience.pausable = False  # it would have to begin from the first step
    started = time.monotonic()
    heads = dict(lanes.heads)
    error: BgceError | None = None
    current: Owned | None = None
    ends: list[StepResult] = []
    seen: set[tuple[str | None, ...]] = set()  # locks of earlier steps, each audited with its own step
    try:
        lanes.leadership.check()
        session = runner.open(lanes.owned[0])
        session.run([Command("BEGIN ISOLATION LEVEL READ COMMITTED READ WRITE NOT DEFERRABLE")])
        for current in lanes.owned:
            lanes.hooks.pre_apply(current.step, lanes.plan)
            runner.patience.begin(current.step)
            lanes.context.progress.step_started(current.step, len(current.step.script.statements))
            began = time.monotonic()
            heads[current.step.id.domain] = _one(runner, current, heads.get(current.step.id.domain), seen)
            took = (time.monotonic() - began) * 1000
            done = StepResult(current.step.id, current.step.direction, StepStatus.APPLIED, took)
            ends.append(runner.patience.waits.told(done))
        current = None
        try:
            session.run([*_version_rows(runner, lanes.owned), Command("COMMIT")])
        except Lost as lost:
            raise NeedsHuman(
                f"the answer to COMMIT was lost: {lost}", hint="run again: history says whether it is applied"
            ) from None
    except Failed as caught:
        owned = current or lanes.owned[-1]
        statement = getattr(caught, "statement", None)
        error = faults.failed(owned.step, statement, caught.error, "nothing of this run")
        if lanes.context.stop.requested and caught.error.sqlstate == faults.CANCELLED:
            error = Interrupted(f"{owned.step.id} was interrupted; nothing of this run was applied", hint="run again")
    except Lost as lost:
        error = Unavailable(f"the connection was lost: {lost}", hint="nothing was changed; run again")
    except BgceError as trouble:
        error = trouble
    if error is not None:
        runner.rollback()
        lanes.fail(error)
    else:
        lanes.heads = heads
    if error is None:
        return _all_applied(lanes, ends)
    failed_at = None
    if current is not None:
        status = StepStatus.REFUSED if isinstance(error, Refused) else StepStatus.FAILED
        took = (time.monotonic() - started) * 1000
        result = StepResult(current.step.id, current.step.direction, status, took, error)
        failed_at = runner.patience.waits.told(result)
    return _none_applied(lanes, failed_at, error)


def _version_rows(runner: StepRunner, steps: Sequence[Owned]) -> list[Command]:
    """Once, at the end: what a step has written here, the next one's audit would meet as foreign."""
    rows, session = runner.context.versions, runner.open(steps[0])
    for owned in steps:
        rows.done(owned.step)
    kept = rows.beside(session, runner.leadership.epoch, (owned.step.id.domain for owned in steps))
    return [Command(set_role(None)), *kept, Command(set_role(steps[-1].owner))] if kept else []


def _one(runner: StepRunner, owned: Owned, previous: Head | None, seen: set[tuple[str | None, ...]]) -> Head:
    attempt = str(uuid.uuid4())
    session = runner.open(owned)
    prologue = runner.prologue(owned, attempt, previous)[1:]  # without BEGIN
    statements = owned.step.script.statements
    body = [Command(s.text, keep_rows=False) for s in statements]
    tail = runner.tail(session, owned)
    try:
        replies = session.run([*prologue, *body, *tail], on_tick=runner.tick(session))
    except Failed as caught:
        raise runner.located(caught, caught.index - len(prologue), statements) from None
    last = runner.close(session, owned, replies[-1], seen)
    seen.update(map(closing.key, replies[-1].rows))
    row = recording.step_row(runner.context.info, owned.step, success=True)
    finish = recording.close_step(session, attempt, row, owned.owner)
    return recording.head_of(session.run([finish, *map(Command, (*owned.grants, *last))])[0])


def _all_applied(lanes: Lanes, ends: list[StepResult]) -> tuple[StepResult, ...]:
    for result in ends:
        lanes.context.progress.step_finished(result)
        lanes.measure(result)
    for result in ends:
        lanes.warnings.extend(lanes.hooks.post_apply(result, lanes.plan))
    return tuple(ends)


def _none_applied(lanes: Lanes, culprit: StepResult | None, error: BgceError) -> tuple[StepResult, ...]:
    out = []
    for owned in lanes.owned:
        if culprit is not None and owned.step.id == culprit.id:
            result = culprit
            lanes.measure(result)
        else:
            notes = ("all or nothing: --atomic",)
            result = StepResult(owned.step.id, owned.step.direction, StepStatus.NOT_RUN, notes=notes)
        lanes.context.progress.step_finished(result)
        out.append(result)
    if not isinstance(error, StepFailed):
        lanes.warnings.append("nothing was applied: the run was one transaction")
    return tuple(out)
