"""What a run did, for people: the steps, what stands, what was not run and why."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import TYPE_CHECKING

from bgce_migrate.errors import BgceError
from bgce_migrate.outcome import StepStatus
from bgce_migrate.report.faults import print_error
from bgce_migrate.report.output import Output
from bgce_migrate.report.table import Column
from bgce_migrate.report.values import receipt

if TYPE_CHECKING:
    from bgce_migrate.outcome import RunReport, StepResult

_STEPS = (Column("migration"), Column("status", colours=True), Column("ms", right=True), Column(""))
_WORDS = {
    ("applied", "up"): "applied",
    ("applied", "down"): "reverted",
    ("not_run", "up"): "not run",
    ("not_run", "down"): "not run",
}


def print_run(out: Output, command: str, report: RunReport, *, nothing: str) -> None:
    """The result of `up`, `down` or `goto`: table and summary, or the receipt; its failure on standard error.

    Args:
        nothing: the sentence for a run that had nothing to do.
    """
    out.document(command, receipt(report))
    for warning in report.warnings:
        out.note(f"warning: {warning}")
    out.table(_STEPS, [_row(step) for step in report.steps])
    out.line(nothing if report.result == "nothing_to_do" else _summary(report))
    if report.failure is not None:
        _print_failures(out, report)
        out.note(f"next: {_next_command(command, report)}")
    log_end(out, command, report)


def log_end(out: Output, command: str, report: RunReport) -> None:
    """The last event of a run, in a log of JSON lines; its steps and errors have events of their own."""
    applied = sum(1 for step in report.steps if step.status is StepStatus.APPLIED)
    out.event(
        "run_finished",
        "info" if report.failure is None else "error",
        command=command,
        result=report.result,
        exit_code=report.exit_code,
        duration_ms=round(report.duration_ms, 1),
        steps=len(report.steps),
        applied=applied,
        deployment=report.deployment,
        database=report.target.get("database"),
    )


def status_word(step: StepResult) -> str:
    """How a step ended, in one or two words."""
    return _WORDS.get((step.status.value, step.direction.value), step.status.value)


def _row(step: StepResult) -> tuple[str, str, str, str]:
    ran = step.status not in (StepStatus.NOT_RUN, StepStatus.REFUSED)
    notes = list(step.notes)
    if step.retries > 0:
        notes.append(f"{step.retries} {'retry' if step.retries == 1 else 'retries'}")
    return str(step.id), status_word(step), f"{step.duration_ms:.0f}" if ran else "", "; ".join(notes)


def _summary(report: RunReport) -> str:
    counted = Counter(status_word(step) for step in report.steps)
    parts = ", ".join(f"{count} {word}" for word, count in counted.items())
    seconds = f"{report.duration_ms / 1000:.1f} s"
    end = f", WAL position {report.end.position}" if report.end is not None else ""
    return f"{parts or 'no step'}{place_of(report.target)}, {seconds}, run {report.run_id}{end}"


def place_of(target: Mapping[str, str]) -> str:
    """` in database x, layout plain ...`, to be put behind what was found or done there."""
    if not target.get("database"):
        return ""
    layout = target.get("layout", "")
    meaning = {
        "plain": "layout plain (nothing is protected from the migrations)",
        "guarded": "layout guarded",
    }
    return f" in database {target['database']}, {meaning.get(layout, 'nothing recorded yet')}"


def _print_failures(out: Output, report: RunReport) -> None:
    """Every step's own error, then what ended the run if that is not one of them."""
    told: list[BgceError] = []
    for step in report.steps:
        if step.error is not None and all(step.error is not other for other in told):
            told.append(step.error)
            print_error(out, step.error)
    if report.failure is not None and all(report.failure is not other for other in told):
        print_error(out, report.failure)
    standing = sum(1 for s in report.steps if s.status is StepStatus.APPLIED)
    waiting = [s for s in report.steps if s.status is StepStatus.NOT_RUN]
    if standing or waiting:
        steps = "step is" if len(report.steps) == 1 else "steps are"
        out.note(f"{standing} of {len(report.steps)} {steps} done and recorded, {len(waiting)} not run")


def _next_command(command: str, report: RunReport) -> str:
    if report.exit_code == 6:
        return "look at the database, then bgce-migrate repair --help"
    return f"bgce-migrate {command}" + ("" if report.exit_code in (4, 130) else ", when that is done")
