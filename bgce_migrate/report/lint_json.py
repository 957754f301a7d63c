"""Findings as a document of ours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from bgce_migrate.migration import Finding, Severity
from bgce_migrate.report.output import Output
from bgce_migrate.report.values import finding_value


def print_json(
    out: Output,
    findings: Sequence[Finding],
    *,
    judged: int,
    migrations: int,
    fixable: Collection[str],
    fixed: Sequence[str],
    passed: bool,
) -> None:
    """`bgce-migrate/lint/1`."""
    counted = Counter(finding.severity for finding in findings)
    out.document(
        "lint",
        {
            "findings": [{**finding_value(f), "fixable": is_fixable(f, fixable)} for f in findings],
            "counts": {severity.value: counted[severity] for severity in Severity},
            "judged": judged,
            "migrations": migrations,
            "fixed": list(fixed),
            "passed": passed,
        },
    )


def is_fixable(finding: Finding, files: Collection[str]) -> bool:
    """Whether `--fix` would mend it: it knows how, and the file may be rewritten."""
    return bool(finding.fix) and finding.where is not None and finding.where.file in files
