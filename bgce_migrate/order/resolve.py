"""Decide what each name in a new migration means, and which edges follow from it."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Sequence

from bgce_migrate.migration import Severity
from bgce_migrate.order import wording
from bgce_migrate.order.choices import cycle_over, decide, follow_soft
from bgce_migrate.order.dag import shortest_cycles
from bgce_migrate.order.layer import Life
from bgce_migrate.order.names import LENIENT, PARTS, TOP, Key, show
from bgce_migrate.order.record import Use, Write
from bgce_migrate.order.timeline import Interval, Timeline, arrange, intervals
from bgce_migrate.order.web import Link
from bgce_migrate.order.work import Choice, Work


def resolve(work: Work, links: list[Link]) -> bool:
    """Add every edge to the web; False if certain edges close cycles (then problems are told).

    Args:
        links: version order and explicit `requires`.
    """
    several: list[Key] = []
    for key in _whole_objects_first(work.record.writes):
        domains = {work.record.domain(node) for node in work.record.writes[key]}
        if len(domains) > 1:
            several.append(key)
        else:
            links += _one_domain(work, key, domains.pop())
    stuck = work.web.settle(links)
    if stuck:
        for walk in shortest_cycles(work.web.dag, stuck):
            work.problems.append(wording.cycle(work.record.nodes, walk, _first_reason(work)))
        return False
    _several_domains(work, several)
    decide(work)
    if not work.problems:
        follow_soft(work)
    return True


def _whole_objects_first(keys: Iterable[Key]) -> list[Key]:
    """Columns and keys last: their tables give the better reasons."""
    listed = list(keys)
    return [k for k in listed if k[0] not in PARTS] + [k for k in listed if k[0] in PARTS]


def _first_reason(work: Work) -> Callable[[int, int], Link | None]:
    def why(before: int, after: int) -> Link | None:
        links = work.web.reasons.get((before, after))
        return links[0] if links else None

    return why


def _one_domain(work: Work, key: Key, domain: str) -> list[Link]:
    """A name that one domain's new migrations make and end: their order is known."""
    record = work.record
    foreign = [use for use in record.uses.get(key, ()) if record.domain(use.node) != domain]
    if not foreign:
        return []
    writes = [record.writes[key][node] for node in sorted(record.writes[key])]
    options = intervals(writes, record.base.get(key))
    links: list[Link] = []
    for use in foreign:
        links += _enter(work, use, options)
    return links


def _enter(work: Work, use: Use, options: list[Interval], any_maker: bool = False) -> list[Link]:
    """The links of a use with one meaning; others are kept for later."""
    if not options:
        return []
    if not use.binding:
        work.soft.append(Choice(use, options, any_maker))
    elif len(options) > 1:
        work.choices.append(Choice(use, options, any_maker))
    else:
        use.life = options[0].life
        return work.around(use, options[0])
    return []


def _several_domains(work: Work, keys: list[Key]) -> None:
    """Names that new migrations of several domains make, change or end."""
    waiting: list[Key] = []
    for key in keys:
        writes = list(work.record.writes[key].values())
        if any(w.ends or not w.lives for w in writes):
            waiting.append(key)
        else:
            _only_made(work, key, writes)
    settled = True
    while waiting and settled:
        settled = False
        for key in list(waiting):
            timeline = _timeline(work, key)
            _link_pairs(work, key, timeline.sure)
            if not timeline.likely:
                waiting.remove(key)
                settled = True
                _uses(work, key, timeline.writes)
    for key in waiting:
        _guess_timeline(work, key)


def _guess_timeline(work: Work, key: Key) -> None:
    timeline = _timeline(work, key)
    if timeline.clash is not None and key[0] not in LENIENT:
        first, second = timeline.clash
        nodes = work.record.nodes
        work.problems.append(wording.both(key, nodes[first.node], nodes[second.node], second.effect))
        return
    _link_pairs(work, key, timeline.sure)
    for pair in timeline.likely:
        work.web.add([_pair_link(work, key, pair)])
    _uses(work, key, timeline.writes)


