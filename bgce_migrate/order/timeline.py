"""In which order several migrations make and end one name, and between which of them it lives."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence

from msgspec import Struct

from bgce_migrate.order.layer import Life
from bgce_migrate.order.record import ANY, DEAD, LIVE, Write

Reached = Callable[[int, Collection[int]], "set[int]"]

#: More writers and users of one name are not searched, nor more steps taken for all its questions:
#: the writers then keep the order they have, and whatever is not certain is asked.
_SEARCHED = 60
_STEPS = 20_000

#: How literally `Write.pre` is taken: names may exist that no migration made, drops may be hidden.
STRICT, OUTSIDE, LOOSE = 0, 1, 2


class Interval(Struct, frozen=True):
    """A time in which a name means one thing: after `start` (None: from the log on), before `end`."""

    start: Write | None
    end: Write | None
    life: Life | None


class Timeline(Struct, frozen=True):
    """The writes of one name in their order.

    Attributes:
        sure: pairs of neighbours whose order every valid order has.
        likely: pairs of neighbours that could also stand the other way round.
        clash: two that could be turned round, and then the object would be another one.
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


class Puzzle:
    """The writes and uses of one name, to be brought into an order in which each finds what it needs.

    Args:
        writes: who makes, changes and ends the name, in the order they have without this name.
        uses: who only needs it to live (as writes that change nothing).
        base_lives: whether it lives before all of them.
        reached: which of some nodes are known to come after a node.
        domain: a node's domain.
    """

    def __init__(
        self,
        writes: Sequence[Write],
        uses: Iterable[Write],
        base_lives: bool,
        reached: Reached,
        domain: Callable[[int], str],
    ) -> None:
        # An optional drop rather follows a maker than precedes it.
        self.searched = len(writes) <= _SEARCHED
        cautious = sorted(writes, key=lambda w: w.pre == ANY and not w.lives)
        self.writes = cautious if self.searched else list(writes)
        self.base_lives = base_lives
        self.steps = _STEPS
        self.domain = domain
        others = list(uses)
        room = len(writes) + len(others) <= _SEARCHED
        #: An order that the edges allow, for when the steps have run out.
        self.given = list(writes)
        self.all = [*self.writes, *(others if room else ())] if self.searched else []
        nodes = [w.node for w in self.all]
        later = {node: reached(node, nodes) for node in nodes}
        if not self.searched:
            pairs = zip(self.writes, self.writes[1:], strict=False)
            later = {a.node: reached(a.node, [b.node]) for a, b in pairs}
        self.later = later
        self.ahead = [sum(1 << i for i, a in enumerate(nodes) if b in later[a]) for b in nodes]

    def solve(self, level: int) -> Timeline | None:
        """The first order at this level of strictness, or None if there is none."""
        if not self.searched:
            known, open_pairs = self._pairs(self.writes, None)
            return Timeline(tuple(self.writes), known, open_pairs, next(iter(open_pairs), None))
        first = self._search(level, ())
        if first is None:
            return None
        ordered = [w for w in first if w in self.writes]
        sure, likely = self._pairs(ordered, level)
        return Timeline(tuple(ordered), sure, likely, self._clash(ordered, level, likely) if likely else None)

    def _pairs(
        self, ordered: Sequence[Write], level: int | None
    ) -> tuple[tuple[tuple[Write, Write], ...], tuple[tuple[Write, Write], ...]]:
        """Neighbours of different domains whose order is known, and those that could be turned."""
        sure: list[tuple[Write, Write]] = []
        likely: list[tuple[Write, Write]] = []
        for index in range(len(ordered) - 1):
            first, second = ordered[index], ordered[index + 1]
            if self.domain(first.node) == self.domain(second.node):
                continue
            known = second.node in self.later[first.node]
            # What only follows if a name came from outside is no certainty.
            if known or (level == STRICT and self._search(level, ((second, first),)) is None):
                sure.append((first, second))
            else:
                likely.append((first, second))
        return tuple(sure), tuple(likely)

    def _clash(
        self, ordered: Sequence[Write], level: int, likely: Sequence[tuple[Write, Write]]
    ) -> tuple[Write, Write] | None:
        """Two whose order decides what the object is, or whether it lives in the end."""
        end = ordered[-1]
        other = self._search(level, (), DEAD if end.lives else LIVE)
        content = [w for w in ordered if w.content]
        for index in range(len(content) - 1):
            first, second = content[index], content[index + 1]
            if other is None and self.domain(first.node) != self.domain(second.node):
                other = self._search(level, ((second, first),))
        if other is None:
            return None
        place = {id(w): i for i, w in enumerate(other)}
        neighbours = [(ordered[i], ordered[i + 1]) for i in range(len(ordered) - 1)]
        # Two orders differ in at least one pair of neighbours: the question that makes a difference.
        turned = ((a, b) for a, b in reversed(neighbours) if place[id(a)] > place[id(b)])
        return next(turned, likely[-1])

    def _search(
        self, level: int, pairs: Sequence[tuple[Write, Write]], goal: str = ANY
    ) -> list[Write] | None:
        """An order that keeps `pairs` too and ends in `goal`; None if there is none (that is certain)."""
        place = {id(w): i for i, w in enumerate(self.all)}
        ahead = list(self.ahead)
        for before, after in pairs:
            ahead[place[id(after)]] |= 1 << place[id(before)]
        everything = (1 << len(self.all)) - 1
        state = ANY if level else LIVE if self.base_lives else DEAD
        failed: set[tuple[int, str]] = set()
        order: list[Write] = []

        def extend(done: int, now: str) -> bool:
            self.steps -= 1
            if self.steps < 0 or (done == everything and goal in (ANY, now)):
                return True
            if (done, now) in failed:
                return False
            for index, write in enumerate(self.all):
                bit = 1 << index
                if done & bit or ahead[index] & ~done:
                    continue
                if level < LOOSE and write.pre != ANY and now not in (ANY, write.pre):
                    continue
                order.append(write)
                if extend(done | bit, LIVE if write.lives else DEAD):
                    return True
                order.pop()
            failed.add((done, now))
            return False

        if not extend(0, state):
            return None
        return order if len(order) == len(self.all) else self.given
