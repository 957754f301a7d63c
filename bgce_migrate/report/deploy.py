"""How a deployment went, for people and as a document."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bgce_migrate.report.faults import error_value, print_error
from bgce_migrate.report.output import Output
from bgce_migrate.report.runs import status_word
from bgce_migrate.report.table import Column
from bgce_migrate.report.values import migration_value, receipt

if TYPE_CHECKING:
    from bgce_migrate.deploying.model import DeployReport, Ended
    from bgce_migrate.outcome import RunReport

_STEPS = (Column("migration"), Column("status", colours=True), Column(""))
_WORDS = {
    "begun": "has begun",
    "done": "is done",
    "undone": "failed and is undone",
    "kept": "failed; nothing is undone",
    "open": "stays open",
}


def print_deploy(out: Output, report: DeployReport) -> None:
    """Steps, programs, what stays, and the verdict; its failure on standard error."""
    out.document("deploy", deploy_value(report))
    runs = [run.warnings for run in (report.up, report.undo) if run is not None]
    for warning in (warning for warnings in (*runs, report.warnings) for warning in warnings):
        out.note(f"warning: {warning}")
    out.table(_STEPS, [*_rows(report.up), *_rows(report.undo), *((str(k.id), "stays", k.why) for k in report.kept)])
    for ended in report.ran:
        out.line(ended.sentence)
    of = "all domains" if report.scope == "*" else report.scope
    out.line(f"deployment {report.deployment} of {of} {_WORDS[report.result]}")
    if report.failure is not None:
        print_error(out, report.failure)
    out.event(
        "deploy_finished",
        "info" if report.failure is None else "error",
        deployment=report.deployment,
        domain=None if report.scope == "*" else report.scope,
        result=report.result,
        exit_code=report.exit_code,
        reason=report.reason,
        runs=[run.run_id for run in (report.up, report.undo) if run is not None],
        kept=[str(kept.id) for kept in report.kept],
    )


def deploy_value(report: DeployReport) -> dict[str, object]:
    """The document; both runs as their receipts."""
    return {
        "deployment": report.deployment,
        "domain": None if report.scope == "*" else report.scope,
        "result": report.result,
        "exit_code": report.exit_code,
        "up": receipt(report.up) if report.up is not None else None,
        "programs": [_program(ended) for ended in report.ran],
        "reason": report.reason,
        "undo": receipt(report.undo) if report.undo is not None else None,
        "warnings": list(report.warnings),
        "kept": [{**migration_value(kept.id), "why": kept.why} for kept in report.kept],
        "error": error_value(report.failure) if report.failure is not None else None,
    }


def _program(ended: Ended) -> dict[str, object]:
    return {"what": ended.what, "exit_code": ended.code, "seconds": round(ended.seconds, 3)}


def _rows(run: RunReport | None) -> list[tuple[str, str, str]]:
    return [(str(s.id), status_word(s), "; ".join(s.notes)) for s in run.steps] if run is not None else []
