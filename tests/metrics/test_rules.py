"""Alert rules and the dashboard, judged by the real promtool."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from bgce_migrate.metrics.alerts import Thresholds, rules, rules_file
from bgce_migrate.metrics.dashboard import dashboard, queries
from bgce_migrate.metrics.table import METRICS
from tests.cli.program import bgce

PROMTOOL = shutil.which("promtool")
needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="promtool (Debian: prometheus) is not installed")

#: For each alert: samples that fire it, samples that do not, and when to look. `x` repeats, as promtool has it.
CASES: dict[str, tuple[dict[str, str], dict[str, str], str]] = {
    "MigrationFailed": (
        {'db_migration_success{service="postal"}': "1 0"}, {'db_migration_success{service="postal"}': "0 1"}, "1m"
    ),
    "MigrationSlow": (
        {
            'db_migration_duration_seconds_count{service="postal"}': "1x5 2x60",
            'db_migration_duration_seconds_bucket{service="postal",le="60"}': "1x66",
        },
        {
            'db_migration_duration_seconds_count{service="postal"}': "1x5 2x60",
            'db_migration_duration_seconds_bucket{service="postal",le="60"}': "1x5 2x60",
        },
        "30m",
    ),
    "MigrationPending": (
        {'db_migration_pending{service="postal"}': "2x1500"}, {'db_migration_pending{service="postal"}': "2x700 0x800"}, "1450m"
    ),
    "MigrationFailedVersions": (
        {'db_migration_failed{service="postal"}': "1x100"}, {'db_migration_failed{service="postal"}': "1x30 0x70"}, "70m"
    ),
    "MigrationLockWait": (
        {'db_migration_lock_wait_seconds{service="postal"}': "5.5"}, {'db_migration_lock_wait_seconds{service="postal"}': "5"}, "0m"
    ),
    "MigrationDrift": (
        {'db_migration_drift{service="postal"}': "2x40"}, {'db_migration_drift{service="postal"}': "2x10 0x30"}, "20m"
    ),
    "MigrationGrantsDrift": (
        {"db_migration_grants_drift": "3x40"}, {"db_migration_grants_drift": "3x10 0x30"}, "20m"
    ),
    "MigrationMetricsAbsent": (
        {'other{service="postal"}': "1x40"}, {'db_migration_build_info{version="1"}': "1x40"}, "20m"
    ),
}  # fmt: skip


def promtool(*words: str | Path, cwd: Path) -> str:
    assert PROMTOOL is not None
    done = subprocess.run([PROMTOOL, *map(str, words)], cwd=cwd, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_every_alert_has_its_cases() -> None:
    assert [rule.name for rule in rules(Thresholds())] == list(CASES)


@needs_promtool
@pytest.mark.parametrize("name", CASES)
def test_it_fires_and_it_does_not(name: str, tmp_path: Path) -> None:
    (tmp_path / "rules.yml").write_text(rules_file(Thresholds()))
    assert "SUCCESS: 8 rules found" in promtool("check", "rules", "rules.yml", cwd=tmp_path)
    firing, quiet, at = CASES[name]
    for samples, fires in ((firing, True), (quiet, False)):
        (tmp_path / "test.yml").write_text(json.dumps(unit(name, samples, at, fires=fires)))
        promtool("test", "rules", "test.yml", cwd=tmp_path)
        # The other way round it must fail, or the case says nothing.
        (tmp_path / "test.yml").write_text(json.dumps(unit(name, samples, at, fires=not fires)))
        with pytest.raises(AssertionError, match="FAILED"):
            promtool("test", "rules", "test.yml", cwd=tmp_path)


def unit(name: str, samples: dict[str, str], at: str, *, fires: bool) -> dict[str, object]:
    rule = next(rule for rule in rules(Thresholds()) if rule.name == name)
    labels = {} if name in ("MigrationGrantsDrift", "MigrationMetricsAbsent") else {"service": "postal"}
    alerts = [{"exp_labels": {"severity": rule.severity, **labels}, "exp_annotations": annotations(name, samples)}]
    return {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "1m",
        "tests": [{
            "interval": "1m",
            "input_series": [{"series": series, "values": values} for series, values in samples.items()],
            "alert_rule_test": [{"alertname": name, "eval_time": at, "exp_alerts": alerts if fires else []}],
        }],
    }  # fmt: skip


def annotations(name: str, samples: dict[str, str]) -> dict[str, str]:
    rule = next(rule for rule in rules(Thresholds()) if rule.name == name)
    value = next(iter(samples.values())).split("x")[0].split()[-1]
    words = {"{{ $labels.service }}": "postal", "{{ $value }}": value}
    said = {"summary": rule.summary, "description": rule.description}
    for old, new in words.items():
        said = {key: text.replace(old, new) for key, text in said.items()}
    return said


@needs_promtool
def test_a_slow_step_is_found_however_its_bound_is_written(tmp_path: Path) -> None:
    """prometheus-client and Prometheus 3 write 60.0, the push gateway and node_exporter 60."""
    (tmp_path / "rules.yml").write_text(rules_file(Thresholds()))
    for samples, fires in zip(CASES["MigrationSlow"][:2], (True, False), strict=True):
        written = {series.replace('le="60"', 'le="60.0"'): values for series, values in samples.items()}
        (tmp_path / "test.yml").write_text(json.dumps(unit("MigrationSlow", written, "30m", fires=fires)))
        promtool("test", "rules", "test.yml", cwd=tmp_path)


@needs_promtool
def test_every_query_of_the_dashboard_is_promql(tmp_path: Path) -> None:
    page = json.loads(dashboard())
    asked = [target["expr"] for panel in page["panels"] for target in panel["targets"]]
    assert len(page["panels"]) == len(METRICS) and asked == [q for metric in METRICS for q, _ in queries(metric)]
    records = [
        {"record": f"panel_{n}", "expr": text.replace("$__range", "1h").replace("$service", ".*")} for n, text in enumerate(asked)
    ]
    (tmp_path / "panels.yml").write_text(json.dumps({"groups": [{"name": "panels", "rules": records}]}))
    promtool("check", "rules", "panels.yml", cwd=tmp_path)


def test_thresholds_come_from_the_project(tmp_path: Path) -> None:
    (tmp_path / "bgce.toml").write_text('[project]\nname = "x"\ndomains = []\n[alerts]\nslow_seconds = 5\npending_hours = 2\n')
    page = bgce("metrics", "alerts", cwd=tmp_path).out
    assert 'le=~\\"5(?:[.]0)?\\"' in page and "for: 2h" in page and page.startswith("groups:\n")
    (tmp_path / "bgce.toml").write_text('[project]\nname = "x"\ndomains = []\n[alerts]\nslow_seconds = 7\n')
    wrong = bgce("metrics", "alerts", cwd=tmp_path)
    assert wrong.code == 2 and "alerts.slow_seconds: 7 is not one of 0.005, 0.01" in wrong.err


def test_the_dashboard_is_printed_without_a_project(tmp_path: Path) -> None:
    assert json.loads(bgce("metrics", "dashboard", cwd=tmp_path).out)["title"] == "Database migrations"
    assert bgce("metrics", "alerts", cwd=tmp_path).code == 0
