"""Severities as the project sets them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from bgce_migrate.migration import Finding, Severity


def weighed(findings: Iterable[Finding], severities: Mapping[str, Severity | None]) -> tuple[Finding, ...]:
    """Findings with the severities that are set for their rules; None leaves them out."""
    if not severities:
        return tuple(findings)
    out = []
    for finding in findings:
        severity = severities.get(finding.rule, finding.severity)
        if severity is not None:
            out.append(finding if severity is finding.severity else replace(finding, severity=severity))
    return tuple(out)
