"""Plugins hear how a run ended, with what only the command knows: its name, the environment, what must not be shown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import TYPE_CHECKING

from bgce_migrate.commands.call import Call
from bgce_migrate.errors import BgceError

if TYPE_CHECKING:
    from bgce_migrate.apply.context import RunInfo
    from bgce_migrate.apply.target import Target
    from bgce_migrate.commands.deploy import Hands
    from bgce_migrate.deploying.model import DeployReport
    from bgce_migrate.outcome import RunReport


@contextmanager
def reached(call: Call, info: RunInfo) -> Iterator[Target]:
    """The database of a run; that it is not reached, or not the right one, is a failure of the run."""
    with ExitStack() as stack:
        try:
            target = stack.enter_context(call.target())
        except BgceError as error:
            tell_failure(call, info, error, call.options["env"])
            raise
        yield target


def tell(call: Call, info: RunInfo, report: RunReport, environment: str | None) -> RunReport:
    """The report, with what plugins could not do with it among its warnings. Nothing to do is nothing to tell."""
    from msgspec.structs import replace

    if report.result == "nothing_to_do":
        return report
    shown = replace(report, command=info.command, environment=environment, failure=_shown(call, report.failure))
    warnings = call.desk.host.run_ended(shown)
    return replace(report, warnings=(*report.warnings, *warnings)) if warnings else report


def tell_failure(call: Call, info: RunInfo, error: BgceError, environment: str | None) -> None:
    """A run that was refused or stopped before its first step. A command line that cannot be is none."""
    from bgce_migrate.outcome import RunReport

    if error.exit_code == 2:
        return
    result = "interrupted" if error.exit_code == 130 else "failed"
    report = RunReport(info.run_id, result, failure=error, deployment=info.deployment)
    for warning in tell(call, info, report, environment).warnings:
        call.out.note(f"warning: {warning}")


def tell_deployment(call: Call, hands: Hands, work: Callable[[], DeployReport]) -> DeployReport:
    """Do it, and tell of it once, whatever its runs were."""
    from msgspec.structs import replace

    if not call.desk.host.hears_runs:
        return work()
    info = hands.info("deploy")
    try:
        report = work()
    except BgceError as error:
        tell_failure(call, info, error, hands.environment)
        raise
    if report.result == "begun":
        return report
    whole = _as_run(report, info.run_id)
    of = "all domains" if report.scope == "*" else report.scope
    told = tell(call, replace(info, command=f"deploy of {of}"), whole, hands.environment)
    return replace(report, warnings=told.warnings[len(whole.warnings) :])


def _as_run(report: DeployReport, run_id: str) -> RunReport:
    """Both of its runs as one: what was applied, then what was undone."""
    from bgce_migrate.errors import NotReady
    from bgce_migrate.outcome import RunReport

    runs = [run for run in (report.up, report.undo) if run is not None]
    failure = report.failure
    if report.reason is not None and report.result in ("undone", "kept"):
        how = "failed and is undone" if report.result == "undone" else "failed; nothing is undone"
        failure = NotReady(f"{report.title} {how}: {report.reason}", hint=failure.hint if failure is not None else None)
    well = "interrupted" if report.exit_code == 130 else "failed"
    return RunReport(
        runs[0].run_id if runs else run_id,
        "done" if failure is None else well,
        steps=tuple(step for run in runs for step in run.steps),
        warnings=tuple(warning for run in runs for warning in run.warnings),
        failure=failure,
        deployment=report.deployment,
        target=runs[0].target if runs else {},
        duration_ms=sum(run.duration_ms for run in runs) + sum(ended.seconds for ended in report.ran) * 1000,
        restore_point=runs[0].restore_point if runs else None,
    )


def environment_of(call: Call, target: Target) -> str | None:
    """What `--env` says, else what the history says this database is; asked only where somebody wants to hear it."""
    said: str | None = call.options["env"]
    if said is not None or not call.desk.host.hears_runs:
        return said
    from bgce_migrate.apply.environments import recorded_environment
    from bgce_migrate.db.wire import Failed, Lost

    try:
        return recorded_environment(target)
    except (Failed, Lost):
        return None  # the run has lost its connection, and says so itself


def _shown(call: Call, error: BgceError | None) -> BgceError | None:
    """As it may be shown to others: no control characters, and no password that this process was given."""
    if error is None:
        return None
    from bgce_migrate.report.clean import clean

    mask = call.out.secrets.mask
    hint = mask(clean(error.hint)) if error.hint else None
    # Some kinds put their message together themselves.
    shown = type(error).__new__(type(error))
    BgceError.__init__(shown, mask(clean(error.message)), hint=hint, where=error.where)
    return shown
