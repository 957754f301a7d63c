"""The state of one placement: what was recorded, the web of edges, what is open, what is wrong."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct, field

from bgce_migrate.effect import Effect
from bgce_migrate.errors import Problem
from bgce_migrate.migration import Finding
from bgce_migrate.order import wording
from bgce_migrate.order.names import LENIENT, Key
from bgce_migrate.order.record import Record, Use, Write
from bgce_migrate.order.timeline import Interval
from bgce_migrate.order.values import Rules
from bgce_migrate.order.web import Link, Web


class Choice(Struct, frozen=True):
    """A use that may fall into one of several times in which its name lives.

    `any_maker`: the intervals are not one after the other; each maker alone is enough.
    """

    use: Use
    options: list[Interval]
    any_maker: bool = False

    @property
    def lenient(self) -> bool:
        """True if a wrong guess does no harm that a person must decide about."""
        return self.use.key[0] in LENIENT and not (self.any_maker and self.plain_makers() > 1)

    def plain_makers(self) -> int:
        """How many of the makers use plain CREATE."""
        return sum(1 for o in self.options if o.start is not None and o.start.plain)


class Contest(Struct, eq=False):
    """A name that new migrations of several domains make, change or end.

    Attributes:
        level: how literally their needs are taken; raised when no order meets them.
    """

    key: Key
    level: int = 0


class Work(Struct):
    """What the phases of placement share."""

    record: Record
    rules: Rules
    web: Web
    problems: list[Problem] = field(default_factory=list)
    findings: list[tuple[int, Finding]] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    contests: list[Contest] = field(default_factory=list)
    soft: list[Choice] = field(default_factory=list)
    dropped: list[Link] = field(default_factory=list)
    outside: list[tuple[int, Key, Effect]] = field(default_factory=list)
    guessed: bool = False
    sure: int = 0
    effort: int = 0

    def around(self, use: Use, option: Interval, soft: bool = False) -> list[Link]:
        """The edges that put a use into an interval: after its maker, before its end."""
        links: list[Link] = []
        node, effect = use.node, use.effect
        where = wording.place(self.record.nodes[node], effect)
        if option.start is not None and not self._in_version_order(option.start.node, node):
            reason = wording.phrase(use.key, effect)
            links.append(Link(option.start.node, node, reason, where, soft))
        if option.end is not None and not self._in_version_order(node, option.end.node):
            reason = wording.needs_old(use.key, effect, option.end)
            links.append(Link(node, option.end.node, reason, where, soft))
        return links

    def _in_version_order(self, before: int, after: int) -> bool:
        return before <= after and self.record.domain(before) == self.record.domain(after)

    def possible(self, choice: Choice) -> list[Interval]:
        """The intervals that the edges known so far do not forbid."""
        return [option for option in choice.options if self._allows(choice.use, option)]

    def _allows(self, use: Use, option: Interval) -> bool:
        reaches = self.web.dag.reaches
        start, end = option.start, option.end
        if start is not None and start.node != use.node and reaches(use.node, start.node):
            return False
        return end is None or end.node == use.node or not reaches(end.node, use.node)

    def take(self, choice: Choice, option: Interval) -> bool:
        """Put a use into an interval; False if the edges forbid it."""
        if not self.web.add(self.around(choice.use, option)):
            return False
        choice.use.life = option.life
        return True

    def by_place(self, writes: Sequence[Write]) -> list[Write]:
        """Writes in the order that the web has now."""
        place = self.web.dag.place
        return sorted(writes, key=lambda write: place[write.node])

    def first_reason(self, before: int, after: int) -> Link | None:
        """The first reason of an edge."""
        links = self.web.reasons.get((before, after))
        return links[0] if links else None

    def cycle_over(self, closing: Link) -> Problem:
        """The problem of the cycle that one more link would close."""
        walk = self.web.dag.path(closing.after, closing.before) or [closing.before]

        def why(before: int, after: int) -> Link | None:
            closes = (before, after) == (closing.before, closing.after)
            return closing if closes else self.first_reason(before, after)

        return wording.cycle(self.record.nodes, walk, why)