def _by_place(work: Work, writes: Iterable[Write]) -> list[Write]:
    place = work.web.dag.place
    return sorted(writes, key=lambda write: place[write.node])


def _timeline(work: Work, key: Key) -> Timeline:
    writes = _by_place(work, work.record.writes[key].values())
    base = work.record.base.get(key) is not None
    return arrange(writes, base, work.web.dag.reaches, work.record.domain)


def _pair_link(work: Work, key: Key, pair: tuple[Write, Write]) -> Link:
    first, second = pair
    where = wording.place(work.record.nodes[second.node], second.effect)
    return Link(first.node, second.node, wording.follows(key, first, second), where)


def _link_pairs(work: Work, key: Key, pairs: Sequence[tuple[Write, Write]]) -> None:
    for pair in pairs:
        _certain(work, [_pair_link(work, key, pair)])


def _certain(work: Work, links: list[Link]) -> None:
    """Add links that every valid order has; a cycle is a problem."""
    for link in links:
        if not work.web.add([link]):
            walk = work.web.dag.path(link.after, link.before)
            work.problems.append(cycle_over(work, walk or [link.before], link))


def _uses(work: Work, key: Key, writes: Sequence[Write], options: list[Interval] | None = None) -> None:
    """Enter all uses of a name whose writers are in order."""
    record = work.record
    times = intervals(writes, record.base.get(key)) if options is None else options
    any_maker = options is not None and len(options) > 1
    for use in record.uses.get(key, ()):
        if use.node in record.writes[key]:
            use.life = _before(times, writes, use) or use.life
        else:
            _certain(work, _enter(work, use, times, any_maker))


def _before(times: list[Interval], writes: Sequence[Write], use: Use) -> Life | None:
    """What a writer of the name found when it began."""
    for time in times:
        if time.end is not None and time.end.node == use.node:
            return time.life
    started = {write.node for write in writes[: [w.node for w in writes].index(use.node)]}
    lives = [t.life for t in times if t.start is None or t.start.node in started]
    return lives[-1] if lives else None


def _only_made(work: Work, key: Key, writes: list[Write]) -> None:
    """Nobody ends the name: whoever makes it plainly is first, the others change it."""
    record = work.record
    base = record.base.get(key)
    ordered = _by_place(work, writes)
    _warn_unordered(work, key, ordered)
    if base is not None:
        _uses(work, key, ordered)
        return
    plain = [w for w in ordered if w.content and key[0] not in LENIENT]
    if plain:
        for first, second in itertools.pairwise(plain):
            if not work.web.dag.reaches(first.node, second.node):
                nodes = record.nodes
                work.problems.append(
                    wording.both(key, nodes[first.node], nodes[second.node], second.effect)
                )
                return
        _link_pairs(work, key, [(plain[0], w) for w in ordered if w is not plain[0]])
        _uses(work, key, ordered, [Interval(plain[0], None, plain[0].life)])
        return
    firsts = {record.domain(w.node): w for w in reversed(ordered)}
    _uses(work, key, ordered, [Interval(w, None, w.life) for w in ordered if w in firsts.values()])


def _warn_unordered(work: Work, key: Key, ordered: list[Write]) -> None:
    """Two domains replace one object, and the order of their names decides what is left."""
    if key[0] in TOP or key[0] in PARTS:
        return
    real = [w for w in ordered if not w.effect.optional]
    nodes, reaches = work.record.nodes, work.web.dag.reaches
    for first, second in itertools.pairwise(real):
        if work.record.domain(first.node) == work.record.domain(second.node):
            continue
        if not reaches(first.node, second.node):
            message = (
                f"{nodes[first.node].id} and {nodes[second.node].id} both replace {show(key)}; what the"
                " later one says stays, and only the domains' places say which that is"
            )
            hint = f"write `-- bgce: requires {nodes[first.node].id.short}` in the one that must win"
            found = wording.finding(
                "unordered-change", Severity.WARNING, nodes[second.node], second.effect, message, hint
            )
            work.findings.append((second.node, found))
            return
