"""What a settled log says about itself: who used whose objects, and what had to come before what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from bgce_migrate.effect import Action, Effect
from bgce_migrate.migration import Edge, ForeignUse, MigrationId
from bgce_migrate.order.foreign import foreign_uses_of
from bgce_migrate.order.holds import Holds
from bgce_migrate.order.layer import Death, Life
from bgce_migrate.order.model import Model
from bgce_migrate.order.names import PARTS, Key, show
from bgce_migrate.order.values import LogEntry
from bgce_migrate.order.wording import phrase


class Replay(Struct, frozen=True):
    """Edges between migrations of different domains, and each migration's foreign uses."""

    edges: tuple[Edge, ...]
    foreign: Mapping[MigrationId, tuple[ForeignUse, ...]]


class _Listener:
    """Follows one log; `edges` are keyed by pair so that each is kept once with its first reason."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.holds = Holds(model, self._losing)
        self.migration = MigrationId("", 0)
        self.edges: dict[tuple[MigrationId, MigrationId], Edge] = {}
        self.users: dict[Life, dict[str, tuple[MigrationId, Effect]]] = {}
        self.uses: list[tuple[Key, Effect, Life | None]] = []
        #: By the object that was let go: who did it, the last one of each domain, and what let go.
        self.let_go: dict[Life, dict[str, tuple[MigrationId, Life]]] = {}

    def begin(self, migration: MigrationId) -> None:
        """The next entry of the log."""
        self.migration = migration
        self.uses = []
        self.holds.begin()

    def used(self, life: Life, effect: Effect) -> None:
        self.uses.append((life.key, effect, life))
        self._edge(life.maker, phrase(life.key, effect), effect.soft)
        # Soft ones too: the columns of a query are such, and along a log nothing can close a cycle.
        self.users.setdefault(life, {})[self.migration.domain] = (self.migration, effect)
        self.holds.used(life, effect)

    def made(self, life: Life, effect: Effect, over: Life | None) -> None:
        if life.key[0] not in PARTS:
            death = self.model.death([life.key])
            if death is not None:
                self._edge(death.by, f"{show(life.key)} is dropped or renamed before it is made again")
        old = self.holds.made(life, effect)
        if old is not None and old in self.let_go:
            self.let_go[life] = self.let_go.pop(old)

    def changed(self, life: Life, effect: Effect) -> None:
        if effect.action is not Action.MAKE:
            self.used(life, effect)
        self.holds.changed(life, effect)

    def ended(self, life: Life, effect: Effect, cascaded: bool) -> None:
        if not cascaded:
            self.uses.append((life.key, effect, life))
        self._edge(life.maker, phrase(life.key, effect))
        for user, how in self.users.pop(life, {}).values():
            self._edge(user, f"{phrase(life.key, how)} before it is dropped or renamed", how.soft)
        self.holds.ended(life, effect)

    def missing(self, effect: Effect, keys: list[Key], death: Death | None) -> None:
        if keys[0][0] in PARTS:
            self.uses.append((keys[0], effect, None))

    def opaque(self, effect: Effect) -> None:
        """Nothing is known."""

    def _losing(self, life: Life, gone: bool) -> None:
        """After those that let go of it; and it may let go of what it rests on itself."""
        for by, holder in self.let_go.get(life, {}).values():
            self._edge(by, f"{show(holder.key)} lets go of {show(life.key)} before that is changed")
        for borne in self.holds.rests.get(life, ()):
            self.let_go.setdefault(borne, {})[self.migration.domain] = (self.migration, life)

    def _edge(self, before: MigrationId, reason: str, soft: bool = False) -> None:
        after = self.migration
        if before.domain == after.domain:
            return
        known = self.edges.get((before, after))
        if known is None or (known.soft and not soft):
            self.edges[before, after] = Edge(before, after, reason, None, soft)


def replay(log: Sequence[LogEntry]) -> Replay:
    """Replay a whole log and resolve each entry's uses at its point."""
    model = Model()
    listener = _Listener(model)
    foreign: dict[MigrationId, tuple[ForeignUse, ...]] = {}
    for entry in log:
        listener.begin(entry.id)
        model.apply(entry.id, entry.effects, listener)
        found = foreign_uses_of(entry.id.domain, listener.uses, lambda _: model)
        if found:
            foreign[entry.id] = found
    return Replay(tuple(listener.edges.values()), foreign)


def foreign_uses(log: Iterable[LogEntry]) -> Mapping[MigrationId, tuple[ForeignUse, ...]]:
    """For each entry of a log its uses of other domains' objects, as they were at its point."""
    return replay(tuple(log)).foreign
