"""Changes of one object by several domains whose order nothing but the domains' places decides."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from bgce_migrate.effect import Action, Effect
from bgce_migrate.migration import Finding, Severity
from bgce_migrate.order import wording
from bgce_migrate.order.names import PARTS, RELATION, TOP, Key, show
from bgce_migrate.order.record import NUMBERED
from bgce_migrate.order.work import Work


def unordered_changes(work: Work) -> Iterator[tuple[int, Finding]]:
    """A warning for each pair of neighbours that replace or alter one object and could be turned round."""
    for key, writes in work.record.writes.items():
        if key[0] in TOP or key[0] in PARTS or len(writes) < 2:
            continue
        real = {
            w.node: w.effect
            for w in writes.values()
            if not w.effect.optional and w.effect.relation_kind not in NUMBERED
        }
        yield from _pairs(work, key, real, "replace")
    for key, uses in work.record.uses.items():
        if key[0] == RELATION:
            altered = {u.node: u.effect for u in uses if u.effect.action is Action.ALTER and u.binding}
            yield from _pairs(work, key, altered, "alter")


def _pairs(work: Work, key: Key, changes: dict[int, Effect], verb: str) -> Iterator[tuple[int, Finding]]:
    record, dag = work.record, work.web.dag
    if len({record.domain(node) for node in changes}) < 2:
        return
    for first, second in pairwise(sorted(changes, key=dag.place.__getitem__)):
        if record.domain(first) == record.domain(second) or dag.reaches(first, second):
            continue
        one, other = record.nodes[first], record.nodes[second]
        message = (
            f"{one.id} and {other.id} both {verb} {show(key)}, and only the places of their domains in"
            " bgce.toml say which comes first"
        )
        hint = f"if it matters, write `-- bgce: requires {one.id.short}` in the one that comes second"
        found = wording.finding("unordered-change", Severity.WARNING, other, changes[second], message, hint)
        yield second, found
