"""The measurements of one run as spans: the run, its wait for the run lock, its steps, their waits for locks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.trace import Span, SpanKind, Status, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from bgce_migrate.errors import BgceError
from bgce_migrate.outcome import Measurement, RunReport, StepResult, StepStatus

_SECOND = 1_000_000_000  # nanoseconds


def draw(tracer: Tracer, heard: Sequence[tuple[int, Measurement]], environment: Mapping[str, str]) -> None:
    """Begin and end all spans of a run that is over.

    Args:
        heard: its measurements, each with the time it was told (nanoseconds since 1970), the last one its end.
        environment: TRACEPARENT and TRACESTATE name the span of a CI job, for example.
    """
    asked_at, asked = heard[0]
    end, last = heard[-1]
    waited = round(asked.value * _SECOND) if asked.name == "run_lock_wait_seconds" else 0
    common = {"db.system.name": "postgresql", "bgce.run_id": last.run_id}
    if "database" in asked.labels:
        common["db.namespace"] = asked.labels["database"]
    name = f"bgce-migrate {asked.labels.get('command', 'run')}"
    run = tracer.start_span(name, _parent(environment), attributes=common, start_time=asked_at - waited)
    below = trace.set_span_in_context(run)
    if waited:
        lock = tracer.start_span("wait for the run lock", below, attributes=common, start_time=asked_at - waited)
        lock.end(asked_at)
    for at, measurement in heard:
        if isinstance(measurement.of, StepResult) and measurement.of.status is not StepStatus.NOT_RUN:
            _step(tracer, below, common, measurement.of, at)
    if isinstance(last.of, RunReport):
        _close_run(run, last.of)
    run.end(end)


def _parent(environment: Mapping[str, str]) -> Context | None:
    """The span of whoever calls us: in this process, or the process before it."""
    if trace.get_current_span().get_span_context().is_valid:
        return None  # the current context
    carrier = {name.lower(): environment[name] for name in ("TRACEPARENT", "TRACESTATE") if environment.get(name)}
    return TraceContextTextMapPropagator().extract(carrier) if carrier else None


def _step(tracer: Tracer, run: Context, common: Mapping[str, str], result: StepResult, at: int) -> None:
    own = {
        **common,
        "bgce.domain": result.id.domain,
        "bgce.version": result.id.version,
        "bgce.migration": str(result.id),
        "bgce.direction": result.direction.value,
    }
    ended = {
        "bgce.status": result.status.value,
        "bgce.retries": result.retries,
        "bgce.lock_wait_ms": round(result.lock_wait_ms, 1),
    }
    # Few names: the version is an attribute.
    name = f"{result.direction.value} {result.id.domain}"
    start = at - round(result.duration_ms * 1_000_000)
    span = tracer.start_span(name, run, SpanKind.CLIENT, {**own, **ended}, start_time=start)
    below = trace.set_span_in_context(span)
    for wait in result.waits:
        began = round(wait.began * _SECOND)
        blocked = tracer.start_span(
            "wait for a lock", below, attributes={**own, "bgce.blockers": wait.blockers}, start_time=began
        )
        blocked.end(began + round(wait.seconds * _SECOND))
    if result.error is not None:
        _failed(span, result.error)
    span.end(at)


def _close_run(span: Span, report: RunReport) -> None:
    applied = sum(step.status is StepStatus.APPLIED for step in report.steps)
    span.set_attributes({"bgce.result": report.result, "bgce.steps": len(report.steps), "bgce.steps_applied": applied})
    if report.deployment is not None:
        span.set_attribute("bgce.deployment", report.deployment)
    if report.failure is not None:
        _failed(span, report.failure)


def _failed(span: Span, error: BgceError) -> None:
    """As our own sentence: a stack trace would tell of us, not of the migration."""
    kind = type(error).__name__
    span.set_attribute("error.type", error.facts.get("sqlstate") or kind)
    if "sqlstate" in error.facts:
        span.set_attribute("db.response.status_code", error.facts["sqlstate"])
    span.add_event("exception", {"exception.type": kind, "exception.message": error.message})
    span.set_status(Status(StatusCode.ERROR, error.message))
