"""Lint for one file as an editor has it, saved or not, within the project it belongs to."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from functools import lru_cache
from pathlib import Path

from bgce_migrate.config import find
from bgce_migrate.config.folders import FILE_NAME
from bgce_migrate.errors import BgceError, UsageError, Where
from bgce_migrate.migration import Finding, Severity


def findings_about(path: Path, text: str) -> Mapping[str, tuple[Finding, ...]]:
    """Findings of a migration file by source: "safety", "ownership", "project"; none for any other file."""
    absolute = os.path.abspath(path)
    if FILE_NAME.match(os.path.basename(absolute)) is None:
        return {}
    config = find(Path(absolute).parent)
    if config is None:
        return {}
    return _found(str(config), absolute, text, os.getcwd())


@lru_cache(maxsize=16)
def _found(config: str, path: str, text: str, current: str) -> Mapping[str, tuple[Finding, ...]]:
    """Asked once a file by each of the rules."""
    from bgce_migrate.linting import Request, lint, load
    from bgce_migrate.linting.standing_in import stand_in

    try:
        loaded = load(Path(path).parent, config=Path(config))
        stand_in(loaded, Path(path), text.encode("utf-8", "surrogateescape"))
        request = Request(
            files=(Path(path),), style=False, today=date.today().isoformat(), environment=os.environ, jobs=1
        )
        result = lint(loaded, request)
    except UsageError:
        # A file beside the project's domains.
        return {}
    except BgceError as error:
        return {"project": (Finding("project", Severity.ERROR, error.message, Where(path), error.hint),)}
    sources = _sources()
    found: dict[str, list[Finding]] = {}
    for finding in result.findings:
        found.setdefault(sources.get(finding.rule, "project"), []).append(finding)
    return {source: tuple(findings) for source, findings in found.items()}


@lru_cache(maxsize=1)
def _sources() -> Mapping[str, str]:
    from bgce_migrate.lint.ownership import OWNERSHIP_RULES
    from bgce_migrate.lint.rules import RULES

    return {rule.id: "safety" for rule in RULES} | {rule.id: "ownership" for rule in OWNERSHIP_RULES}
