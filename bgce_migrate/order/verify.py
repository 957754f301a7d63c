"""Replays a placement over the log before it is believed."""

from __future__ import annotations

from collections.abc import Sequence

from bgce_migrate.errors import Problem
from bgce_migrate.migration import Action, Effect
from bgce_migrate.order import wording
from bgce_migrate.order.layer import Death, Life
from bgce_migrate.order.model import Model
from bgce_migrate.order.names import LENIENT, Key
from bgce_migrate.order.record import NUMBERED, Record


class _Inspector:
    """Hears of names that are missing or in the way at their point of the placed order."""

    def __init__(self, record: Record, contested: set[Key]) -> None:
        self.record = record
        self.contested = contested
        self.node = 0
        self.writer: dict[Key, int] = {}
        self.problems: list[Problem] = []

    def used(self, life: Life, effect: Effect) -> None:
        """As it should be."""

    def made(self, life: Life, effect: Effect, over: Life | None) -> None:
        """A plain CREATE needs a free name."""
        plain = effect.action is not Action.REPLACE and life.relation_kind not in NUMBERED
        if over is not None and plain:
            self._wrong(life.key, effect)
        self.writer[life.key] = self.node

    def changed(self, life: Life, effect: Effect) -> None:
        """As it should be."""

    def ended(self, life: Life, effect: Effect, cascaded: bool) -> None:
        """Remembered: it may be why a later use fails."""
        self.writer[life.key] = self.node

    def missing(self, effect: Effect, keys: list[Key], death: Death | None) -> None:
        """A binding use needs a live name."""
        if not effect.soft and not effect.optional:
            for key in keys:
                self._wrong(key, effect)

    def opaque(self, effect: Effect) -> None:
        """Nothing is known."""

    def _wrong(self, key: Key, effect: Effect) -> None:
        if key not in self.contested or key[0] in LENIENT:
            return
        user = self.record.nodes[self.node]
        others = [n for n in self.record.writes[key] if self.record.domain(n) != user.id.domain]
        if not others:
            return
        other = self.writer.get(key, others[0])
        if self.record.domain(other) == user.id.domain:
            other = others[0]
        problem = wording.before_or_after(key, user, effect, self.record.nodes[other])
        self.problems.append(problem)


def inspect(record: Record, order: Sequence[int]) -> list[Problem]:
    """What would fail in the placed order although another order might not; best nothing."""
    contested = {
        key
        for key, writes in record.writes.items()
        if len({record.domain(n) for n in writes} | {record.domain(u.node) for u in record.uses.get(key, ())})
        > 1
    }
    inspector = _Inspector(record, contested)
    model = Model(record.base)
    for node in order:
        inspector.node = node
        model.apply(record.nodes[node].id, record.nodes[node].effects, inspector)
    return inspector.problems
