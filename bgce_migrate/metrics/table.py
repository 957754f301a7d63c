"""Every metric there is: its name, its type, what it says. Names do not change."""

from __future__ import annotations

from msgspec import Struct

#: Upper bounds of the histogram of steps, in seconds: from a catalog change to a table that is rewritten.
BOUNDS = (0.005, 0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 300.0, 1800.0)


class Metric(Struct, frozen=True):
    """One metric.

    Attributes:
        kind: as Prometheus says it: gauge or histogram.
        title: of its panel on the dashboard.
        unit: Grafana's.
        source: "history" where the exporter has it from the database, "run" where only a run measures it.
    """

    name: str
    kind: str
    help: str
    title: str
    labels: tuple[str, ...] = ("service",)
    unit: str = "short"
    source: str = "history"


DURATION = Metric(
    "db_migration_duration_seconds", "histogram", "How long steps took, from BEGIN to the answer of COMMIT.",
    "Duration of steps", unit="s",
)  # fmt: skip
SUCCESS = Metric(
    "db_migration_success", "gauge", "1 if the last step of the service was applied, 0 if it failed.", "Last step applied"
)
VERSION = Metric("db_migration_version", "gauge", "The highest applied version.", "Version")
APPLIED = Metric("db_migration_applied", "gauge", "Applied migrations.", "Applied")
PENDING = Metric("db_migration_pending", "gauge", "Migrations on disk that are not applied.", "Pending")
FAILED = Metric("db_migration_failed", "gauge", "Migrations whose last attempt failed.", "Failed")
LAST_SUCCESS = Metric(
    "db_migration_last_success_timestamp_seconds", "gauge", "When a step of the service was applied last.",
    "Last success", unit="dateTimeFromNow",
)  # fmt: skip
LOCK_WAIT = Metric(
    "db_migration_lock_wait_seconds", "gauge", "How long steps of the last run waited for locks.", "Waiting for locks",
    unit="s", source="run",
)  # fmt: skip
RETRIES = Metric(
    "db_migration_retries", "gauge", "How often steps of the last run were tried again.", "Retries", source="run"
)
DRIFT = Metric(
    "db_migration_drift", "gauge", "Differences from what history and declarations say; of nobody's objects under an empty service.",
    "Drift",
)  # fmt: skip
GRANTS_DRIFT = Metric(
    "db_migration_grants_drift", "gauge", "Rights that are not as declared.", "Rights not as declared", labels=()
)
LINT_FINDINGS = Metric(
    "db_migration_lint_findings", "gauge", "Findings of lint about migrations that are not applied.", "Lint findings",
    labels=("severity",),
)  # fmt: skip
BUILD_INFO = Metric(
    "db_migration_build_info", "gauge", "Always 1; which program says all this.", "Program", labels=("version",)
)

METRICS = (
    DURATION, SUCCESS, VERSION, APPLIED, PENDING, FAILED, LAST_SUCCESS, LOCK_WAIT, RETRIES, DRIFT,
    GRANTS_DRIFT, LINT_FINDINGS, BUILD_INFO,
)  # fmt: skip
