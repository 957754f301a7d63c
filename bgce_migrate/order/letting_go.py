"""Drops within one batch: what rests on an object goes before the object, whichever domain it is of."""

from __future__ import annotations

from collections.abc import Sequence

from bgce_migrate.effect import Action, Effect
from bgce_migrate.order import wording
from bgce_migrate.order.holds import Holds
from bgce_migrate.order.layer import Death, Life
from bgce_migrate.order.model import Model
from bgce_migrate.order.names import Key, show
from bgce_migrate.order.values import LogEntry
from bgce_migrate.order.web import Link
from bgce_migrate.order.work import Work

_LOSING = frozenset({Action.DROP, Action.ALTER, Action.RENAME, Action.REPLACE})


class _Ends:
    """Replays the order found so far, and hears who lets go of what another has already dropped."""

    def __init__(self, model: Model, work: Work) -> None:
        self.holds = Holds(model, self._losing)
        self.work = work
        self.node = -1  # of the log
        self.effect: Effect | None = None
        self.gone: dict[Life, dict[str, int]] = {}
        self.links: list[Link] = []

    def used(self, life: Life, effect: Effect) -> None:
        self.effect = effect
        self.holds.used(life, effect)

    def made(self, life: Life, effect: Effect, over: Life | None) -> None:
        self.holds.made(life, effect)

    def changed(self, life: Life, effect: Effect) -> None:
        self.effect = effect
        self.holds.changed(life, effect)

    def ended(self, life: Life, effect: Effect, cascaded: bool) -> None:
        self.effect = effect
        self.holds.ended(life, effect)

    def missing(self, effect: Effect, keys: list[Key], death: Death | None) -> None:
        """A name from outside holds nothing."""

    def opaque(self, effect: Effect) -> None:
        """Nothing is known."""

    def _losing(self, life: Life, gone: bool) -> None:
        if self.node < 0 or self.effect is None:
            return
        record = self.work.record
        mine = record.domain(self.node)
        for borne in self.holds.rests.get(life, ()):
            for domain, node in self.gone.get(borne, {}).items():
                if domain != mine:
                    reason = f"{show(life.key)} lets go of {show(borne.key)} before that is changed"
                    where = wording.place(record.nodes[self.node], self.effect)
                    self.links.append(Link(self.node, node, reason, where, soft=True))
        if gone:
            self.gone.setdefault(life, {}).setdefault(mine, self.node)


def let_go_first(work: Work, log: Sequence[LogEntry]) -> None:
    """Put a drop behind the drops of what rests on the object, where that closes no cycle."""
    nodes = work.record.nodes
    losing = {c.id.domain for c in nodes if any(e.action in _LOSING for e in c.effects)}
    dropping = {c.id.domain for c in nodes if any(e.action is Action.DROP for e in c.effects)}
    if len(losing) < 2 or not dropping:
        return
    model = Model()
    ends = _Ends(model, work)
    for entry in log:
        ends.holds.begin()
        model.apply(entry.id, entry.effects, ends)
    for node in work.web.dag.sorted():
        ends.node = node
        ends.holds.begin()
        model.apply(nodes[node].id, nodes[node].effects, ends)
    for link in ends.links:
        work.web.add([link])
