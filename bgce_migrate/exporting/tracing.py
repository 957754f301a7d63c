"""The shipped plugin `bgce_otel`: OpenTelemetry spans of each run, by the `metrics` hook.

`plugins = ["bgce_otel"]` in bgce.toml loads it. It does nothing, and imports nothing, unless somebody wants spans: the
program that calls us has loaded OpenTelemetry, or OpenTelemetry's own variables name an exporter.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any

from bgce_migrate import __version__
from bgce_migrate.errors import UsageError
from bgce_migrate.hookspecs import hookimpl
from bgce_migrate.outcome import Measurement

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer, TracerProvider

_ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_PROTOCOLS = {"grpc": ("otlp_proto_grpc",), "http/protobuf": ("otlp_proto_http",)}
_HEARD = ("run_lock_wait_seconds", "step_duration_seconds", "run_success")
_FLUSH = 5.0  # seconds
_LEAST_QUEUE = 2048  # the SDK's own


class Spans:
    """Keeps what it hears, and draws the spans when the run is over and its lock given back: no step waits for them."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._heard: dict[str, list[tuple[int, Measurement]]] = {}

    @hookimpl
    def metrics(self, measurement: Measurement) -> None:
        """Keep it, with its time; at the end of a run tell OpenTelemetry."""
        if measurement.name not in _HEARD or not wanted(os.environ):
            return
        with self._lock:
            heard = self._heard.setdefault(measurement.run_id, [])
            heard.append((time.time_ns(), measurement))
            if measurement.name != "run_success":
                return
            del self._heard[measurement.run_id]
        with _tracer(len(heard) + sum(len(_waits(m)) for _, m in heard)) as tracer:
            from bgce_migrate.exporting.spans import draw

            draw(tracer, heard, os.environ)


def wanted(environment: Mapping[str, str]) -> bool:
    """Whether there is anybody to send spans to."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return False
    return "opentelemetry.trace" in sys.modules or bool(_exporters(environment))


def _exporters(environment: Mapping[str, str]) -> tuple[str, ...]:
    """The names in OTEL_TRACES_EXPORTER; OTLP where only an endpoint is said, as OpenTelemetry's specification has it."""
    said = environment.get("OTEL_TRACES_EXPORTER", "").strip()
    if not said:
        return ("otlp",) if any(environment.get(name) for name in _ENDPOINTS) else ()
    return tuple(name for word in said.split(",") if (name := word.strip()) and name != "none")


@contextmanager
def _tracer(spans: int) -> Iterator[Tracer]:
    """Of the provider that the calling program has set up; else of our own, as the variables say, until its end.

    Raises:
        UsageError: the variables ask for packages that are not installed.
    """
    try:
        from opentelemetry import trace
    except ImportError:
        raise UsageError(
            "traces are told by opentelemetry-api, which is not installed", hint="pip install 'bgce-migrate[otel]'"
        ) from None
    provider, names = trace.get_tracer_provider(), _exporters(os.environ)
    own = isinstance(provider, trace.ProxyTracerProvider) and bool(names)
    if own:
        provider = _provider(names, spans)
    try:
        yield provider.get_tracer("bgce_migrate", __version__)
    finally:
        # Our process ends without atexit; a collector that does not answer must not keep it.
        _in_time(getattr(provider, "shutdown" if own else "force_flush", None))


def _provider(names: tuple[str, ...], spans: int) -> TracerProvider:
    try:
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        message = "the OTEL_ variables ask for traces, and OpenTelemetry's SDK is not installed"
        raise UsageError(f"{message}: pip install opentelemetry-sdk") from None
    # All spans of a run come at once, and a queue that is full drops them.
    queue = max(spans, _LEAST_QUEUE)
    provider = TracerProvider(shutdown_on_exit=False)
    for name in names:
        provider.add_span_processor(BatchSpanProcessor(_exporter(name), max_queue_size=queue))
    return provider


def _exporter(name: str) -> Any:
    """A new exporter of that name, from the package that offers it."""
    protocol = os.environ.get("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL") or os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "")
    either = ("otlp_proto_grpc", "otlp_proto_http")
    for candidate in _PROTOCOLS.get(protocol.strip(), either) if name == "otlp" else (name,):
        for entry in entry_points(group="opentelemetry_traces_exporter", name=candidate):
            return entry.load()()
    package = "opentelemetry-exporter-otlp" if name == "otlp" else "its package"
    raise UsageError(f"no installed package offers the exporter {name} of traces: install {package}")


def _in_time(flush: Any) -> None:
    if flush is None:
        return

    def run() -> None:
        try:
            flush()
        except Exception as error:
            logging.getLogger("bgce_migrate").warning("spans could not be sent: %s: %s", type(error).__name__, error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(_FLUSH)


def _waits(measurement: Measurement) -> tuple[object, ...]:
    return getattr(measurement.of, "waits", ())


plugin = Spans()
