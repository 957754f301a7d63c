"""Findings as SARIF 2.1.0, with fingerprints that stay when lines move."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from urllib.parse import quote

from bgce_migrate import __version__
from bgce_migrate.migration import Finding, Severity
from bgce_migrate.report.output import Output

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "note"}
#: The part of the fingerprint's name that is raised when its making changes.
_FINGERPRINT = "bgceMigrate/v1"

#: Title and page of a rule, by its id.
Page = Callable[[str], tuple[str, str]]


def print_sarif(
    out: Output, findings: Sequence[Finding], statements: Mapping[Finding, str], page: Page
) -> None:
    """The whole log.

    Args:
        statements: the statement a finding is about, without comments and blanks.
        page: for `rules` of the driver.
    """
    out.line(json.dumps(sarif(findings, statements, page), indent=2))


def sarif(
    findings: Sequence[Finding], statements: Mapping[Finding, str], page: Page
) -> dict[str, object]:
    """The log as a value."""
    ids = sorted({finding.rule for finding in findings})
    places = {rule: place for place, rule in enumerate(ids)}
    seen: Counter[str] = Counter()
    results = [_result(f, places[f.rule], statements.get(f, ""), seen) for f in findings]
    driver = {
        "name": "bgce-migrate",
        "version": __version__,
        "informationUri": "https://pypi.org/project/bgce-migrate/",
        "rules": [_rule(rule, findings, page) for rule in ids],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "originalUriBaseIds": {"SRCROOT": {"description": {"text": "The root of the repository."}}},
        "results": results,
    }
    return {"$schema": SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(rule: str, findings: Sequence[Finding], page: Page) -> dict[str, object]:
    title, text = page(rule)
    worst = min((f.severity for f in findings if f.rule == rule), key=list(Severity).index)
    return {
        "id": rule,
        "shortDescription": {"text": title},
        "help": {"text": text or title, "markdown": text or title},
        "defaultConfiguration": {"level": _LEVELS[worst]},
    }


def _result(finding: Finding, index: int, statement: str, seen: Counter[str]) -> dict[str, object]:
    text = finding.message + (f"\n{finding.hint}" if finding.hint else "")
    result: dict[str, object] = {
        "ruleId": finding.rule,
        "ruleIndex": index,
        "level": _LEVELS[finding.severity],
        "message": {"text": text},
        "partialFingerprints": {_FINGERPRINT: _fingerprint(finding, statement, seen)},
    }
    where = finding.where
    if where is not None:
        physical: dict[str, object] = {"artifactLocation": _artifact(where.file)}
        if where.line is not None:
            region = {"startLine": where.line}
            if where.column is not None:
                region["startColumn"] = where.column
                if finding.span:
                    region["endColumn"] = where.column + finding.span
            physical["region"] = region
        result["locations"] = [{"physicalLocation": physical}]
    return result


def _artifact(file: str) -> dict[str, str]:
    uri = quote(file, safe="/-._~")
    return {"uri": f"file://{uri}"} if file.startswith("/") else {"uri": uri, "uriBaseId": "SRCROOT"}


def _fingerprint(finding: Finding, statement: str, seen: Counter[str]) -> str:
    """Rule, file and the statement's words: lines above may come and go."""
    file = finding.where.file if finding.where is not None else ""
    words = "\0".join((finding.rule, file, statement or finding.message, finding.subject))
    digest = hashlib.sha256(words.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    seen[digest] += 1
    return f"{digest}:{seen[digest]}"
