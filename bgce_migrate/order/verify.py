"""Replays a placement over the log before it is believed."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from bgce_migrate.effect import Action, Effect
from bgce_migrate.order.layer import Death, Life
from bgce_migrate.order.model import Model
from bgce_migrate.order.names import LENIENT, Key
from bgce_migrate.order.record import NUMBERED, Record


class Failure(Struct, frozen=True):
    """A statement that would fail in a placed order.

    Attributes:
        writer: the last new migration of another domain that made or ended the name by then.
        life: what is in the way of a CREATE.
        death: how the name that is missing ended, if it ever lived.
        certain: False if something that cannot be seen through, or is not known, may save it.
    """

    node: int
    key: Key
    effect: Effect
    writer: int | None
    life: Life | None
    death: Death | None
    certain: bool


class _Inspector:
    """Hears of names that are missing or in the way at their point of the placed order."""

    def __init__(self, record: Record, model: Model, contested: set[Key]) -> None:
        self.record = record
        self.model = model
        self.contested = contested
        self.node = 0
        self.writer: dict[Key, int] = {}
        self.failures: list[Failure] = []

    def used(self, life: Life, effect: Effect) -> None:
        """As it should be."""

    def made(self, life: Life, effect: Effect, over: Life | None) -> None:
        """A plain CREATE needs a free name."""
        plain = effect.action is not Action.REPLACE and life.relation_kind not in NUMBERED
        if over is not None and plain:
            self._wrong(life.key, effect, over, None, self.model.opaque_at < 0)
        self.writer[life.key] = self.node

    def changed(self, life: Life, effect: Effect) -> None:
        """As it should be."""

    def ended(self, life: Life, effect: Effect, cascaded: bool) -> None:
        """Remembered: it may be why a later use fails."""
        self.writer[life.key] = self.node

    def missing(self, effect: Effect, keys: list[Key], death: Death | None) -> None:
        """A binding use needs a live name."""
        if not effect.soft and not effect.optional:
            certain = death is not None and self.model.certain(death)
            for key in keys:
                self._wrong(key, effect, None, death, certain)

    def opaque(self, effect: Effect) -> None:
        """Nothing is known."""

    def _wrong(self, key: Key, effect: Effect, life: Life | None, death: Death | None, certain: bool) -> None:
        if key not in self.contested or key[0] in LENIENT:
            return
        domain = self.record.domain
        if all(domain(n) == domain(self.node) for n in self.record.writes[key]):
            return
        writer = self.writer.get(key)
        if writer is not None and domain(writer) == domain(self.node):
            writer = None
        self.failures.append(Failure(self.node, key, effect, writer, life, death, certain))


def inspect(record: Record, order: Sequence[int]) -> list[Failure]:
    """What would fail in the placed order although another order might not; best nothing."""
    contested = {
        key
        for key, writes in record.writes.items()
        if len({record.domain(n) for n in writes} | {record.domain(u.node) for u in record.uses.get(key, ())})
        > 1
    }
    model = Model(record.base)
    inspector = _Inspector(record, model, contested)
    for node in order:
        inspector.node = node
        model.apply(record.nodes[node].id, record.nodes[node].effects, inspector)
    return inspector.failures
