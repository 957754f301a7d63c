"""Plans, states and history, as text and as documents."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from bgce_migrate.report.output import Output
from bgce_migrate.report.runs import place_of
from bgce_migrate.report.table import Column
from bgce_migrate.report.values import finding_value, migration_value

if TYPE_CHECKING:
    from bgce_migrate.db.history import Row
    from bgce_migrate.migration import Direction, Edge, Finding, MigrationId, Mode, Plan
    from bgce_migrate.outcome import StatusRow
    from bgce_migrate.planning import PlanView

_PLAN = (Column("#", right=True), Column("migration"), Column("how"), Column("after"))
_STATUS = (Column("migration"), Column("state", colours=True), Column("applied at"), Column("lock file"))
_HISTORY = (
    Column("id", right=True), Column("applied at"), Column("migration"), Column("direction"),
    Column("result", colours=True), Column("ms", right=True), Column("by"), Column("run"),
)  # fmt: skip


def print_findings(out: Output, findings: Iterable[Finding]) -> None:
    """One line a finding, hints indented below."""
    for finding in findings:
        place = f"{finding.where}: " if finding.where else ""
        out.note(f"{finding.severity.value}: {place}{finding.message} [{finding.rule}]")
        if finding.hint:
            out.note(f"  hint: {finding.hint}")


def list_findings(out: Output, findings: Iterable[Finding]) -> None:
    """The same as a result, on standard output."""
    for finding in findings:
        place = f"{finding.where}: " if finding.where else ""
        out.line(f"{place}{finding.severity.value}: {finding.message} [{finding.rule}]")
        if finding.hint:
            out.line(f"  hint: {finding.hint}")


def print_plan(
    out: Output, view: PlanView, *, explain: bool, more: Mapping[str, object] | None = None
) -> None:
    """The ordered steps; with `explain` every edge with its reason.

    Args:
        more: parts of the document that others add.
    """
    plan = view.plan
    waits_for = _waits_for(plan)
    if out.json:
        out.document("plan", {**_plan_value(view, waits_for), **(more or {})})
    for warning in view.warnings:
        out.note(f"warning: {warning}")
    print_findings(out, (*plan.notes, *view.findings))
    if not plan.steps:
        out.line("nothing to do: everything is applied")
        return
    out.table(
        _PLAN,
        [
            (
                str(number),
                str(step.id),
                _what(step.direction, step.script.mode, len(step.script.statements)),
                ", ".join(i.short for i in waited),
            )
            for number, (step, waited) in enumerate(zip(plan.steps, waits_for, strict=True), 1)
        ],
    )
    if explain:
        _explain(out, view)
    domains = len({step.id.domain for step in plan.steps})
    out.line(f"{_count(len(plan.steps), 'step')} of {_count(domains, 'domain')}, fingerprint {plan.fingerprint}")


def _waits_for(plan: Plan) -> list[list[MigrationId]]:
    """For each step those of the plan that it waits for."""
    if not any(step.waits_for for step in plan.steps):
        return [[] for _ in plan.steps]
    in_plan = {step.id for step in plan.steps}
    return [sorted(step.waits_for & in_plan) if step.waits_for else [] for step in plan.steps]


def _plan_value(view: PlanView, waits_for: list[list[MigrationId]]) -> dict[str, object]:
    plan = view.plan
    return {
        "fingerprint": plan.fingerprint,
        "steps": [
            {
                **migration_value(step.id),
                "direction": step.direction.value,
                "mode": step.script.mode.value,
                "statements": len(step.script.statements),
                "reasons": list(step.reasons),
                "waits_for": [str(i) for i in waited],
            }
            for step, waited in zip(plan.steps, waits_for, strict=True)
        ],
        "edges": [_edge_value(edge) for edge in view.edges],
        "findings": [finding_value(f) for f in (*plan.notes, *view.findings)],
        "warnings": list(view.warnings),
    }


@cache
def _what(direction: Direction, mode: Mode, statements: int) -> str:
    return f"{direction.value}, {_how(mode.value, statements)}"


def _how(mode: str, statements: int) -> str:
    if mode == "journal":
        return f"{_count(statements, 'statement')} one by one, journaled"
    if mode == "opaque":
        return "sent as it is"
    return "no statements" if mode == "empty" else _count(statements, "statement")


def _explain(out: Output, view: PlanView) -> None:
    """The reasons of every step; a step's own reasons tell of other domains, the edges of its own."""
    own: dict[MigrationId, list[str]] = {}
    for edge in view.edges:
        if edge.before.domain == edge.after.domain:
            late = " (binds late)" if edge.soft else ""
            own.setdefault(edge.after, []).append(f"after {edge.before.short}: {edge.reason}{late}")
    out.line()
    for step in view.plan.steps:
        reasons = dict.fromkeys((*own.get(step.id, ()), *step.reasons))
        out.line(f"{step.id}{'' if reasons else ': needs nothing of others'}")
        for reason in reasons:
            out.line(f"  {reason}")
    out.line()


