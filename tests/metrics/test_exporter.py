"""Metrics from the history: their text, their outlets, the exporter, and the plugin that runs tell."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psycopg
import pytest

from bgce_migrate.errors import Unavailable, UsageError
from bgce_migrate.exporting import plugin as shipped
from bgce_migrate.exporting.exposition import require
from bgce_migrate.exporting.outlets import push, write_file
from bgce_migrate.host import Host
from bgce_migrate.host.discovery import Plugin
from bgce_migrate.metrics.sample import Sample
from bgce_migrate.metrics.table import APPLIED, METRICS
from bgce_migrate.outcome import Measurement
from tests.cli.program import PLAIN, REPOSITORY, SHOP, Answer, bgce, start, write

PROMTOOL, GATEWAY = shutil.which("promtool"), shutil.which("prometheus-pushgateway")

pytestmark = pytest.mark.postgres(18)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "db", PLAIN)


@pytest.fixture
def done(folder: Path, database: str) -> str:
    """Two migrations applied, the third one failed."""
    (folder / "3_posts.up.sql").write_text("CREATE TABLE posts (id nothing);\n")
    assert run("up", folder, database).code == 5
    return database


def run(command: str, folder: Path, url: str, *more: str) -> Answer:
    return bgce(*command.split(), "--migrations", folder, "-d", url, *more, cwd=folder.parent)


def values(page: str) -> dict[str, float]:
    """By name and labels as Prometheus writes them, `le` as Prometheus 3 does."""
    return {n: float(v) for n, _, v in (line.rpartition(" ") for line in page.splitlines()) if not n.startswith("#")}


def free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def get(url: str) -> tuple[int, str]:
    for _ in range(150):
        try:
            with urllib.request.urlopen(url, timeout=10) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            time.sleep(0.1)
    raise AssertionError(f"{url} does not answer")


def test_values_equal_history(folder: Path, done: str) -> None:
    found = values(run("metrics render", folder, done).out)
    with psycopg.connect(done) as connection:
        query = (
            "SELECT count(*), sum(execution_time_ms) / 1000.0, extract(epoch FROM max(applied_at))"
            " FROM bgce_migrate.migration_history WHERE success"
        )
        row = connection.execute(query).fetchone()
    assert row is not None
    label = '{service="db"}'
    assert found[f"db_migration_duration_seconds_count{label}"] == row[0] == 2
    assert found[f"db_migration_duration_seconds_sum{label}"] == pytest.approx(float(row[1]))
    assert found['db_migration_duration_seconds_bucket{le="+Inf",service="db"}'] == 2
    buckets = [v for name, v in found.items() if name.startswith("db_migration_duration_seconds_bucket")]
    assert buckets == sorted(buckets) and len(buckets) == 12
    assert found[f"db_migration_last_success_timestamp_seconds{label}"] == pytest.approx(float(row[2]), abs=0.001)
    for name, value in (("success", 0), ("applied", 2), ("pending", 1), ("failed", 1), ("version", 2)):
        assert found[f"db_migration_{name}{label}"] == value, name


def test_before_anything_and_after_it_was_mended(folder: Path, database: str) -> None:
    found = values(run("metrics render", folder, database).out)
    assert found['db_migration_pending{service="db"}'] == 3 and 'db_migration_success{service="db"}' not in found
    assert run("up", folder, database).code == 0
    found = values(run("metrics render", folder, database).out)
    assert found['db_migration_success{service="db"}'] == 1 and found['db_migration_failed{service="db"}'] == 0


@pytest.mark.skipif(PROMTOOL is None, reason="promtool (Debian: prometheus) is not installed")
def test_promtool_has_nothing_to_say_about_the_text(folder: Path, done: str) -> None:
    assert PROMTOOL is not None
    with psycopg.connect(done) as connection:
        connection.execute("CREATE TABLE by_hand (id int)")
    page = run("metrics render", folder, done, "--with", "lint", "--with", "drift").out
    assert values(page)['db_migration_drift{service=""}'] == 1
    checked = subprocess.run([PROMTOOL, "check", "metrics"], input=page, capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")
    assert {m.name for m in METRICS if m.source == "history"} - {"db_migration_grants_drift"} == {
        line.split()[2] for line in page.splitlines() if line.startswith("# TYPE")
    }


def test_the_exporter_answers_and_only_reads(folder: Path, done: str) -> None:
    port = free_port()
    with psycopg.connect(done, autocommit=True) as connection:
        connection.execute(f"ALTER DATABASE {connection.info.dbname} SET default_transaction_read_only = on".encode())
    serving = start("metrics", "serve", "--listen", f"127.0.0.1:{port}", "--migrations", folder, "-d", done, cwd=folder)
    try:
        code, page = get(f"http://127.0.0.1:{port}/metrics")
        assert code == 200 and values(page)['db_migration_applied{service="db"}'] == 2
        assert get(f"http://127.0.0.1:{port}/other")[0] == 404
        asked = urllib.request.Request(f"http://127.0.0.1:{port}/metrics", headers={"Accept": "application/openmetrics-text"})
        with urllib.request.urlopen(asked, timeout=10) as answer:
            assert "openmetrics" in answer.headers["Content-Type"] and answer.read().endswith(b"# EOF\n")
    finally:
        serving.send_signal(signal.SIGTERM)
        _, err = serving.communicate(timeout=20)
    assert f"http://127.0.0.1:{port}/metrics" in err


def test_a_database_that_is_away_is_503_without_its_address(folder: Path) -> None:
    port, url = free_port(), "postgresql://someone:hush@127.0.0.1:1/gone"
    serving = start("metrics", "serve", "--listen", f"127.0.0.1:{port}", "--migrations", folder, "-d", url, cwd=folder)
    try:
        assert get(f"http://127.0.0.1:{port}/metrics") == (503, "the database does not answer\n")
    finally:
        serving.send_signal(signal.SIGTERM)
        _, err = serving.communicate(timeout=20)
    assert "hush" not in err


WRITER = """
import sys
from pathlib import Path
from bgce_migrate.exporting.outlets import write_file
from bgce_migrate.metrics.sample import Sample
from bgce_migrate.metrics.table import APPLIED
path, n = Path(sys.argv[1]), 0.0
while True:
    n += 1
    write_file(path, [Sample(APPLIED, {"service": f"s{service}"}, n) for service in range(3000)])
