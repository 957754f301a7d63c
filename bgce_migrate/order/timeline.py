"""In which order several migrations make and end one name, and between which of them it lives."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bgce_migrate.order.layer import Life
from bgce_migrate.order.record import ANY, DEAD, LIVE, Write

Precedes = Callable[[int, int], bool]

#: More writers of one name than this are not searched: they must already be in order.
_SEARCHED = 14
_STEPS = 4000


@dataclass(frozen=True, slots=True)
class Interval:
    """A time in which a name means one thing: after `start` (None: from the log on), before `end`."""

    start: Write | None
    end: Write | None
    life: Life | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """The writes of one name in their order.

    Attributes:
        sure: pairs of neighbours whose order every valid order has.
        likely: pairs of neighbours that could also stand the other way round, without harm.
        clash: two that contradict, and nothing says which one comes first.
    """

    writes: tuple[Write, ...]
    sure: tuple[tuple[Write, Write], ...] = ()
    likely: tuple[tuple[Write, Write], ...] = ()
    clash: tuple[Write, Write] | None = None


def intervals(writes: Sequence[Write], base: Life | None) -> list[Interval]:
    """The times in which the name lives, given the writes in their order."""
    found: list[Interval] = []
    start: Write | None = None
    life = base
    lives = base is not None
    for write in writes:
        if lives and (write.ends or not write.lives):
            found.append(Interval(start, write, life))
            lives = False
        if write.lives and not lives:
            start, life, lives = write, write.life, True
    if lives:
        found.append(Interval(start, None, life))
    return found


def arrange(
    writes: Sequence[Write], base_lives: bool, precedes: Precedes, domain: Callable[[int], str]
) -> Timeline:
    """Find the order of writes of several domains from what each needs and leaves.

    Args:
        writes: in the order they would have without this name.
        precedes: what is known about the order of two nodes.
    """
    if len(writes) > _SEARCHED:
        return _judge(list(writes), lambda extra: None, precedes, domain)
    ahead = {
        (a.node, b.node) for a in writes for b in writes if a is not b and precedes(a.node, b.node)
    }
    state = LIVE if base_lives else DEAD
    for start, loose in ((state, False), (ANY, False), (ANY, True)):
        first = _search(writes, start, ahead, loose)
        if first is None:
            continue

        def other(
            pair: tuple[int, int], start: str = start, loose: bool = loose
        ) -> list[Write] | None:
            return _search(writes, start, ahead | {pair}, loose)

        return _judge(first, other, lambda a, b: (a, b) in ahead, domain)
    return _judge(list(writes), lambda extra: None, precedes, domain)


def _judge(
    order: list[Write],
    other: Callable[[tuple[int, int]], list[Write] | None],
    precedes: Precedes,
    domain: Callable[[int], str],
) -> Timeline:
    """Say how sure each pair of neighbours is."""
    searched = len(order) <= _SEARCHED
    sure: list[tuple[Write, Write]] = []
    likely: list[tuple[Write, Write]] = []
    clash: tuple[Write, Write] | None = None
    for first, second in itertools.pairwise(order):
        if domain(first.node) == domain(second.node):
            continue
        known = precedes(first.node, second.node)
        if known or (searched and other((second.node, first.node)) is None):
            sure.append((first, second))
        else:
            likely.append((first, second))
            if clash is None and first.content and second.content:
                clash = (first, second)
    return Timeline(tuple(order), tuple(sure), tuple(likely), clash)


def _search(
    writes: Sequence[Write], state: str, ahead: set[tuple[int, int]], loose: bool
) -> list[Write] | None:
    """The first order in which every write finds the name as it needs it, or None if there is none."""
    # An optional drop rather follows a maker than precedes it.
    left = sorted(writes, key=lambda w: w.pre == ANY and not w.lives)
    order: list[Write] = []
    steps = 0

    def fits(write: Write, now: str) -> bool:
        return (loose or write.pre == ANY or now in (ANY, write.pre)) and not any(
            (other.node, write.node) in ahead for other in left if other is not write
        )

    def extend(now: str) -> bool:
        nonlocal steps
        steps += 1
        if not left or steps > _STEPS:
            return True
        for place, write in enumerate(left):
            if fits(write, now):
                del left[place]
                order.append(write)
                if extend(LIVE if write.lives else DEAD):
                    return True
                order.pop()
                left.insert(place, write)
        return False

    return order + left if extend(state) else None