def _edge_value(edge: Edge) -> dict[str, object]:
    return {
        "before": str(edge.before),
        "after": str(edge.after),
        "reason": edge.reason,
        "soft": edge.soft,
        "file": edge.where.file if edge.where else None,
        "line": edge.where.line if edge.where else None,
    }


def print_status(out: Output, rows: Sequence[StatusRow], *, target: Mapping[str, str]) -> None:
    """Every migration with its state, and how many there are of each."""
    counted = Counter(row.state for row in rows)
    out.document(
        "status",
        {
            "migrations": [
                {
                    **migration_value(row.id),
                    "state": row.state,
                    "applied_at": row.applied_at,
                    "locked": row.locked,
                }
                for row in rows
            ],
            "counts": dict(sorted(counted.items())),
            "target": dict(target),
        },
    )
    any_locked = any(row.locked for row in rows)
    out.table(
        _STATUS,
        [
            (
                str(row.id),
                row.state,
                row.applied_at or "",
                "" if row.locked or not any_locked else "not locked",
            )
            for row in rows
        ],
    )
    parts = ", ".join(f"{count} {word}" for word, count in counted.items()) or "no migrations"
    out.line(f"{parts}{place_of(target)}")


def print_history(out: Output, rows: Sequence[Row], *, total: int, faults: Sequence[str] | None) -> None:
    """The rows, oldest first; with `--verify` whether the chains are whole."""
    document: dict[str, object] = {"rows": [_history_value(row) for row in rows], "total": total}
    if faults is not None:
        document |= {"verified": not faults, "faults": list(faults)}
    out.document("history", document)
    out.table(_HISTORY, [_history_row(row) for row in rows])
    if len(rows) < total:
        out.line(f"the last {len(rows)} of {_count(total, 'row')}")
    if not total:
        out.line("nothing was ever recorded here")
    if faults is not None:
        for fault in faults:
            out.line(f"broken: {fault}")
        out.line("the history is NOT whole" if faults else f"the history is whole: {_count(total, 'row')} verified")


def _history_row(row: Row) -> tuple[str, ...]:
    result = ("applied" if row.direction == "up" else "done") if row.success else "failed"
    name = row.domain if row.version is None else f"{row.domain}/{row.version:06d}"
    return (
        str(row.id), _seconds(row.applied_at), f"{name}_{row.name}" if row.name and row.version is not None else name,
        row.direction, result, str(row.execution_time_ms), row.applied_by, row.run_id[:8],
    )  # fmt: skip


def _history_value(row: Row) -> dict[str, object]:
    name = None if row.version is None else f"{row.domain}/{row.version:06d}" + (f"_{row.name}" if row.name else "")
    return {
        "id": name,
        "domain": row.domain,
        "version": row.version,
        "name": row.name,
        "row": row.id,
        "sequence": row.sequence,
        "direction": row.direction,
        "success": row.success,
        "applied_at": row.applied_at,
        "execution_time_ms": row.execution_time_ms,
        "run_id": row.run_id,
        "attempt_id": row.attempt_id,
        "deployment": row.deployment,
        "checksum": row.checksum,
        "error": row.error,
        "applied_by": row.applied_by,
        "git_commit": row.git_commit,
        "tool_version": row.tool_version,
        "previous_hash": row.previous_hash,
        "row_hash": row.row_hash,
    }


def _seconds(time: str) -> str:
    """A time without its fraction."""
    whole, dot, _ = time.partition(".")
    return f"{whole}Z" if dot else time


def _count(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
