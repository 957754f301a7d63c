"""Every metric with its real value, on guarded databases with several domains, beside what the other commands say."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg
import pytest

from bgce_migrate.metrics.table import METRICS
from tests.cli.program import SHOP, Answer, bgce, write
from tests.e2e.platform import Guarded, bootstrap
from tests.metrics.test_exporter import values

pytestmark = pytest.mark.postgres(18, 16)

ROWS = (
    "SELECT service_name, count(*) FILTER (WHERE success), sum(execution_time_ms) FILTER (WHERE success) / 1000.0,"
    " extract(epoch FROM max(applied_at) FILTER (WHERE success))::float8, (array_agg(success ORDER BY id DESC))[1]"
    " FROM bgce_migrate.migration_history WHERE direction IN ('up', 'down') GROUP BY 1"
)


@pytest.fixture
def shop(database: str, tmp_path: Path) -> Guarded:
    """Two domains with services, an open step, a failed one, a reverted one, a change and a right by hand."""
    root = write(tmp_path / "shop", SHOP)
    guarded = bootstrap(root, database)
    assert run(guarded, "up").code == 0 and run(guarded, "down", "1", "--domain", "postal", "--yes").code == 0
    write(root, {
        "migrations/cortex/000003_more.up.sql": "ALTER TABLE users ADD COLUMN more nothing;\n",
        "migrations/cortex/000003_more.down.sql": "ALTER TABLE users DROP COLUMN more;\n",
        "migrations/cortex/000004_last.up.sql": "CREATE INDEX users_bio ON users (bio);\n",
        "migrations/cortex/000004_last.down.sql": "DROP INDEX users_bio;\n",
    })  # fmt: skip
    assert run(guarded, "up", "--domain", "cortex", "--allow-unlocked").code == 5
    with psycopg.connect(guarded.superuser, autocommit=True) as connection:
        connection.execute("CREATE INDEX by_hand ON users (email)")
        connection.execute("GRANT DELETE ON users TO postal_user")
    return guarded


def run(guarded: Guarded, *words: str) -> Answer:
    return bgce(*words, "-d", guarded.url, cwd=guarded.project)


def test_every_metric_of_the_table_and_its_value(shop: Guarded) -> None:
    answer = run(shop, "metrics", "render", *(w for name in ("drift", "grants", "lint") for w in ("--with", name)))
    assert answer.code == 0, answer.err
    found = values(answer.out)
    told = {line.split()[2] for line in answer.out.splitlines() if line.startswith("# TYPE")}
    assert told == {metric.name for metric in METRICS if metric.source == "history"}
    with psycopg.connect(shop.superuser) as connection:
        rows = {str(row[0]): row[1:] for row in connection.execute(ROWS)}
    assert set(rows) == {"cortex", "postal"}
    for service, (steps, seconds, last, succeeded) in rows.items():
        assert of(found, "duration_seconds_count", service) == steps
        assert of(found, "duration_seconds_sum", service) == pytest.approx(float(seconds))
        assert of(found, "last_success_timestamp_seconds", service) == pytest.approx(last, abs=0.001)
        assert of(found, "success", service) == succeeded
    states = run(shop, "status", "--json").document["migrations"]
    for service in rows:
        mine = [m["state"] for m in states if m["domain"] == service]
        assert of(found, "applied", service) == mine.count("applied")
        assert of(found, "pending", service) == mine.count("pending") + mine.count("failed")
        assert of(found, "failed", service) == mine.count("failed")
    assert (of(found, "version", "cortex"), of(found, "version", "postal")) == (2, 0)
    drift = run(shop, "drift", "--json").document["drift"]
    assert "public.by_hand" in {difference["object"] for difference in drift}
    for service in rows:
        assert of(found, "drift", service) == sum(difference["domain"] == service for difference in drift)
    rights = run(shop, "grants", "check", "--json").document["drift"]
    assert found["db_migration_grants_drift"] == len(rights) and any("postal_user" in change["statement"] for change in rights)
    findings = run(shop, "lint", "--format", "json", "--no-style").document["findings"]
    for severity in ("error", "warning", "note"):
        said = found[f'db_migration_lint_findings{{severity="{severity}"}}']
        assert said == sum(finding["severity"] == severity for finding in findings), severity
    assert any(name.startswith("db_migration_build_info") and value == 1 for name, value in found.items())


def of(found: dict[str, float], name: str, service: str) -> float:
    return found[f'db_migration_{name}{{service="{service}"}}']


def test_what_only_a_run_measures_comes_from_the_plugin(database: str, tmp_path: Path) -> None:
    root = write(tmp_path / "shop", {**SHOP, "bgce.toml": str(SHOP["bgce.toml"]) + 'plugins = ["bgce_metrics"]\n'})
    env = {**os.environ, "BGCE_RUN_METRICS_DIR": str(tmp_path)}
    assert bgce("up", "--atomic", "-d", database, cwd=root, env=env).code == 0
    page = "".join((tmp_path / f"bgce_migrate_{name}.prom").read_text() for name in ("cortex", "postal"))
    found = values(page)
    for service, steps in (("cortex", 2), ("postal", 1)):
        assert of(found, "duration_seconds_count", service) == steps and of(found, "success", service) == 1
        assert of(found, "lock_wait_seconds", service) == of(found, "retries", service) == 0
    assert {m.name for m in METRICS if m.source == "run"} <= {line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")}
