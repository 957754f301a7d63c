"""What the history says, as samples."""

from __future__ import annotations

from collections import Counter

from bgce_migrate import __version__
from bgce_migrate.apply.target import Target
from bgce_migrate.db.history import Past, read_past
from bgce_migrate.metrics import table
from bgce_migrate.metrics.sample import Histogram, Sample
from bgce_migrate.metrics.table import BOUNDS
from bgce_migrate.tree import Tree


def samples(target: Target, tree: Tree | None) -> tuple[Sample, ...]:
    """Of every domain that the history or the tree knows; changes nothing.

    Args:
        tree: the migrations on disk; without them nothing is said of what is pending.
    """
    past = {p.domain: p for p in read_past(target.control, BOUNDS)} if target.state.meta else {}
    applied = target.state.applied
    pending = Counter(i.domain for i in tree.migrations if i not in applied) if tree is not None else Counter[str]()
    domains = {d.name for d in tree.project.domains} if tree is not None else set()
    counts = Counter(i.domain for i in applied)
    versions = {i.domain: max(j.version for j in applied if j.domain == i.domain) for i in applied}
    out = [Sample(table.BUILD_INFO, {"version": __version__}, 1.0)]
    for domain in sorted(domains | past.keys() | counts.keys()):
        labels = {"service": domain}
        out.append(Sample(table.APPLIED, labels, float(counts[domain])))
        out.append(Sample(table.VERSION, labels, float(versions.get(domain, 0))))
        if tree is not None:
            out.append(Sample(table.PENDING, labels, float(pending[domain])))
        if domain in past:
            out += _of_past(past[domain], labels)
    return tuple(out)


def _of_past(past: Past, labels: dict[str, str]) -> list[Sample]:
    out = [
        Sample(table.DURATION, labels, Histogram(past.buckets, past.seconds)),
        Sample(table.FAILED, labels, float(past.failed)),
    ]
    if past.succeeded is not None:
        out.append(Sample(table.SUCCESS, labels, float(past.succeeded)))
    if past.last_success is not None:
        out.append(Sample(table.LAST_SUCCESS, labels, past.last_success))
    return out
