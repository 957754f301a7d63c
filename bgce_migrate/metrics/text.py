"""Samples as Prometheus reads them: the text format 0.0.4."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from bgce_migrate.metrics.table import BOUNDS, METRICS, Metric

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Histogram(Struct, frozen=True):
    """Counts of observations in each bucket (the last one is above all bounds), and their sum in seconds."""

    buckets: tuple[int, ...]
    sum: float

    @staticmethod
    def of(seconds: Iterable[float]) -> Histogram:
        """From single observations."""
        counts, total = [0] * (len(BOUNDS) + 1), 0.0
        for value in seconds:
            counts[next((n for n, bound in enumerate(BOUNDS) if value <= bound), len(BOUNDS))] += 1
            total += value
        return Histogram(tuple(counts), total)


class Sample(Struct, frozen=True):
    """One value of one metric."""

    metric: Metric
    labels: Mapping[str, str]
    value: float | Histogram


def text(samples: Sequence[Sample]) -> str:
    """All samples, metric by metric in the order of the table."""
    lines: list[str] = []
    for metric in METRICS:
        mine = [sample for sample in samples if sample.metric is metric]
        if not mine:
            continue
        lines.append(f"# HELP {metric.name} {_help(metric.help)}")
        lines.append(f"# TYPE {metric.name} {metric.kind}")
        for sample in mine:
            lines += _lines(sample)
    return "".join(f"{line}\n" for line in lines)


def _lines(sample: Sample) -> list[str]:
    name, value = sample.metric.name, sample.value
    if not isinstance(value, Histogram):
        return [f"{name}{_labels(sample.labels)} {_number(value)}"]
    out, seen = [], 0
    for bound, count in zip((*map(_number, BOUNDS), "+Inf"), value.buckets, strict=True):
        seen += count
        out.append(f"{name}_bucket{_labels({**sample.labels, 'le': bound})} {seen}")
    plain = _labels(sample.labels)
    return [*out, f"{name}_sum{plain} {_number(value.sum)}", f"{name}_count{plain} {seen}"]


def _labels(labels: Mapping[str, str]) -> str:
    said = ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items())
    return f"{{{said}}}" if said else ""


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _help(words: str) -> str:
    return words.replace("\\", "\\\\").replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(round(value, 6))
