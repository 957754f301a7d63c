"""Spans of real runs, caught by OpenTelemetry's own SDK; and nothing at all where nobody wants them."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

import bgce_migrate
from bgce_migrate.exporting.tracing import wanted
from tests.cli.program import SHOP, bgce, environment, write

pytestmark = pytest.mark.postgres(18)

PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write(tmp_path / "shop", {**SHOP, "bgce.toml": str(SHOP["bgce.toml"]) + 'plugins = ["bgce_metrics", "bgce_otel"]\n'})


@pytest.fixture
def caught(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """What a program sees that has set OpenTelemetry up for itself."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    return exporter


@contextmanager
def locked(url: str, table: str) -> Iterator[int]:
    """Somebody else holds a table, until the end or until others have waited for it a while; the pid."""
    with psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as watcher:
        holder.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE".encode())
        over = threading.Event()

        def release() -> None:
            while not over.is_set() and not watcher.execute("SELECT FROM pg_locks WHERE NOT granted").fetchall():
                over.wait(0.05)
            over.wait(0.8)
            holder.rollback()

        releasing = threading.Thread(target=release)
        releasing.start()
        try:
            yield holder.info.backend_pid
        finally:
            over.set()
            releasing.join()


def named(spans: Sequence[ReadableSpan], name: str) -> ReadableSpan:
    found = [span for span in spans if span.name == name]
    assert len(found) == 1, [span.name for span in spans]
    return found[0]


def attributes(span: ReadableSpan) -> dict[str, object]:
    return dict(span.attributes or {})


