"""Decide what each name in a new migration means, and which edges follow from it."""

from __future__ import annotations

from collections.abc import Iterable

from bgce_migrate.effect import Action
from bgce_migrate.migration import Severity
from bgce_migrate.order import wording
from bgce_migrate.order.choices import decide, likely_interval
from bgce_migrate.order.contests import enter, open_contests
from bgce_migrate.order.dag import shortest_cycles
from bgce_migrate.order.names import COLUMN, EXTENSION, PARTS, Key, show
from bgce_migrate.order.record import Use
from bgce_migrate.order.timeline import intervals
from bgce_migrate.order.web import Link
from bgce_migrate.order.work import Choice, Work

_EXTENSIONS_TRIED = 8


def resolve(work: Work, links: list[Link]) -> None:
    """Add every edge to the web, and tell the problems.

    Args:
        links: version order and explicit `requires`.
    """
    several: list[Key] = []
    record = work.record
    for key in _whole_objects_first(record.writes):
        writes = record.writes[key]
        if len(writes) == 1 and key not in record.uses:
            continue
        domains = {record.domain(node) for node in writes}
        if len(domains) > 1:
            several.append(key)
        else:
            links += _one_domain(work, key, domains.pop())
    stuck = work.web.settle(links)
    if stuck:
        for walk in shortest_cycles(work.web.dag, stuck):
            work.problems.append(wording.cycle(work.record.nodes, walk, work.first_reason))
        return
    open_contests(work, several)
    work.guessed = bool(work.contests or work.choices)
    decide(work)
    if not work.problems:
        _follow_soft(work)
        _alter_before_views(work)
        _follow_extensions(work)


def _whole_objects_first(keys: Iterable[Key]) -> list[Key]:
    """Columns and keys last: their tables give the better reasons."""
    listed = list(keys)
    return [k for k in listed if k[0] not in PARTS] + [k for k in listed if k[0] in PARTS]


def _one_domain(work: Work, key: Key, domain: str) -> list[Link]:
    """A name that one domain's new migrations make and end: their order is known."""
    record = work.record
    foreign = [use for use in record.uses.get(key, ()) if record.domain(use.node) != domain]
    if not foreign:
        return []
    writes = [record.writes[key][node] for node in sorted(record.writes[key])]
    options = intervals(writes, record.base.get(key))
    return [link for use in foreign for link in enter(work, use, options)]


def _follow_soft(work: Work) -> None:
    """Follow uses that bind late where that closes no cycle; say where it does."""
    for choice in sorted(work.soft, key=lambda c: c.use.node):
        use = choice.use
        option = likely_interval(work, choice)
        use.life = use.life or option.life
        for link in work.around(use, option, soft=True):
            if not work.web.add([link]):
                _give_up(work, choice, link)


def _give_up(work: Work, choice: Choice, link: Link) -> None:
    work.dropped.append(link)
    use = choice.use
    user = work.record.nodes[use.node]
    other, side = (link.before, "before") if link.after == use.node else (link.after, "after")
    late = "the name is only looked up when the body runs"
    why = "another table of that name may be meant" if use.binding else late
    message = (
        f"{user.id} {wording.phrase(use.key, use.effect)}; {work.record.nodes[other].id} should come {side} it,"
        f" but that closes a cycle, so it is not followed: {why}"
    )
    found = wording.finding("soft-order", Severity.NOTE, user, use.effect, message)
    work.findings.append((use.node, found))


def _alter_before_views(work: Work) -> None:
    """A column's type cannot change under a view, so a new view rather follows the change."""
    record = work.record
    for key, uses in record.uses.items():
        if key[0] != COLUMN:
            continue
        altering = [use for use in uses if use.effect.action is Action.ALTER]
        for alter in altering:
            for use in uses:
                foreign = record.domain(use.node) != record.domain(alter.node)
                if foreign and use.effect.action is Action.USE and _makes_view(work, use):
                    reason = f"{wording.phrase(key, use.effect)} of a view, after the other alters it"
                    where = wording.place(record.nodes[use.node], use.effect)
                    work.web.add([Link(alter.node, use.node, reason, where, soft=True)])


def _makes_view(work: Work, use: Use) -> bool:
    return any(
        effect.statement == use.effect.statement and effect.relation_kind in ("view", "matview")
        for effect in work.record.nodes[use.node].effects
    )


def _follow_extensions(work: Work) -> None:
    """A function or type from outside may come from an extension that a new migration makes."""
    record = work.record
    makers = sorted(
        (min(writes), key)
        for key, writes in record.writes.items()
        if key[0] == EXTENSION and record.base.get(key) is None
    )
    for node, key, effect in work.outside:
        for maker, extension in makers[:_EXTENSIONS_TRIED]:
            if record.domain(maker) != record.domain(node):
                reason = f"{wording.phrase(key, effect)}, which may come from extension {show(extension)}"
                where = wording.place(record.nodes[node], effect)
                work.web.add([Link(maker, node, reason, where, soft=True)])
