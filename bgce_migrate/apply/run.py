"""One run: lead, plan under the lock, give rights, run the lanes, report."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from types import MappingProxyType

from bgce_migrate.apply import rights as rights_of
from bgce_migrate.apply.asked import Asked
from bgce_migrate.apply.atomic import run_atomically
from bgce_migrate.apply.audit import Audit
from bgce_migrate.apply.compat.agreeing import prepared
from bgce_migrate.apply.context import Context, Options, RunInfo
from bgce_migrate.apply.ending import mark_end
from bgce_migrate.apply.giving import Giving, giving
from bgce_migrate.apply.lanes import Hooks, Lanes
from bgce_migrate.apply.leader import Leadership
from bgce_migrate.apply.measured import Measured
from bgce_migrate.apply.owned import Owned, search_path
from bgce_migrate.apply.planned import Planned
from bgce_migrate.apply.preflight import require_runnable
from bgce_migrate.apply.restoring import mark_restore_point
from bgce_migrate.apply.standbys import StandbyLook
from bgce_migrate.apply.target import Target, ensure_bookkeeping, require_writable
from bgce_migrate.db.history import State
from bgce_migrate.domain import Domain
from bgce_migrate.errors import BgceError, Refused
from bgce_migrate.migration import Plan, Step
from bgce_migrate.outcome import RunReport, StepResult, StepStatus
from bgce_migrate.registry import Registry

_STEPS_A_LANE, _MOST_LANES = 50, 4


def execute(
    target: Target,
    domains: Mapping[str, Domain],
    make_plan: Callable[[State], Planned],
    info: RunInfo,
    hooks: Hooks,
    options: Options,
    registry: Registry | None = None,
) -> RunReport:
    """Bring the target to where `make_plan` says.

    The plan is made twice: before the lock, so that a run with nothing to do takes none, and under it,
    because another run may have come between.

    Raises:
        BgceError: nothing was changed; once steps run, failures are in the report instead.
    """
    measured = Measured(hooks, info, target.facts.database)
    try:
        report = _execute(target, domains, make_plan, info, hooks, options, registry, measured)
    except BgceError as error:
        measured.failed(error)
        raise
    measured.ended(report)
    return report


def _execute(
    target: Target,
    domains: Mapping[str, Domain],
    make_plan: Callable[[State], Planned],
    info: RunInfo,
    hooks: Hooks,
    options: Options,
    registry: Registry | None,
    measured: Measured,
) -> RunReport:
    started = time.monotonic()
    before = dict(target.state.heads)
    planned = make_plan(target.state)
    _require_expected(planned.plan, options.expect)

    def report(result: str, steps: tuple[StepResult, ...] = (), **more: object) -> RunReport:
        return _report(info, target, planned, started, {"result": result, "steps": steps, **more})

    if not planned.plan.steps:
        return report("nothing_to_do")
    require_writable(target)
    ensure_bookkeeping(target)
    context = Context(
        info, target.access(info), options.limits, target.facts, options.stop, options.progress, options.time_zone
    )
    require_runnable(context, target.control, planned, domains, atomic=options.atomic)
    leadership = Leadership(context, target.control)
    with measured.lock():
        leadership.acquire()
    audit = Audit(context.access, {d.owner: d.name for d in domains.values()})
    asked = Asked(context, audit)
    asked.start()
    try:
        target.reread()
        if dict(target.state.heads) != before:
            planned = make_plan(target.state)
            _require_expected(planned.plan, options.expect)
            if not planned.plan.steps:
                return report("nothing_to_do")
        look = StandbyLook(options.replicas, planned.plan, domains)
        touched = {step.id.domain for step in planned.plan.steps}
        context.versions = prepared(target, options.versions, leadership, touched)
        point = mark_restore_point(context, leadership, target, planned.plan.steps[0].id.domain)
        owned = ready(context, target, planned, domains, hooks, registry)
        stalling = look.tell(context.progress)
        # A session that runs steps is changed by them; in layout plain and mode role it is the leader's own login.
        lanes = Lanes(context, leadership, audit, planned.plan, owned, target.state.heads, hooks, target.control)
        jobs = options.jobs or _lanes(context, target.state, len(owned))
        results = run_atomically(lanes) if options.atomic else lanes.run(jobs)
        if planned.afterwards is not None and (done := [r.id for r in results if r.status is StepStatus.APPLIED]):
            lanes.warnings += planned.afterwards(leadership.control, done)
        failure = lanes.failure
        result = "done" if failure is None else "interrupted" if failure.exit_code == 130 else "failed"
        return report(
            result,
            results,
            heads=MappingProxyType(dict(lanes.heads)),
            warnings=(*planned.warnings, *stalling, *lanes.warnings),
            failure=failure,
            restore_point=point,
            end=mark_end(context, leadership, results),
        )
    finally:
        asked.end()
        leadership.release()
        audit.close()


def _lanes(context: Context, state: State, steps: int) -> int:
    """How many lanes a run takes that was not told.

    One: it meets a live database with as few locks at once as it can. Where nothing has ever been applied nobody is
    there to be disturbed, and a lane more for each 50 steps, up to four, is worth its connection. Behind a pooler
    connections are few, and in mode `login` each lane needs one for each domain.
    """
    if state.heads or context.facts.pooled or context.access.mode == "login":
        return 1
    return max(1, min(_MOST_LANES, steps // _STEPS_A_LANE))


def _report(info: RunInfo, target: Target, planned: Planned, started: float, said: Mapping[str, object]) -> RunReport:
    """What there is to say of a run anyway, and `said`."""
    values: dict[str, object] = {
        "fingerprint": planned.plan.fingerprint,
        "heads": MappingProxyType(dict(target.state.heads)),
        "warnings": planned.warnings,
        "deployment": info.deployment,
        "target": MappingProxyType(target.describe()),
        "duration_ms": (time.monotonic() - started) * 1000,
        **said,
    }
    return RunReport(info.run_id, **values)  # type: ignore[arg-type]


def ready(
    context: Context,
    target: Target,
    planned: Planned,
    domains: Mapping[str, Domain],
    hooks: Hooks,
    registry: Registry | None,
) -> list[Owned]:
    """The steps with what each of them gives; what they need of existing objects is given here."""
    grants, gives = {}, None
    if context.guarded:
        grants = rights_of.by_step(planned.rights)
        gives = giving(target.control, registry, hooks) if registry is not None else None
    owned = [_own(context, step, planned, domains, grants.get(step.id, ()), gives) for step in planned.plan.steps]
    if context.guarded:
        rights_of.apply_existing(context, target.control, planned.rights.get(None, ()), domains)
    return owned


def _own(
    context: Context,
    step: Step,
    planned: Planned,
    domains: Mapping[str, Domain],
    grants: tuple[str, ...],
    gives: Giving | None,
) -> Owned:
    domain = domains.get(step.id.domain)
    guarded = context.guarded
    gift = None
    if gives is not None and domain is not None and domain.declared:
        gift = gives.gift(domain, step.script.effects, step.script.statements)
    return Owned(
        step,
        (domain.owner if domain is not None else f"{step.id.domain}_owner") if guarded else None,
        domain.migrator if domain is not None else f"{step.id.domain}_migrator",
        search_path(domain),
        (*(grants if step.direction.value == "up" else ()), *(gift.known() if gift is not None else ())),
        planned.parents.get(step.id, frozenset()),
        gift,
    )


def _require_expected(plan: Plan, expect: str | None) -> None:
    if expect is not None and plan.fingerprint != expect:
        raise Refused(
            f"the plan is {plan.fingerprint or 'empty'} now, not {expect}: something has moved since it was shown",
            hint="look at `bgce-migrate plan` again",
        )
