"""What `up`, `down` and `goto` share: limits, signals, progress, the receipt's file, the embedded server's line."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.telling import environment_of, tell, tell_failure
from bgce_migrate.errors import BgceError, UsageError

if TYPE_CHECKING:
    from bgce_migrate.apply.context import Limits, Options, RunInfo
    from bgce_migrate.apply.losses import Loss
    from bgce_migrate.apply.target import Target
    from bgce_migrate.outcome import RunReport

DEFAULT_LOCK_WAIT = 60.0


def limits_of(call: Call, said: dict[str, Any]) -> Limits:
    """The waiting times of a run; golang-migrate's -lock-timeout is a --lock-wait."""
    from bgce_migrate.apply.context import Limits

    wait = said.get("lock_wait")
    if wait is None:
        wait = call.lock_wait if call.lock_wait is not None else DEFAULT_LOCK_WAIT
    return Limits(
        lock_timeout=said.get("lock_timeout", "300ms"),
        statement_timeout=said.get("statement_timeout", "0"),
        lock_wait=wait,
        retry_for=said.get("retry_for", 30.0),
    )


def run(
    call: Call, info: RunInfo, target: Target, said: dict[str, Any], work: Callable[[Options], RunReport], *, nothing: str
) -> int:
    """Do `work` with progress and signals, tell plugins, print its report, and return its exit code.

    Args:
        info: of the run; its command names the document.
        said: the values of `run_options`, and `atomic` and `expect` where the command has them.
        nothing: the sentence for a run that had nothing to do.
    """
    from bgce_migrate.apply.context import Options, Stop
    from bgce_migrate.apply.measured import failed_report
    from bgce_migrate.commands.signals import stop_on_signals
    from bgce_migrate.report.progress import progress
    from bgce_migrate.report.runs import log_end, print_run
    from bgce_migrate.report.values import receipt

    file = said.get("report")
    if file is not None:
        require_writable(file)
    stop = Stop()
    stop_on_signals(stop)
    call.out.event("run_started", command=info.command, deployment=info.deployment, commit=info.git_commit)
    try:
        with progress(call.out) as told:
            report = work(
                Options(
                    limits=limits_of(call, said),
                    jobs=said.get("jobs"),
                    atomic=said.get("atomic", False),
                    expect=said.get("expect"),
                    progress=told,
                    stop=stop,
                    replicas=replicas_of(call),
                )
            )
    except BgceError as error:
        tell_failure(call, info, error, environment_of(call, target))
        log_end(call.out, info.command, failed_report(info, error))
        raise
    if report.result != "nothing_to_do":
        report = tell(call, info, report, environment_of(call, target))
    print_run(call.out, info.command, report, nothing=nothing)
    if file is not None:
        write_report(call, file, call.out.document_text(info.command, receipt(report)))
    return report.exit_code


def replicas_of(call: Call) -> tuple[tuple[str, str], ...]:
    """The declared replicas that can be asked from here; their passwords are never shown."""
    from bgce_migrate.naming import replicas

    found = replicas(call.project, os.environ)
    for _, address in found:
        call.out.secrets.add_conninfo(address)
    return found


def consent_of(call: Call, *, yes: bool) -> Callable[[tuple[Loss, ...]], bool]:
    """Shows what live data a down would lose, and asks; without a terminal only `--yes` is a yes."""

    def consent(losses: tuple[Loss, ...]) -> bool:
        if not losses:
            return True
        call.out.note("this loses data:")
        for loss in losses:
            sure = "" if loss.certain else " (could not be looked at in time)"
            call.out.note(f"  {loss.migration}: {loss.what}{sure}")
        return yes or (call.asks and call.agree("go on?"))

    return consent


def require_writable(file: Path) -> None:
    """Refuse a `--report` that could not be written, before anything runs."""
    try:
        with file.open("ab"):
            pass
    except OSError as error:
        raise UsageError(f"the report {file} cannot be written: {error.strerror or error}") from None


def write_report(call: Call, file: Path, text: str) -> None:
    """Write the document of a run to its `--report`."""
    try:
        file.write_text(text + "\n", encoding="ascii")
    except OSError as error:
        # The run is over and recorded; losing its report must not make it look failed.
        call.out.note(f"warning: the report {file} could not be written: {error.strerror or error}")