"""


def test_a_killed_writer_leaves_no_torn_file(tmp_path: Path) -> None:
    path = tmp_path / "bgce.prom"
    write_file(path, [Sample(APPLIED, {"service": f"s{service}"}, 0.0) for service in range(3000)])
    assert path.stat().st_mode & 0o777 == 0o644
    for delay in (0.0, 0.003, 0.011, 0.02):
        env = {**os.environ, "PYTHONPATH": str(REPOSITORY)}
        writer = subprocess.Popen([sys.executable, "-c", WRITER, str(path)], env=env)
        before = path.stat().st_mtime_ns
        while path.stat().st_mtime_ns == before:
            time.sleep(0.005)
        time.sleep(delay)
        writer.kill()
        writer.wait()
        found = values(path.read_text())
        assert len(found) == 3000 and len(set(found.values())) == 1
    assert [file.name for file in tmp_path.glob("*.prom")] == ["bgce.prom"], "what was begun has another name"


def test_others_may_read_the_file_whatever_the_umask(tmp_path: Path) -> None:
    path, before = tmp_path / "bgce.prom", os.umask(0o077)
    try:
        write_file(path, [Sample(APPLIED, {"service": "postal"}, 1.0)])
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.fixture
def gateway() -> Iterator[str]:
    """Debian's push gateway on a port of its own."""
    if GATEWAY is None:
        pytest.skip("prometheus-pushgateway is not installed")
    port = free_port()
    running = subprocess.Popen([GATEWAY, f"--web.listen-address=127.0.0.1:{port}"], stderr=subprocess.DEVNULL)
    try:
        get(f"http://127.0.0.1:{port}/-/ready")
        yield f"http://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(timeout=10)


