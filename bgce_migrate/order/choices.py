"""What is open after the certain edges: what follows from them, then what is likely."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from msgspec import Struct, field

from bgce_migrate.errors import Problem
from bgce_migrate.order.asking import ask
from bgce_migrate.order.contests import pair_links, settle_uses, timeline
from bgce_migrate.order.names import COLUMN, LENIENT
from bgce_migrate.order.record import Use
from bgce_migrate.order.timeline import Interval
from bgce_migrate.order.web import Link
from bgce_migrate.order.work import Choice, Contest, Work

_ROUNDS = 100
_RESTARTS = 12
#: Names looked at in all contests; beyond it guesses are no longer followed up, nor tried again.
_EFFORT = 100_000
#: What these make stands in the way of a plain DROP, so they rather follow a rebuild.
_PINNING = frozenset(
    {"foreign key", "view", "materialized view", "default", "check", "generated column", "column type", "attribute"}
    | {"index", "trigger", "policy", "partition"}
)

_Item: TypeAlias = "Choice | Contest"


class _Open(Struct):
    """Items that are not settled, and the first that cannot be."""

    items: list[_Item]
    stuck: _Item | None = None
    link: Link | None = None
    problems: list[Problem] = field(default_factory=list)


def decide(work: Work) -> None:
    """Find the meaning of every open use and the order of every contest; else problems."""
    left = _follow(work, [*work.contests, *work.choices], certain=True).items
    if work.problems:
        return
    left = _undecidable(work, left)
    work.sure = work.web.mark()
    _evidence(work)
    mark, soft = work.web.mark(), len(work.soft)
    first: list[_Item] = []
    stuck: _Item | None = None
    for _ in range(_RESTARTS):
        rest = [item for item in left if item not in first]
        found = _guess(work, [*first, *rest])
        if found.stuck is None:
            work.problems += found.problems
            return
        stuck = found.stuck
        if work.effort > _EFFORT:
            break
        work.web.back_to(mark)
        del work.soft[soft:]
        if stuck in left:
            first = [stuck, *(item for item in first if item is not stuck)]
        elif rest:
            first = [*first, rest[-1]]
    if stuck is not None:
        work.web.back_to(work.sure)
        work.problems.append(ask(work, stuck))


def _follow(work: Work, items: Sequence[_Item], certain: bool) -> _Open:
    """Settle what has only one possibility, until nothing more follows."""
    left = list(items)
    for _ in range(_ROUNDS):
        waiting: list[_Item] = []
        progress = False
        for item in left:
            made = len(work.choices)
            settled, link = _settle(work, item, certain)
            waiting += work.choices[made:]
            del work.choices[made:]
            if settled is None:
                if not certain:
                    return _Open(left, item, link)
                work.problems.append(work.cycle_over(link) if link else _impossible(work, item))
                progress = True
            elif settled:
                progress = True
            else:
                waiting.append(item)
        left = waiting
        if not progress:
            break
    return _Open(left)


def _settle(work: Work, item: _Item, certain: bool) -> tuple[bool | None, Link | None]:
    """True: settled. False: still open. None: impossible, perhaps because of the link."""
    if isinstance(item, Choice):
        options = work.possible(item)
        if not options:
            return None, None
        if len(options) > 1 or (item.any_maker and len(item.options) > 1 and not certain):
            return False, None
        return work.take(item, options[0]), None
    found = timeline(work, item, certain)
    if found is None:
        return None, None
    links = pair_links(work, item.key, found.sure)
    if not found.likely:
        links += settle_uses(work, item.key, found.writes)
    for link in links:
        if not work.web.add([link]):
            return None, link
    return not found.likely, None


def _undecidable(work: Work, items: Sequence[_Item]) -> list[_Item]:
    """Tell what only a person can say; returns what may be guessed."""
    kept: list[_Item] = []
    for item in items:
        if isinstance(item, Choice):
            asked = _pick(work, item, work.possible(item)) is None
        else:
            found = timeline(work, item, certain=True)
            asked = found is not None and found.clash is not None and item.key[0] not in LENIENT
        if asked:
            work.problems.append(ask(work, item))
        else:
            kept.append(item)
    return kept


def _evidence(work: Work) -> None:
    """A query of a column that only one new migration makes tells on which side it belongs."""
    for choice in work.soft:
        if choice.use.key[0] == COLUMN and len(choice.options) == 1 and choice.options[0].start is not None:
            work.web.add(work.around(choice.use, choice.options[0], soft=True)[:1])


def _guess(work: Work, items: Sequence[_Item]) -> _Open:
    """Take the likely possibility of one item after the other, and what follows from it."""
    state = _Open(list(items))
    while state.items:
        item, *rest = state.items
        made = len(work.choices)
        problem, link, ok = _guess_one(work, item)
        new = work.choices[made:]
        del work.choices[made:]
        if not ok:
            return _Open([], item, link)
        problems = [*state.problems, problem] if problem else state.problems
        state = _Open([*new, *rest], problems=problems)
        if work.effort < _EFFORT:
            followed = _follow(work, state.items, certain=False)
            state = _Open(followed.items, followed.stuck, followed.link, problems)
            if state.stuck is not None:
                return state
    return state


def _guess_one(work: Work, item: _Item) -> tuple[Problem | None, Link | None, bool]:
    if isinstance(item, Choice):
        options = work.possible(item)
        picked = _pick(work, item, options)
        if picked is None and options:
            return ask(work, item), None, True
        ordered = [o for o in [picked, *options] if o is not None]
        return None, None, any(work.take(item, option) for option in ordered)
    found = timeline(work, item, certain=False)
    if found is None:
        return None, None, False
    links = pair_links(work, item.key, (*found.sure, *found.likely))
    links += settle_uses(work, item.key, found.writes)
    for link in links:
        if not work.web.add([link]):
            return None, link, False
    return None, None, True


def _pick(work: Work, choice: Choice, options: Sequence[Interval]) -> Interval | None:
    """The likely meaning; None if a person must say it (or nothing is possible)."""
    if not options:
        return None
    use = choice.use
    reaches = work.web.dag.reaches
    reached = [o for o in options if o.start is not None and reaches(o.start.node, use.node)]
    if reached:
        return reached[-1]
    if choice.any_maker:
        return _any_of(work, choice, options)
    if options[0].start is None:
        end = options[0].end
        rebuilt = end is not None and end.drops and _pins(use)
        return options[-1] if rebuilt else options[0]
    if len(options) == 1 or choice.lenient or not use.binding:
        lasting = [o for o in options if o.end is None or not (o.end.drops and _pins(use))]
        return (lasting or options)[0]
    return None


def _pins(use: Use) -> bool:
    detail = use.effect.detail
    # A body that is not soft is one that PostgreSQL has parsed and knows by its objects.
    return not use.effect.soft and (detail in _PINNING or detail.startswith("body of function"))


def _any_of(work: Work, choice: Choice, options: Sequence[Interval]) -> Interval | None:
    if not choice.lenient and choice.use.binding and choice.plain_makers() > 1:
        return None
    declared = work.rules.requires.get(work.record.domain(choice.use.node)) or frozenset()
    makers = [o for o in options if o.start is not None]
    plain = next((o for o in makers if o.start is not None and o.start.plain), None)
    known = (o for o in makers if o.start is not None and work.record.domain(o.start.node) in declared)
    return plain or next(known, options[0])


def likely_interval(work: Work, choice: Choice) -> Interval:
    """The likely meaning of a use that binds late; the first where none is possible."""
    return _pick(work, choice, work.possible(choice)) or choice.options[0]


def _impossible(work: Work, item: _Item) -> Problem:
    """Every meaning of a use contradicts certain edges: a cycle through it."""
    if isinstance(item, Choice):
        for option in item.options:
            for link in work.around(item.use, option):
                if work.web.dag.reaches(link.after, link.before):
                    return work.cycle_over(link)
    return ask(work, item)
