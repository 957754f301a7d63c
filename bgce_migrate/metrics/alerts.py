"""The rules file for Prometheus, with thresholds from `bgce.toml`."""

from __future__ import annotations

import json

from msgspec import Struct

from bgce_migrate.metrics import table
from bgce_migrate.metrics.table import BOUNDS


class Thresholds(Struct, frozen=True):
    """`[alerts]` of `bgce.toml`.

    Attributes:
        slow_seconds: a step that took longer is told; one of the histogram's bounds.
        pending_hours: how long migrations may wait on disk.
        lock_wait_seconds: how long steps of one run may wait for locks.
        silent_minutes: how long nobody may say anything.
    """

    slow_seconds: float = 60.0
    pending_hours: int = 24
    lock_wait_seconds: float = 5.0
    silent_minutes: int = 15


class Rule(Struct, frozen=True):
    """One alert. `lasting` is a duration as Prometheus writes it."""

    name: str
    expression: str
    lasting: str
    severity: str
    summary: str
    description: str


def rules(thresholds: Thresholds) -> tuple[Rule, ...]:
    """All alerts."""
    t, duration = thresholds, table.DURATION.name
    slow = _bound(t.slow_seconds)
    return (
        Rule(
            "MigrationFailed", f"{table.SUCCESS.name} == 0", "0m", "critical",
            "A migration of {{ $labels.service }} failed",
            "The last step of {{ $labels.service }} failed and left nothing. bgce-migrate status shows it.",
        ),
        Rule(
            "MigrationSlow",
            f"increase({duration}_count[1h]) - ignoring(le) increase({duration}_bucket{{{_le(t.slow_seconds)}}}[1h]) > 0.5",
            "0m", "warning", "A migration of {{ $labels.service }} took more than " + slow + " s",
            "bgce-migrate history names it; bgce-migrate plan --measure tells before it runs.",
        ),
        Rule(
            "MigrationPending", f"{table.PENDING.name} > 0", f"{t.pending_hours}h", "warning",
            "Migrations of {{ $labels.service }} have waited for " + f"{t.pending_hours} h",
            "{{ $value }} migrations are on disk and not applied. bgce-migrate plan shows them.",
        ),
        Rule(
            "MigrationFailedVersions", f"{table.FAILED.name} > 0", "1h", "warning",
            "A failed migration of {{ $labels.service }} was neither mended nor applied",
            "{{ $value }} migrations failed last time. bgce-migrate status names them.",
        ),
        Rule(
            "MigrationLockWait", f"{table.LOCK_WAIT.name} > {t.lock_wait_seconds:g}", "0m", "warning",
            "Migrations of {{ $labels.service }} wait for locks",
            "Steps of the last run waited {{ $value }} s for locks that others held.",
        ),
        Rule(
            "MigrationDrift", f"{table.DRIFT.name} > 0", "15m", "warning",
            "The database is not as its migrations left it",
            "{{ $value }} differences in {{ $labels.service }}. bgce-migrate drift names them.",
        ),
        Rule(
            "MigrationGrantsDrift", f"{table.GRANTS_DRIFT.name} > 0", "15m", "warning",
            "Rights in the database are not as declared",
            "{{ $value }} rights differ. bgce-migrate grants check names them.",
        ),
        Rule(
            "MigrationMetricsAbsent", f"absent({table.BUILD_INFO.name})", f"{t.silent_minutes}m", "warning",
            "Nobody says how migrations stand",
            "Neither the exporter (bgce-migrate metrics serve) nor a textfile is read.",
        ),
    )  # fmt: skip


def rules_file(thresholds: Thresholds) -> str:
    """As YAML for `rule_files`."""
    lines = ["groups:", "  - name: bgce-migrate", "    rules:"]
    for rule in rules(thresholds):
        lines += [
            f"      - alert: {rule.name}",
            f"        expr: {_quoted(rule.expression)}",
            f"        for: {rule.lasting}",
            "        labels:",
            f"          severity: {rule.severity}",
            "        annotations:",
            f"          summary: {_quoted(rule.summary)}",
            f"          description: {_quoted(rule.description)}",
        ]
    return "".join(f"{line}\n" for line in lines)


def bound_fault(seconds: float) -> str | None:
    """Why a threshold cannot be `slow_seconds`, or None: only whole buckets can be counted."""
    if seconds in BOUNDS:
        return None
    return f"{seconds:g} is not one of {', '.join(f'{b:g}' for b in BOUNDS)}"


def _bound(seconds: float) -> str:
    return str(int(seconds)) if seconds == int(seconds) else repr(seconds)


def _le(seconds: float) -> str:
    # A gateway, a textfile and Prometheus 2 keep 60 or 60.0 as they were given it; Prometheus 3 makes it 60.0.
    bound = _bound(seconds)
    return f'le="{bound}"' if "." in bound else f'le=~"{bound}(?:[.]0)?"'


def _quoted(text: str) -> str:
    # A JSON string is a YAML string.
    return json.dumps(text)
