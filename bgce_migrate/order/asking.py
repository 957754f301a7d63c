"""What a person is asked when the order cannot be found: always about two that nothing puts in order yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bgce_migrate.errors import Problem
from bgce_migrate.migration import Finding, Severity
from bgce_migrate.order import wording
from bgce_migrate.order.contests import timeline
from bgce_migrate.order.names import PARTS, RELATION, SCHEMA, Key
from bgce_migrate.order.verify import Failure
from bgce_migrate.order.work import Choice, Contest, Work


def ask(work: Work, item: Choice | Contest) -> Problem:
    """The question about an open name; each answer to it is an edge that was not there before."""
    if isinstance(item, Contest):
        found = timeline(work, item, certain=True)
        pair = found and (found.clash or next(iter(found.likely), None))
        if pair:
            return wording.both(item.key, work.record.nodes, *pair)
        return _about(work, item.key) or _elsewhere(work, item.key)
    return _meaning(work, item) or _about(work, item.use.key) or _elsewhere(work, item.use.key)


def _meaning(work: Work, choice: Choice) -> Problem | None:
    """Which maker a use means, or on which side of a rebuild it belongs."""
    nodes, use = work.record.nodes, choice.use
    options = work.possible(choice) or choice.options
    makers = [o.start for o in options if o.start is not None]
    makers.sort(key=lambda write: not _open(work, write.node, use.node))
    if len(makers) > 1 and _open(work, makers[0].node, use.node):
        ids = nodes[makers[0].node].id, nodes[makers[1].node].id
        return wording.which(use.key, nodes[use.node], use.effect, *ids)
    ends = [o.end for o in options if o.end is not None]
    other = next((w for w in (*makers, *ends) if _open(work, w.node, use.node)), None)
    if other is None:
        return None
    return wording.before_or_after(use.key, nodes[use.node], use.effect, nodes[other.node], other)


def _open(work: Work, one: int, other: int) -> bool:
    reaches = work.web.dag.reaches
    return one != other and not reaches(one, other) and not reaches(other, one)


def _about(work: Work, key: Key) -> Problem | None:
    """A question about any two that touch a name and are not in order."""
    record, place = work.record, work.web.dag.place
    writes = record.writes.get(key, {})
    uses = {use.node: use for use in record.uses.get(key, ()) if use.binding and use.node not in writes}
    touching = sorted((*writes, *uses), key=place.__getitem__)
    for first, second in _apart(work, touching):
        if first in writes and second in writes:
            return wording.both(key, record.nodes, writes[first], writes[second])
        if first in writes or second in writes:
            use, write = (uses[first], writes[second]) if first in uses else (uses[second], writes[first])
            return wording.before_or_after(
                key, record.nodes[use.node], use.effect, record.nodes[write.node], write
            )
    return None


def _apart(work: Work, nodes: Sequence[int]) -> Iterator[tuple[int, int]]:
    """Pairs that no edges join, neighbours first; `nodes` are in an order that the edges allow."""
    later = {node: work.web.dag.reached(node, nodes) for node in nodes}
    for distance in range(1, len(nodes)):
        for first, second in zip(nodes, nodes[distance:], strict=False):
            if second not in later[first]:
                yield first, second


def _elsewhere(work: Work, key: Key) -> Problem:
    """Nothing is open about this name, so another one stands in its way."""
    for other, writes in work.record.writes.items():
        if len({work.record.domain(node) for node in writes}) > 1:
            question = _about(work, other)
            if question is not None:
                return question
    writes = work.record.writes.get(key, {})
    return wording.no_order(key, [work.record.nodes[node] for node in sorted(writes)])


def explain(work: Work, failures: Sequence[Failure]) -> list[Problem]:
    """What to say about an order that would fail; [] if no other would be better and it may succeed after all.

    Only edges that are certain count: what was guessed is taken back, so the web is of no use afterwards.
    """
    work.web.back_to(work.sure)
    contradictions: list[Problem] = []
    for failure in failures:
        question = _question(work, failure)
        if question is not None:
            return [question]
        if failure.certain:
            user = work.record.nodes[failure.node]
            contradictions.append(
                wording.contradiction(failure.key, user, failure.effect, failure.life, failure.death)
            )
    return contradictions[:1]


def _question(work: Work, failure: Failure) -> Problem | None:
    """Who may be on the wrong side of the migration that would fail; the last writer first."""
    record, node, key = work.record, failure.node, failure.key
    writes = record.writes.get(key, {})
    others = [n for n in (failure.writer, *writes) if n in writes and _open(work, n, node)]
    if others:
        other = others[0]
        return wording.before_or_after(
            key, record.nodes[node], failure.effect, record.nodes[other], writes[other]
        )
    kind, schema, name, _ = key
    housing: list[Key] = [(RELATION, schema, name, "")] if kind in PARTS else []
    for each in (key, *housing, (SCHEMA, "", schema, "")):
        question = _about(work, each)
        if question is not None:
            return question
    return None


def from_outside(work: Work, failures: Sequence[Failure]) -> Iterator[Finding]:
    """Warnings for statements that no order helps; what cannot be seen may let them succeed all the same."""
    for failure in failures:
        user = work.record.nodes[failure.node]
        message = f"{user.id} {wording.phrase(failure.key, failure.effect)}, "
        if failure.life is not None:
            rule, why = "name-exists", f"while that of {failure.life.maker} lives, as far as can be seen"
        elif failure.death is not None:
            rule, why = "dropped-name", f"which {failure.death.by} dropped or renamed, as far as can be seen"
        else:
            rule, why = "unknown-name", "which no migration before it makes"
        yield wording.finding(rule, Severity.WARNING, user, failure.effect, message + why)
