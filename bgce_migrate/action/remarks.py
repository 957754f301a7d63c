"""Findings of a document as remarks of the page and as annotations of their lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from bgce_migrate.action.job import Job
from bgce_migrate.migration import Severity
from bgce_migrate.report.comment import Remark

#: What GitHub shows of one level and step.
SHOWN_ANNOTATIONS = 10
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def remarks_of(job: Job, findings: object) -> tuple[Remark, ...]:
    """The findings of a document, in its order."""
    return tuple(_remark(job, f) for f in findings if isinstance(f, dict)) if isinstance(findings, list) else ()


def in_order(remarks: Iterable[Remark]) -> tuple[Remark, ...]:
    """The gravest first."""
    weights = list(Severity)
    return tuple(sorted(remarks, key=lambda r: weights.index(r.severity)))


def _remark(job: Job, value: Mapping[str, Any]) -> Remark:
    file = value.get("file")
    place = job.in_workspace(file) if isinstance(file, str) and file else ""
    line, column = value.get("line"), value.get("column")
    return Remark(
        Severity(value.get("severity", "error")),
        str(value.get("rule", "")),
        str(value.get("message", "")),
        place,
        str(value.get("hint") or ""),
        str(value.get("domain") or ""),
        bool(value.get("fixable")),
        line if isinstance(line, int) else None,
        column if isinstance(column, int) else None,
    )


def annotate(job: Job, remarks: tuple[Remark, ...]) -> None:
    """Mark the lines that remarks are about, as many as GitHub shows."""
    for severity, level in _LEVELS.items():
        own = [r for r in remarks if r.severity is severity]
        for remark in own[:SHOWN_ANNOTATIONS]:
            message = f"{remark.message}\nhint: {remark.hint}" if remark.hint else remark.message
            job.console.annotate(level, message, file=remark.file, line=remark.line, col=remark.column, title=remark.rule)
        if len(own) > SHOWN_ANNOTATIONS:
            job.console.say(f"{len(own) - SHOWN_ANNOTATIONS} more of severity {severity.value}: see the summary")