def test_a_gateway_has_what_the_history_says(folder: Path, done: str, gateway: str) -> None:
    assert run("metrics render", folder, done, "--push", gateway).code == 0
    page = get(f"{gateway}/metrics")[1]
    assert 'db_migration_applied{instance="",job="bgce_migrate",service="db"} 2' in page
    refused = run("metrics render", folder, done, "--push", f"{gateway}/nowhere")
    assert refused.code == 4 and "the push gateway refused the metrics: 404" in refused.err


def test_no_gateway_is_an_error_of_its_own() -> None:
    with pytest.raises(Unavailable, match="does not answer"):
        push(f"http://127.0.0.1:{free_port()}", ())
    for address in ("ftp://somewhere", "http://", "http://[::1", "http://me:hush@host:port"):
        with pytest.raises(UsageError, match="http") as refused:
            push(address, ())
        assert "hush" not in str(refused.value)


def test_a_gateway_behind_a_password(tmp_path: Path) -> None:
    heard: list[tuple[str, str | None]] = []

    class Guarded(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            self.rfile.read(int(self.headers["Content-Length"]))
            heard.append((self.path, self.headers["Authorization"]))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Guarded) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        push(f"http://me:h%75sh@127.0.0.1:{server.server_port}/in", [Sample(APPLIED, {"service": "a/b"}, 1.0)], service="a/b")
        server.shutdown()
    assert heard == [("/in/metrics/job/bgce_migrate/service@base64/YS9i", f"Basic {b64encode(b'me:hush').decode()}")]


def test_without_the_library_it_says_which_extra(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "prometheus_client", None)
    for call in (require, lambda: push("http://127.0.0.1:1", ()), lambda: write_file(folder / "x.prom", ())):
        with pytest.raises(UsageError, match="prometheus-client, which is not installed") as refused:
            call()
        assert refused.value.hint == "pip install 'bgce-migrate[metrics]'"


def test_the_plugin_tells_of_a_run(tmp_path: Path, gateway: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(shipped.DIRECTORY, str(tmp_path))
    monkeypatch.setenv(shipped.GATEWAY, gateway)
    host = Host([Plugin("bgce_metrics", shipped.Collector())])
    for name, value in (("duration_seconds", 0.02), ("success", 1.0), ("retries", 2.0), ("lock_wait_seconds", 6.5)):
        host.metrics(Measurement(f"step_{name}", value, {"service": "postal", "direction": "up"}))
    assert not list(tmp_path.iterdir()), "nothing is written while a run is under way"
    host.metrics(Measurement("run_success", 1.0, {"run_id": "r"}))
    found = values((tmp_path / "bgce_migrate_postal.prom").read_text())
    assert found['db_migration_lock_wait_seconds{service="postal"}'] == 6.5
    assert found['db_migration_retries{service="postal"}'] == 2
    assert found['db_migration_duration_seconds_bucket{le="0.05",service="postal"}'] == 1
    assert 'service="postal"} 6.5' in get(f"{gateway}/metrics")[1]


def test_a_real_run_tells_the_plugin_and_a_dead_gateway_hurts_nobody(tmp_path: Path, database: str) -> None:
    project = {**SHOP, "bgce.toml": str(SHOP["bgce.toml"]) + 'plugins = ["bgce_metrics"]\n'}
    write(tmp_path, project)
    (tmp_path / "out").mkdir()
    env = {shipped.DIRECTORY: str(tmp_path / "out"), shipped.GATEWAY: f"http://127.0.0.1:{free_port()}"}
    answer = bgce("up", "-d", database, "--allow-unlocked", cwd=tmp_path, env=env)
    assert answer.code == 0, answer.err
    assert sorted(file.name for file in (tmp_path / "out").iterdir()) == ["bgce_migrate_cortex.prom", "bgce_migrate_postal.prom"]
    found = values((tmp_path / "out" / "bgce_migrate_cortex.prom").read_text())
    assert found['db_migration_duration_seconds_count{service="cortex"}'] == 2
    assert found['db_migration_success{service="cortex"}'] == 1
    assert answer.err.count("bgce_metrics failed in metrics") == 1 and "does not answer" in answer.err
