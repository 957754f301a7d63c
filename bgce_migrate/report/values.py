"""Our values as parts of JSON documents. A field once published stays."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from bgce_migrate.errors import UsageError
from bgce_migrate.outcome import Head
from bgce_migrate.report.faults import error_value

if TYPE_CHECKING:
    from bgce_migrate.migration import Finding, MigrationId
    from bgce_migrate.outcome import RunReport, StepResult


def migration_value(migration: MigrationId) -> dict[str, object]:
    """id, domain, version and name: how every document speaks of a migration."""
    return {
        "id": str(migration),
        "domain": migration.domain,
        "version": migration.version,
        "name": migration.name,
    }


def finding_value(finding: Finding) -> dict[str, object]:
    """A finding with its place."""
    where = finding.where
    return {
        "rule": finding.rule,
        "severity": finding.severity.value,
        "message": finding.message,
        "hint": finding.hint,
        "domain": finding.domain,
        "file": where.file if where else None,
        "line": where.line if where else None,
        "column": where.column if where else None,
    }


def receipt(report: RunReport) -> dict[str, object]:
    """The whole story of a run; `--after` reads its `heads` again."""
    return {
        "run_id": report.run_id,
        "result": report.result,
        "exit_code": report.exit_code,
        "deployment": report.deployment,
        "fingerprint": report.fingerprint,
        "duration_ms": round(report.duration_ms, 1),
        "target": dict(report.target),
        "steps": [_step_value(step) for step in report.steps],
        "heads": {
            domain: {"sequence": head.sequence, "row_hash": head.row_hash}
            for domain, head in sorted(report.heads.items())
        },
        "warnings": list(report.warnings),
        "restore_point": {"name": point.name, "position": point.position} if (point := report.restore_point) else None,
        "end": {"position": end.position, "timeline": end.timeline} if (end := report.end) else None,
        "error": error_value(report.failure) if report.failure else None,
    }


def _step_value(step: StepResult) -> dict[str, object]:
    return {
        **migration_value(step.id),
        "direction": step.direction.value,
        "status": step.status.value,
        "duration_ms": round(step.duration_ms, 1),
        "retries": step.retries,
        "lock_wait_ms": round(step.lock_wait_ms, 1),
        "notes": list(step.notes),
        "error": error_value(step.error) if step.error else None,
    }


def read_heads(path: Path) -> Mapping[str, Head]:
    """The heads of a receipt.

    Raises:
        UsageError: the file is no receipt of ours.
    """
    try:
        document = json.loads(path.read_bytes())
        heads = {
            str(domain): Head(int(head["sequence"]), str(head["row_hash"]))
            for domain, head in document["heads"].items()
        }
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from None
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise UsageError(
            f"{path} is not a receipt",
            hint="a receipt is what `up --json` prints and `up --report FILE` writes",
        ) from None
    return heads
