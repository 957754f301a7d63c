"""The steps of a plan to the ends they come to: lanes by domain, failures stop only what depends on them."""

from __future__ import annotations

import contextlib
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from bgce_migrate.access import Grant
from bgce_migrate.apply.audit import Audit
from bgce_migrate.apply.context import Context
from bgce_migrate.apply.journal import JournalRunner
from bgce_migrate.apply.leader import Leadership
from bgce_migrate.apply.owned import Owned
from bgce_migrate.apply.step import StepRunner
from bgce_migrate.db.session import Session
from bgce_migrate.domain import Domain
from bgce_migrate.errors import (
    BgceError,
    HistoryBroken,
    Interrupted,
    LeadershipLost,
    NeedsHuman,
    Refused,
    Unavailable,
)
from bgce_migrate.migration import MigrationId, Mode, Plan, Step
from bgce_migrate.outcome import Head, Measurement, StepResult, StepStatus
from bgce_migrate.registry import Registry


class Hooks(Protocol):
    """What a run asks of the plugins' host."""

    def pre_apply(self, step: Step, plan: Plan) -> None: ...
    def post_apply(self, result: StepResult, plan: Plan) -> tuple[str, ...]: ...
    def metrics(self, measurement: Measurement) -> None: ...
    def grants(self, domain: Domain, registry: Registry) -> tuple[Grant, ...]: ...


#: After these nothing more is begun, whatever domain it belongs to.
_ENDS_THE_RUN = (HistoryBroken, Interrupted, LeadershipLost, NeedsHuman)


