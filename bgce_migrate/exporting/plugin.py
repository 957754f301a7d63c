"""The shipped plugin `bgce_metrics`: tells a textfile or a push gateway of each run, by the `metrics` hook.

`plugins = ["bgce_metrics"]` in bgce.toml loads it. Where it writes is said by variables, because it differs by machine:
`BGCE_RUN_METRICS_DIR`, a folder that node_exporter's textfile collector reads, and `BGCE_RUN_METRICS_PUSH`, a gateway's address.
"""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path

from bgce_migrate import __version__
from bgce_migrate.exporting.outlets import push, write_file
from bgce_migrate.hookspecs import hookimpl
from bgce_migrate.metrics import table
from bgce_migrate.metrics.sample import Histogram, Sample
from bgce_migrate.outcome import Measurement

DIRECTORY, GATEWAY = "BGCE_RUN_METRICS_DIR", "BGCE_RUN_METRICS_PUSH"


class Collector:
    """Hears the measurements of one process; writes when a run ends, one file and one group a service."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        #: By run, service and name: two runs of one process may go on at once.
        self._seen: dict[str, dict[str, dict[str, list[float]]]] = {}

    @hookimpl
    def metrics(self, measurement: Measurement) -> None:
        """Keep it; at the end of a run write what was kept."""
        with self._lock:
            if measurement.name == "run_success":
                seen = self._seen.pop(measurement.run_id, {})
            else:
                service = measurement.labels.get("service", "")
                services = self._seen.setdefault(measurement.run_id, {})
                services.setdefault(service, {}).setdefault(measurement.name, []).append(measurement.value)
                return
        _write({service: _samples(service, values) for service, values in sorted(seen.items()) if service})


def _samples(service: str, values: dict[str, list[float]]) -> list[Sample]:
    labels = {"service": service}
    success, seconds = values.get("step_success", []), values.get("step_duration_seconds", [])
    out = [
        Sample(table.DURATION, labels, Histogram.of(t for t, done in zip(seconds, success, strict=False) if done)),
        Sample(table.SUCCESS, labels, min(success, default=0.0)),
        Sample(table.LOCK_WAIT, labels, sum(values.get("step_lock_wait_seconds", []))),
        Sample(table.RETRIES, labels, sum(values.get("step_retries", []))),
    ]
    if success and all(success):
        out.append(Sample(table.LAST_SUCCESS, labels, time.time()))
    return [*out, Sample(table.BUILD_INFO, {"version": __version__}, 1.0)]


def _write(pages: dict[str, list[Sample]]) -> None:
    """All files first: a gateway that is away keeps none of them back, and is asked once only."""
    folder, gateway = os.environ.get(DIRECTORY), os.environ.get(GATEWAY)
    for service, page in pages.items() if folder else ():
        write_file(Path(folder or "") / f"bgce_migrate_{service}.prom", page)
    for service, page in pages.items() if gateway else ():
        push(gateway or "", page, service=service)


plugin = Collector()
