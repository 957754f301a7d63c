"""Findings as GitHub's workflow commands: annotations on the lines of a pull request."""

from __future__ import annotations

from collections.abc import Sequence

from bgce_migrate.migration import Finding, Severity
from bgce_migrate.report.clean import one_line
from bgce_migrate.report.output import Output

_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}
_RANKS = {Severity.ERROR: 0, Severity.WARNING: 1, Severity.NOTE: 2}


def print_github(out: Output, findings: Sequence[Finding]) -> None:
    """The worst first: a page shows ten of each level."""
    ranked = sorted(findings, key=lambda f: _RANKS[f.severity])
    text = [annotation(finding) for finding in ranked]
    if text:
        out.line("\n".join(text))


def annotation(finding: Finding) -> str:
    """One command; nothing in a name or message can end it, or begin another."""
    where = finding.where
    properties = []
    if where is not None:
        properties.append(f"file={_property(where.file)}")
        if where.line is not None:
            properties.append(f"line={where.line}")
        if where.column is not None:
            properties.append(f"col={where.column}")
            if finding.span:
                properties.append(f"endColumn={where.column + finding.span}")
    properties.append(f"title={_property(finding.rule)}")
    message = one_line(finding.message) + (f"\nhint: {one_line(finding.hint)}" if finding.hint else "")
    # An older form of commands is found anywhere on a line.
    return f"::{_LEVELS[finding.severity]} {','.join(properties)}::{_data(message)}".replace("##[", "##\\[")


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