def test_a_run_its_steps_and_its_waits(shop: Path, database: str, caught: InMemorySpanExporter, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BGCE_RUN_METRICS_DIR", str(tmp_path))
    (shop / "migrations/cortex/000003_more.up.sql").write_text("ALTER TABLE users ADD COLUMN more text;\n")
    (shop / "migrations/cortex/000003_more.down.sql").write_text("ALTER TABLE users DROP COLUMN more;\n")
    first = bgce("up", "--to", "cortex/000002", "-d", database, "--allow-unlocked", cwd=shop)
    assert first.code == 0 and not caught.get_finished_spans(), first.err
    with locked(database, "users") as pid, trace.get_tracer_provider().get_tracer("service").start_as_current_span("start-up"):
        report = bgce_migrate.up(shop, database_url=database, allow_unlocked=True)
    assert report.result == "done"
    spans = caught.get_finished_spans()
    service, run, step = named(spans, "start-up"), named(spans, "bgce-migrate up"), named(spans, "up cortex")
    assert run.parent is not None and step.parent is not None
    assert run.parent.span_id == service.context.span_id and step.parent.span_id == run.context.span_id
    common = {"db.system.name": "postgresql", "db.namespace": psycopg.conninfo.conninfo_to_dict(database)["dbname"], "bgce.run_id": report.run_id}
    assert attributes(run) == {**common, "bgce.result": "done", "bgce.steps": 2, "bgce.steps_applied": 2}
    result = report.steps[0]
    assert attributes(step) == {
        **common, "bgce.domain": "cortex", "bgce.version": 3, "bgce.migration": "cortex/000003_more", "bgce.direction": "up",
        "bgce.status": "applied", "bgce.retries": result.retries, "bgce.lock_wait_ms": round(result.lock_wait_ms, 1),
    }  # fmt: skip
    assert result.retries >= 1 and 350 < result.lock_wait_ms < result.duration_ms
    waits = [span for span in spans if span.name == "wait for a lock"]
    assert len(waits) == len(result.waits) >= 2
    for wait in waits:
        assert wait.parent is not None and wait.parent.span_id == step.context.span_id
        assert str(pid) in str(attributes(wait)["bgce.blockers"])
        assert step.start_time - 5e7 < wait.start_time <= wait.end_time <= step.end_time
    assert run.start_time <= named(spans, "wait for the run lock").start_time <= step.start_time < step.end_time <= run.end_time
    page = (tmp_path / "bgce_migrate_cortex.prom").read_text()
    told = {line.split()[0]: float(line.split()[1]) for line in page.splitlines() if not line.startswith("#")}
    assert told['db_migration_lock_wait_seconds{service="cortex"}'] == pytest.approx(result.lock_wait_ms / 1000)
    assert told['db_migration_retries{service="cortex"}'] == result.retries


def test_errors_are_recorded(shop: Path, database: str, caught: InMemorySpanExporter) -> None:
    (shop / "migrations/postal/000001_create_posts.up.sql").write_text("CREATE TABLE posts (id nothing);\n")
    report = bgce_migrate.up(shop, database_url=database, allow_unlocked=True)
    assert report.failure is not None
    failed, run = named(caught.get_finished_spans(), "up postal"), named(caught.get_finished_spans(), "bgce-migrate up")
    for span in (failed, run):
        assert span.status.status_code is trace.StatusCode.ERROR and span.status.description == report.failure.message
        assert [(e.name, (e.attributes or {})["exception.type"]) for e in span.events] == [("exception", "StepFailed")]
        assert attributes(span)["error.type"] == attributes(span)["db.response.status_code"] == "42704"
    assert attributes(failed)["bgce.status"] == "failed" and attributes(run)["bgce.steps_applied"] == 2


def test_a_run_that_gets_no_lock_is_a_failed_span(shop: Path, database: str, caught: InMemorySpanExporter) -> None:
    assert bgce("up", "--to", "cortex/000001", "-d", database, "--allow-unlocked", cwd=shop).code == 0
    with locked(database, "bgce_migrate.run_lock"), pytest.raises(bgce_migrate.errors.Unavailable):
        bgce_migrate.up(shop, database_url=database, allow_unlocked=True, lock_wait=0.2)
    run, wait = (named(caught.get_finished_spans(), name) for name in ("bgce-migrate up", "wait for the run lock"))
    assert run.status.status_code is trace.StatusCode.ERROR and attributes(run)["error.type"] == "Unavailable"
    assert wait.end_time is not None and wait.start_time is not None and wait.end_time - wait.start_time > 2e8


@pytest.mark.parametrize("way", [["--jobs", "2"], ["--atomic"]])
def test_the_command_line_exports_as_the_variables_say(way: list[str], shop: Path, database: str) -> None:
    env = {"OTEL_TRACES_EXPORTER": "console", "OTEL_SERVICE_NAME": "ci", "TRACEPARENT": PARENT}
    answer = bgce("up", "-d", database, "--allow-unlocked", "--report", "receipt.json", *way, cwd=shop, env=env)
    assert answer.code == 0 and "failed in metrics" not in answer.err, answer.err
    spans, rest = [], answer.out.strip()
    while rest.startswith("{"):
        span, end = json.JSONDecoder().raw_decode(rest)
        spans, rest = [*spans, span], rest[end:].lstrip()
    assert sorted(span["name"] for span in spans) == [
        "bgce-migrate up", "up cortex", "up cortex", "up postal", "wait for the run lock",
    ]  # fmt: skip
    assert {span["context"]["trace_id"] for span in spans} == {"0x4bf92f3577b34da6a3ce929d0e0e4736"}
    run = next(span for span in spans if span["name"] == "bgce-migrate up")
    assert run["parent_id"] == "0x00f067aa0ba902b7" and run["resource"]["attributes"]["service.name"] == "ci"
    assert run["attributes"]["bgce.run_id"] == json.loads((shop / "receipt.json").read_text())["run_id"]


def test_what_cannot_be_exported_is_said_once_and_hurts_nobody(shop: Path, database: str) -> None:
    answer = bgce("up", "-d", database, "--allow-unlocked", cwd=shop, env={"OTEL_TRACES_EXPORTER": "nowhere"})
    assert answer.code == 0
    assert answer.err.count("bgce_otel failed in metrics") == 1 and "exporter nowhere" in answer.err


def test_nothing_is_loaded_where_nobody_wants_spans() -> None:
    code = (
        "import sys\nfrom bgce_migrate.exporting.tracing import plugin\nfrom bgce_migrate.outcome import Measurement\n"
        "plugin.metrics(Measurement('run_success', 1.0))\nprint([m for m in sys.modules if 'telemetry' in m])"
    )
    for more in ({}, {"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_TRACES_EXPORTER": "console", "OTEL_SDK_DISABLED": "true"}):
        done = subprocess.run([sys.executable, "-c", code], env=environment(more), capture_output=True, text=True, check=True)
        assert done.stdout == "[]\n", more


def test_who_wants_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    assert wanted({}), "this process has loaded OpenTelemetry"
    assert not wanted({"OTEL_SDK_DISABLED": "TRUE"})
    monkeypatch.delitem(sys.modules, "opentelemetry.trace")
    assert not wanted({}) and wanted({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"})


def test_a_collector_that_does_not_answer_holds_nobody_up(shop: Path, database: str, caught: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch) -> None:
    from bgce_migrate.exporting import tracing

    monkeypatch.setattr(tracing, "_FLUSH", 0.2)
    monkeypatch.setattr(trace.get_tracer_provider(), "force_flush", lambda: time.sleep(30), raising=False)
    began = time.monotonic()
    assert bgce_migrate.up(shop, database_url=database, allow_unlocked=True).result == "done"
    assert time.monotonic() - began < 15
