"""The state of one placement: what was recorded, the web of edges, what is open, what is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field

from bgce_migrate.errors import Problem
from bgce_migrate.migration import Effect, Finding
from bgce_migrate.order import wording
from bgce_migrate.order.names import LENIENT, Key
from bgce_migrate.order.record import Record, Use
from bgce_migrate.order.timeline import Interval
from bgce_migrate.order.values import Rules
from bgce_migrate.order.web import Link, Web


@dataclass(frozen=True, slots=True)
class Choice:
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
        return sum(1 for o in self.options if o.start is not None and o.start.content)


@dataclass(slots=True)
class Work:
    """What the phases of placement share."""

    record: Record
    rules: Rules
    web: Web
    problems: list[Problem] = field(default_factory=list)
    findings: list[tuple[int, Finding]] = field(default_factory=list)
    choices: list[Choice] = field(default_factory=list)
    soft: list[Choice] = field(default_factory=list)
    dropped: list[Link] = field(default_factory=list)
    outside: list[tuple[int, Key, Effect]] = field(default_factory=list)

    def around(self, use: Use, option: Interval, soft: bool = False) -> list[Link]:
        """The edges that put a use into an interval: after its maker, before its end."""
        links: list[Link] = []
        node, effect = use.node, use.effect
        where = wording.place(self.record.nodes[node], effect)
        if option.start is not None and option.start.node != node:
            reason = wording.phrase(use.key, effect)
            links.append(Link(option.start.node, node, reason, where, soft))
        if option.end is not None and option.end.node != node:
            reason = wording.needs_old(use.key, effect, option.end)
            links.append(Link(node, option.end.node, reason, where, soft))
        return links

    def possible(self, use: Use, option: Interval) -> bool:
        """False if the edges known so far forbid this interval."""
        reaches = self.web.dag.reaches
        if option.start is not None and option.start.node != use.node and reaches(use.node, option.start.node):
            return False
        end = option.end
        return end is None or end.node == use.node or not reaches(end.node, use.node)
