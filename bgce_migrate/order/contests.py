"""Names that several domains' new migrations make, change or end: who comes first."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from bgce_migrate.order import wording
from bgce_migrate.order.layer import Life
from bgce_migrate.order.names import LENIENT, PARTS, RELATION, Key
from bgce_migrate.order.record import DEAD, LIVE, Use, Write
from bgce_migrate.order.timeline import LOOSE, Interval, Puzzle, Timeline, intervals
from bgce_migrate.order.web import Link
from bgce_migrate.order.work import Choice, Contest, Work


def enter(work: Work, use: Use, options: list[Interval], any_maker: bool = False) -> list[Link]:
    """The links of a use with one meaning; others are kept for later."""
    if not options:
        return []
    # A column that came with another table of that name, or with a renamed one, may be meant.
    uncertain = use.key[0] in PARTS and not _one_table(work, use.key)
    if not use.binding or uncertain:
        work.soft.append(Choice(use, options, any_maker))
    elif len(options) > 1:
        work.choices.append(Choice(use, options, any_maker))
    else:
        use.life = options[0].life
        return work.around(use, options[0])
    return []


def open_contests(work: Work, keys: Sequence[Key]) -> None:
    """Sort out the names that nobody ends; the others become contests."""
    for key in keys:
        writes = list(work.record.writes[key].values())
        if key[0] in PARTS and not _one_table(work, key):
            _loosely_made(work, key, work.by_place(writes))
        elif any(w.ends or not w.lives for w in writes):
            work.contests.append(Contest(key))
        else:
            _only_made(work, key, work.by_place(writes))


def timeline(work: Work, contest: Contest, certain: bool) -> Timeline | None:
    """The order of the writers, as far as the web says by now; None if there is none.

    Args:
        certain: nothing was guessed yet, so needs that no order can meet are taken less literally.
    """
    record, key = work.record, contest.key
    writes = record.writes[key]
    users: dict[int, Write] = {}
    for use in record.uses.get(key, ()):
        if use.binding and use.node not in writes and use.node not in users:
            users[use.node] = Write(use.node, LIVE, True, use.effect)
    puzzle = Puzzle(
        work.by_place(list(writes.values())),
        users.values(),
        record.base.get(key) is not None,
        work.web.dag.reached,
        record.domain,
    )
    work.effort += len(puzzle.all)
    found = puzzle.solve(contest.level)
    while found is None and certain and contest.level < LOOSE:
        contest.level += 1
        found = puzzle.solve(contest.level)
    return found


def pair_links(work: Work, key: Key, pairs: Sequence[tuple[Write, Write]]) -> list[Link]:
    """Edges between writers that follow each other."""
    nodes = work.record.nodes
    return [
        Link(
            first.node,
            second.node,
            wording.follows(key, first, second),
            wording.place(nodes[second.node], second.effect),
        )
        for first, second in pairs
    ]


def settle_uses(work: Work, key: Key, writes: Sequence[Write]) -> list[Link]:
    """The links of the uses of a name whose writers are in order."""
    return _uses(work, key, writes, intervals(writes, work.record.base.get(key)))


def _uses(
    work: Work, key: Key, writes: Sequence[Write], times: list[Interval], any_maker: bool = False
) -> list[Link]:
    links: list[Link] = []
    for use in work.record.uses.get(key, ()):
        if use.node in work.record.writes[key]:
            use.life = _found(times, writes, use) or use.life
        else:
            links += enter(work, use, times, any_maker)
    return links


def _found(times: list[Interval], writes: Sequence[Write], use: Use) -> Life | None:
    """What a writer of the name found when it began."""
    for time in times:
        if time.end is not None and time.end.node == use.node:
            return time.life
    before = {write.node for write in writes[: [w.node for w in writes].index(use.node)]}
    lives = [t.life for t in times if t.start is None or t.start.node in before]
    return lives[-1] if lives else None


def _only_made(work: Work, key: Key, ordered: list[Write]) -> None:
    """Nobody ends the name: whoever makes it plainly is first, the others change it."""
    record = work.record
    base = record.base.get(key)
    plain = [w for w in ordered if w.pre == DEAD]
    if base is not None:
        links = _uses(work, key, ordered, [Interval(None, None, base)])
    elif len(plain) == 1 or (plain and plain[0].plain and key[0] not in LENIENT):
        for first, second in pairwise(plain):
            if not work.web.dag.reaches(first.node, second.node):
                work.problems.append(wording.both(key, record.nodes, first, second))
                return
        links = pair_links(work, key, [(plain[0], w) for w in ordered if w is not plain[0]])
        links += _uses(work, key, ordered, [Interval(plain[0], None, plain[0].life)])
    else:
        _loosely_made(work, key, ordered)
        return
    _add_certain(work, links)


def _one_table(work: Work, key: Key) -> bool:
    """True if all parts of that name belong to one table: it is not made anew, dropped or renamed."""
    writes = work.record.writes.get((RELATION, key[1], key[2], ""), {}).values()
    return sum(w.here or w.ends for w in writes) <= 1 and not any(w.ends for w in writes)


def _loosely_made(work: Work, key: Key, ordered: list[Write]) -> None:
    """Several make it and each of them is enough for a use."""
    base = work.record.base.get(key)
    if base is not None:
        _add_certain(work, _uses(work, key, ordered, [Interval(None, None, base)]))
        return
    makers = [w for w in ordered if w.lives]
    firsts = {work.record.domain(w.node): w for w in reversed(makers)}.values()
    times = [Interval(w, None, w.life) for w in makers if w in firsts]
    links = _uses(work, key, ordered, times, any_maker=True)
    for use in work.record.uses.get(key, ()):
        write = work.record.writes[key].get(use.node)
        if write is not None and write.pre == LIVE:
            # It makes the name too, but only after it has used what another made.
            links += enter(work, use, [time for time in times if time.start is not write], any_maker=True)
    _add_certain(work, links)


def _add_certain(work: Work, links: list[Link]) -> None:
    for link in links:
        if not work.web.add([link]):
            work.problems.append(work.cycle_over(link))