class Lanes:
    """Runs steps on `jobs` sessions. Within a domain the plan's order holds; between domains `waits_for` does."""

    def __init__(
        self,
        context: Context,
        leadership: Leadership,
        audit: Audit,
        plan: Plan,
        owned: Sequence[Owned],
        heads: Mapping[str, Head],
        hooks: Hooks,
        first_session: Session | None = None,
    ) -> None:
        self.context = context
        self.leadership = leadership
        self.audit = audit
        self.plan = plan
        self.owned = tuple(owned)
        self.heads = dict(heads)
        self.hooks = hooks
        self.warnings: list[str] = []
        self._results: dict[MigrationId, StepResult] = {}
        self._failed: set[MigrationId] = set()
        self._failed_domains: dict[str, MigrationId] = {}
        self._busy: set[str] = set()
        #: The steps of each domain that have not begun, in the plan's order.
        self._queues: dict[str, deque[int]] = {}
        self._applied: set[MigrationId] = set()
        self._ended: BgceError | None = None
        self._changed = threading.Condition()
        #: Plugins hear one lane at a time: those that know nothing of threads stay right.
        self._asking = threading.Lock()
        self._first_session = first_session
        self._in_plan = frozenset(o.step.id for o in self.owned)
        for place, o in enumerate(self.owned):
            self._queues.setdefault(o.step.id.domain, deque()).append(place)

    def run(self, jobs: int) -> tuple[StepResult, ...]:
        """Run everything that can run; results in the plan's order, one for each step."""
        lanes = max(1, min(jobs, len({o.step.id.domain for o in self.owned})))
        threads = [threading.Thread(target=self._further_lane, daemon=True) for _ in range(lanes - 1)]
        for thread in threads:
            thread.start()
        self._lane(self._first_session)
        for thread in threads:
            thread.join()
        return tuple(self._results.get(o.step.id) or self._not_run(o) for o in self.owned)

    def _further_lane(self) -> None:
        """One beside the first, if the server has a connection for it."""
        if self._separate_logins:
            return self._lane(None)
        try:
            session = self.context.access.lead()
        except Unavailable:
            return None
        with contextlib.closing(session):
            return self._lane(session)

    @property
    def _separate_logins(self) -> bool:
        """In mode `login` every domain has a login, so a session, of its own."""
        return self.context.access.mode == "login" and self.context.guarded

    def _lane(self, session: Session | None) -> None:
        runners: dict[str, StepRunner] = {}
        try:
            while (owned := self._next()) is not None:
                key = owned.migrator if self._separate_logins else ""
                if key not in runners:
                    runners[key] = StepRunner(self.context, self.leadership, None if key else session, self.audit)
                self._done(owned, *self._run_one(runners[key], owned))
        finally:
            for runner in runners.values():
                if runner.session is not None and runner.session is not session:
                    runner.session.close()

    def _next(self) -> Owned | None:
        """The next step that may begin; waits while others are under way; None when nothing is left."""
        with self._changed:
            while True:
                if self._ended is None and self.context.stop.requested:
                    self._ended = Interrupted("stopped as asked; what was applied stands and is recorded")
                if self._ended is not None:
                    return None
                waiting = False
                for owned in self._ready():
                    if self._blocked(owned):
                        continue
                    if owned.step.waits_for & self._in_plan <= self._applied:
                        self._queues[owned.step.id.domain].popleft()
                        self._busy.add(owned.step.id.domain)
                        return owned
                    waiting = True
                if not waiting and not self._busy:
                    return None
                if not self._busy:
                    return None  # what is left waits for something that is not going to happen
                self._changed.wait(0.2)

    def _ready(self) -> list[Owned]:
        """The first step of each domain that has not begun, in the plan's order."""
        places = [queue[0] for name, queue in self._queues.items() if queue and name not in self._busy]
        return [self.owned[place] for place in sorted(places)]

    def _blocked(self, owned: Owned) -> bool:
        """Whether something it depends on has failed; then its domain is stopped too."""
        step = owned.step
        if step.id.domain in self._failed_domains:
            return True
        culprits = sorted(step.waits_for & self._failed)
        if not culprits:
            return False
        self._failed_domains[step.id.domain] = culprits[0]
        self._failed.update(self.owned[place].step.id for place in self._queues[step.id.domain])
        return True

    def _run_one(self, runner: StepRunner, owned: Owned) -> tuple[StepResult, Head | None]:
        step, previous = owned.step, self.heads.get(owned.step.id.domain)
        try:
            self.leadership.hold()
            self.leadership.check()
            if self.context.stop.requested:
                raise Interrupted("stopped as asked; what was applied stands and is recorded")
            with self._asking:
                self.hooks.pre_apply(step, self.plan)
        except Refused as error:
            result = StepResult(step.id, step.direction, StepStatus.REFUSED, error=error)
            self.context.progress.step_finished(result)
            return result, previous
        except BgceError as error:
            return StepResult(step.id, step.direction, StepStatus.NOT_RUN, error=error), previous
        if step.script.mode is Mode.JOURNAL:
            return JournalRunner(runner).run(owned, previous)
        return runner.run(owned, previous)

    def _done(self, owned: Owned, result: StepResult, head: Head | None) -> None:
        domain = owned.step.id.domain
        with self._changed:
            self._results[owned.step.id] = result
            if result.status is StepStatus.APPLIED:
                self._applied.add(owned.step.id)
                self.context.versions.done(owned.step)
            self._busy.discard(domain)
            if head is not None:
                self.heads[domain] = head
            if result.status is not StepStatus.APPLIED:
                self._failed_domains.setdefault(domain, owned.step.id)
                self._failed.update(o.step.id for o in self.owned if o.step.id.domain == domain)
                self._failed -= self._applied
                # A veto stops the run here; so does what a person must look at.
                if isinstance(result.error, _ENDS_THE_RUN) or result.status is StepStatus.REFUSED:
                    self._ended = result.error
            self._changed.notify_all()
        self._tell(result)

    def measure(self, result: StepResult) -> None:
        """Let plugins hear the measurements of a step that has ended."""
        labels = {"service": result.id.domain, "direction": result.direction.value}
        for name, value in (
            ("step_duration_seconds", result.duration_ms / 1000),
            ("step_success", 1.0 if result.status is StepStatus.APPLIED else 0.0),
            ("step_retries", float(result.retries)),
            ("step_lock_wait_seconds", result.lock_wait_ms / 1000),
        ):
            self.hooks.metrics(Measurement(name, value, labels, self.context.info.run_id, result))

    def _tell(self, result: StepResult) -> None:
        self.measure(result)
        if result.status is StepStatus.APPLIED:
            with self._asking:
                warnings = self.hooks.post_apply(result, self.plan)
            with self._changed:
                self.warnings.extend(warnings)

    def _not_run(self, owned: Owned) -> StepResult:
        step = owned.step
        culprit = self._failed_domains.get(step.id.domain)
        if culprit is None and self._ended is None:
            missing = sorted(step.waits_for & self._in_plan - self._applied)
            culprit = missing[0] if missing else None
        note = f"waits for {culprit}" if culprit is not None and culprit != step.id else "the run had ended"
        return StepResult(step.id, step.direction, StepStatus.NOT_RUN, notes=(note,))

    def fail(self, error: BgceError) -> None:
        """End the run with an error that belongs to no single step."""
        self._ended = error

    @property
    def failure(self) -> BgceError | None:
        """What the run's exit code comes from: the gravest of the failures, or what ended it."""
        errors = [r.error for r in self._results.values() if r.error is not None]
        if self._ended is not None:
            errors.append(self._ended)
        return max(errors, key=_gravity, default=None)


def _gravity(error: BgceError) -> int:
    order: tuple[Callable[[BgceError], bool], ...] = (
        lambda e: isinstance(e, Unavailable),
        lambda e: isinstance(e, Refused),
        lambda e: e.exit_code == 5,
        lambda e: isinstance(e, Interrupted),
        lambda e: isinstance(e, NeedsHuman),
    )
    return next((i for i, fits in reversed(tuple(enumerate(order, 1))) if fits(error)), 0)
