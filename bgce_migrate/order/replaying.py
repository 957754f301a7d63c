"""What a settled log says about itself: who used whose objects, and what had to come before what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from bgce_migrate.migration import Action, Edge, Effect, ForeignUse, MigrationId
from bgce_migrate.order.foreign import foreign_uses_of
from bgce_migrate.order.layer import Death, Life
from bgce_migrate.order.model import Model
from bgce_migrate.order.names import PARTS, RELATION, Key, show
from bgce_migrate.order.values import LogEntry
from bgce_migrate.order.wording import phrase


@dataclass(frozen=True, slots=True)
class Replay:
    """Edges between migrations of different domains, and each migration's foreign uses."""

    edges: tuple[Edge, ...]
    foreign: Mapping[MigrationId, tuple[ForeignUse, ...]]


@dataclass(slots=True)
class _Holds:
    """Which whole objects may rest on which, so that these cannot go, or change, before those let go of them."""

    model: Model
    rests: dict[Life, set[Life]] = field(default_factory=dict)
    bears: dict[Life, set[Life]] = field(default_factory=dict)
    #: By the object that was let go: who did it, the last one of each domain, and what let go.
    let_go: dict[Life, dict[str, tuple[MigrationId, Life]]] = field(default_factory=dict)
    _statement: int = -1
    _made: list[Life] = field(default_factory=list)
    _named: list[Life] = field(default_factory=list)

    def whole(self, life: Life) -> Life:
        """The table of a part; anything else is whole."""
        kind, schema, name, _ = life.key
        return (self.model.get((RELATION, schema, name, "")) or life) if kind in PARTS else life

    def begin(self) -> None:
        """The next migration."""
        self._statement = -1

    def name(self, life: Life, effect: Effect) -> None:
        """A statement names `life`: what it makes may rest on it."""
        self._at(effect)
        self._named.append(life)
        for holder in self._made:
            self._rest(holder, life)

    def make(self, life: Life, effect: Effect) -> None:
        """A statement makes `life` or a part of it."""
        self._at(effect)
        if life in self._made:
            return
        self._made.append(life)
        for named in self._named:
            self._rest(life, named)

    def release(self, holder: Life, by: MigrationId) -> None:
        """`holder` is dropped or changed: it may let go of all that it rests on."""
        for borne in self.rests.get(holder, ()):
            self.let_go.setdefault(borne, {})[by.domain] = (by, holder)

    def rename(self, old: Life, new: Life) -> None:
        """An object keeps what it rests on, and what rests on it."""
        for there, back in ((self.rests, self.bears), (self.bears, self.rests)):
            for other in there.pop(old, ()):
                back[other].discard(old)
                back[other].add(new)
                there.setdefault(new, set()).add(other)
        if old in self.let_go:
            self.let_go[new] = self.let_go.pop(old)

    def _at(self, effect: Effect) -> None:
        if effect.statement != self._statement:
            self._statement, self._made, self._named = effect.statement, [], []

    def _rest(self, holder: Life, borne: Life) -> None:
        if holder is not borne:
            self.rests.setdefault(holder, set()).add(borne)
            self.bears.setdefault(borne, set()).add(holder)


@dataclass(slots=True)
class _Listener:
    """Follows one log; `edges` are keyed by pair so that each is kept once with its first reason."""

    model: Model
    holds: _Holds
    migration: MigrationId
    edges: dict[tuple[MigrationId, MigrationId], Edge] = field(default_factory=dict)
    users: dict[Life, dict[str, tuple[MigrationId, Effect]]] = field(default_factory=dict)
    uses: list[tuple[Key, Effect, Life | None]] = field(default_factory=list)
    _renamed: Life | None = None

    def used(self, life: Life, effect: Effect) -> None:
        self.uses.append((life.key, effect, life))
        self._edge(life.maker, phrase(life.key, effect), effect.soft)
        # Soft ones too: the columns of a query are such, and along a log nothing can close a cycle.
        self.users.setdefault(life, {})[self.migration.domain] = (self.migration, effect)
        if effect.action is Action.ALTER:
            self._change(self.holds.whole(life))
        elif not effect.soft:
            self.holds.name(self.holds.whole(life), effect)

    def made(self, life: Life, effect: Effect, over: Life | None) -> None:
        if life.key[0] not in PARTS:
            death = self.model.death([life.key])
            if death is not None:
                self._edge(death.by, f"{show(life.key)} is dropped or renamed before it is made again")
        if self._renamed is not None and effect.action is Action.RENAME:
            self.holds.rename(self._renamed, life)
            self._renamed = None
        elif effect.action is not Action.RENAME:
            self.holds.make(self.holds.whole(life), effect)

    def changed(self, life: Life, effect: Effect) -> None:
        if effect.action is not Action.MAKE:
            self.used(life, effect)
        self._change(self.holds.whole(life))
        self.holds.make(self.holds.whole(life), effect)

    def ended(self, life: Life, effect: Effect, cascaded: bool) -> None:
        if not cascaded:
            self.uses.append((life.key, effect, life))
        self._edge(life.maker, phrase(life.key, effect))
        for user, how in self.users.pop(life, {}).values():
            self._edge(user, f"{phrase(life.key, how)} before it is dropped or renamed", how.soft)
        if life.key[0] in PARTS:
            self._change(self.holds.whole(life))
        else:
            self._change(life)
            self._renamed = life if effect.action is Action.RENAME else None

    def missing(self, effect: Effect, keys: list[Key], death: Death | None) -> None:
        if keys[0][0] in PARTS:
            self.uses.append((keys[0], effect, None))

    def opaque(self, effect: Effect) -> None:
        """Nothing is known."""

    def _change(self, life: Life) -> None:
        """An object loses something: after those that let go of it, and letting go itself."""
        for by, holder in self.holds.let_go.get(life, {}).values():
            self._edge(by, f"{show(holder.key)} lets go of {show(life.key)} before that is changed")
        self.holds.release(life, self.migration)

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
    listener = _Listener(model, _Holds(model), MigrationId("", 0))
    foreign: dict[MigrationId, tuple[ForeignUse, ...]] = {}
    for entry in log:
        listener.migration = entry.id
        listener.uses = []
        listener.holds.begin()
        model.apply(entry.id, entry.effects, listener)
        found = foreign_uses_of(entry.id.domain, listener.uses, lambda _: model)
        if found:
            foreign[entry.id] = found
    return Replay(tuple(listener.edges.values()), foreign)


def foreign_uses(log: Iterable[LogEntry]) -> Mapping[MigrationId, tuple[ForeignUse, ...]]:
    """For each entry of a log its uses of other domains' objects, as they were at its point."""
    return replay(tuple(log)).foreign
