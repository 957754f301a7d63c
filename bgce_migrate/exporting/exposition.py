"""Samples as prometheus-client shows them: a registry, and its text."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING

from bgce_migrate.errors import UsageError
from bgce_migrate.metrics.sample import Histogram, Sample
from bgce_migrate.metrics.table import BOUNDS, METRICS, Metric

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry
    from prometheus_client import Metric as Family


class Shown:
    """A collector of samples that are known already, metric by metric in the order of the table."""

    def __init__(self, samples: Sequence[Sample]) -> None:
        self._samples = tuple(samples)

    def collect(self) -> Iterator[Family]:
        """One family for each metric that has a sample."""
        for metric in METRICS:
            mine = [sample for sample in self._samples if sample.metric is metric]
            if mine:
                yield _family(metric, mine)


def registry(samples: Sequence[Sample]) -> CollectorRegistry:
    """A registry of its own: nothing of the process that we run in is shown.

    Raises:
        UsageError: prometheus-client is not installed.
    """
    require()
    from prometheus_client import CollectorRegistry

    made = CollectorRegistry()
    made.register(Shown(samples))
    return made


def text(samples: Sequence[Sample]) -> str:
    """Prometheus' text format, version 0.0.4.

    Raises:
        UsageError: prometheus-client is not installed.
    """
    from_samples = registry(samples)
    from prometheus_client import generate_latest

    return generate_latest(from_samples).decode()


def require() -> None:
    """Refuse, with the command, where the extra is not installed."""
    try:
        importlib.import_module("prometheus_client")
    except ImportError:
        raise UsageError(
            "metrics are written by prometheus-client, which is not installed", hint="pip install 'bgce-migrate[metrics]'"
        ) from None


def _family(metric: Metric, samples: Sequence[Sample]) -> Family:
    from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily

    if metric.kind == "histogram":
        histogram = HistogramMetricFamily(metric.name, metric.help, labels=metric.labels)
        for sample in samples:
            if isinstance(sample.value, Histogram):
                histogram.add_metric(_values(sample), _buckets(sample.value), sample.value.sum)
        return histogram
    gauge = GaugeMetricFamily(metric.name, metric.help, labels=metric.labels)
    for sample in samples:
        if not isinstance(sample.value, Histogram):
            gauge.add_metric(_values(sample), sample.value)
    return gauge


def _values(sample: Sample) -> list[str]:
    return [sample.labels[name] for name in sample.metric.labels]


def _buckets(histogram: Histogram) -> list[tuple[str, float]]:
    from prometheus_client.utils import floatToGoString

    bounds = [*map(floatToGoString, BOUNDS), "+Inf"]
    return list(zip(bounds, map(float, accumulate(histogram.buckets)), strict=True))
