"""Values of metrics, whoever shows them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping

from msgspec import Struct

from bgce_migrate.metrics.table import BOUNDS, Metric


class Histogram(Struct, frozen=True):
    """Counts of observations in each bucket (the last one is above all bounds), and their sum in seconds."""

    buckets: tuple[int, ...]
    sum: float

    @staticmethod
    def of(seconds: Iterable[float]) -> Histogram:
        """From single observations."""
        counts, total = [0] * (len(BOUNDS) + 1), 0.0
        for value in seconds:
            counts[bisect_left(BOUNDS, value)] += 1
            total += value
        return Histogram(tuple(counts), total)


class Sample(Struct, frozen=True):
    """One value of one metric."""

    metric: Metric
    labels: Mapping[str, str]
    value: float | Histogram
