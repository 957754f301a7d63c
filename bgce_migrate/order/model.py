"""Which names live at a point of the log, who made them and who dropped them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from bgce_migrate.effect import Action, Effect
from bgce_migrate.migration import MigrationId
from bgce_migrate.order.layer import Death, Layer, Life
from bgce_migrate.order.names import (
    COLUMN,
    FUNCTION,
    KEY,
    LENIENT,
    PARTS,
    PUBLIC,
    RELATION,
    SCHEMA,
    TOP,
    TRIGGER,
    Key,
    key_of,
)

# Looking up an Enum member through its class is slow in Python 3.10.
_MAKE, _REPLACE, _RENAME, _DROP, _OPAQUE = (
    Action.MAKE,
    Action.REPLACE,
    Action.RENAME,
    Action.DROP,
    Action.OPAQUE,
)
#: Dropped together with the table they belong to, without CASCADE.
_OWNED = frozenset({"index", "sequence"})
#: Nothing hangs on these, and they go with their table.
_SMALL = frozenset({COLUMN, KEY})
_DEPENDENT = frozenset({"view", "matview", "index", "sequence"})


class Watch(Protocol):
    """Hears what each effect means at its point."""

    def used(self, life: Life, effect: Effect) -> None:
        """A name that lives is used, altered or written."""

    def made(self, life: Life, effect: Effect, over: Life | None) -> None:
        """A name begins to live; `over` lived there and ends without a word."""

    def changed(self, life: Life, effect: Effect) -> None:
        """A live object is replaced or overloaded, or perhaps dropped (one of several overloads)."""

    def ended(self, life: Life, effect: Effect, cascaded: bool) -> None:
        """A live name is dropped or renamed away."""

    def missing(self, effect: Effect, keys: list[Key], death: Death | None) -> None:
        """A name that is used, dropped or renamed does not live here; nearest death, if it ever did."""

    def opaque(self, effect: Effect) -> None:
        """Something cannot be seen through."""


class Model(Layer):
    """The names that live after the migrations replayed so far; starts empty, or over a finished one."""

    __slots__ = ()

    def apply(self, migration: MigrationId, effects: Sequence[Effect], watch: Watch | None = None) -> None:
        """Replay one migration's effects in their order."""
        self.clock += 1
        self.last_made = None
        statement = -1
        made: list[Life] = []
        used: list[Effect] = []
        missed: list[Effect] = []
        for effect in effects:
            if effect.statement != statement:
                statement = effect.statement
                if made or missed:
                    self._close(made, used, missed, watch)
                    made, missed = [], []
                if used:
                    used = []
            action = effect.action
            if action is _MAKE and self._make_part(migration, effect, watch):
                continue
            if action is _MAKE or action is _REPLACE:
                life = self._make(migration, effect, watch)
                if life is not None and life.key[0] not in _SMALL:
                    made.append(life)
            elif action is _DROP:
                self._drop(migration, effect, watch)
            elif action is _RENAME:
                self._rename(migration, effect, watch)
            elif action is _OPAQUE:
                self.opaque_at = self.clock
                if watch is not None:
                    watch.opaque(effect)
            else:
                if not effect.soft:
                    used.append(effect)
                if watch is not None:
                    found = self.find(effect.object, effect.path)
                    if found is not None:
                        watch.used(found, effect)
                    else:
                        missed.append(effect)
        if made or missed:
            self._close(made, used, missed, watch)

    def _close(self, made: list[Life], used: list[Effect], missed: list[Effect], watch: Watch | None) -> None:
        """End of a statement: what it made hangs on what it used; a missing name may be its own."""
        dependent = [m for m in made if m.relation_kind in _DEPENDENT or m.key[0] in (TRIGGER, FUNCTION)]
        if dependent:
            pillars = [m for m in made if m.key[0] == RELATION and m.relation_kind not in _DEPENDENT]
            found = (self.find(e.object, e.path) for e in used if e.object.kind._value_ not in PARTS)
            pillars += [life for life in found if life is not None]
            for pillar in pillars:
                self._dependents.setdefault(pillar, []).extend(d for d in dependent if d is not pillar)
        if watch is not None:
            for effect in missed:
                found_now = self.find(effect.object, effect.path)
                if found_now is not None:
                    watch.used(found_now, effect)
                else:
                    keys = self.where_missing(effect.object, effect.path)
                    watch.missing(effect, keys, self.death(keys))

    def _make_part(self, migration: MigrationId, effect: Effect, watch: Watch | None) -> bool:
        """A column or key that comes with its table: most of all effects, so on a short way; False for others."""
        name = effect.object
        kind: str = name.kind._value_
        home = (name.schema, name.name)
        if kind not in _SMALL or self.last_made != home:
            return False
        key = (kind, *home, name.part or "")
        if self.get(key) is not None:
            return False
        life = Life(key, migration, migration.domain, effect.relation_kind, effect.detail)
        self._begin(life)
        if watch is not None:
            watch.made(life, effect, None)
        return True

    def _make(self, migration: MigrationId, effect: Effect, watch: Watch | None) -> Life | None:
        name = effect.object
        kind: str = name.kind._value_
        schema = name.schema or (effect.path or PUBLIC)[0]
        if kind in PARTS and self.last_made != (schema, name.name):
            if self.get((RELATION, schema, name.name, "")) is not None:
                self.last_made = (schema, name.name)
            else:
                self.last_made = None
                schema = self._housing(name.name, effect.path) or schema
        key: Key = (kind, "" if kind in TOP else schema, name.name, name.part or "")
        old = self.get(key)
        if old is not None and (effect.action is _REPLACE or kind in LENIENT):
            if kind == FUNCTION:
                self._overload(key, effect.signature)
            if watch is not None:
                watch.changed(old, effect)
            return None
        life = Life(key, migration, migration.domain, effect.relation_kind, effect.detail)
        self._begin(life)
        if kind == RELATION:
            # The sequence of an identity column comes in the middle of its table's parts.
            if effect.relation_kind not in _OWNED:
                self.last_made = (schema, name.name)
        elif kind == FUNCTION:
            self._overload(key, effect.signature)
        if watch is not None:
            watch.made(life, effect, old)
        return life

    def _housing(self, table: str, path: tuple[str, ...]) -> str | None:
        """The schema of the path in which a table lives."""
        return next((s for s in path if self.get((RELATION, s, table, "")) is not None), None)

    def _drop(self, migration: MigrationId, effect: Effect, watch: Watch | None) -> None:
        life = self.find(effect.object, effect.path)
        if life is None:
            self._lost(migration, effect, None, watch)
        elif life.key[0] == FUNCTION and self._outlives(life.key, effect.signature):
            if watch is not None:
                watch.changed(life, effect)
        else:
            self._end(life, migration, effect, watch)

    def _end(self, life: Life, migration: MigrationId, effect: Effect, watch: Watch | None) -> None:
        """Drop `life` and what goes with it."""
        self.last_made = None
        waiting = [life]
        while waiting:
            dying = waiting.pop()
            if self.get(dying.key) is not dying:
                continue
            self._bury(dying.key, Death(migration, self.clock, None, dying is not life))
            kind, schema, name, _ = dying.key
            if kind == RELATION:
                self._drop_parts(schema, name)
            elif kind == FUNCTION:
                self._signatures[dying.key] = frozenset()
            elif kind == SCHEMA and effect.cascade:
                waiting += [d for d in map(self.get, self._keys_in(name)) if d is not None]
            waiting += [d for d in self._hanging_on(dying) if effect.cascade or d.relation_kind in _OWNED]
            if watch is not None:
                watch.ended(dying, effect, dying is not life)

    def _rename(self, migration: MigrationId, effect: Effect, watch: Watch | None) -> None:
        target = effect.to
        if target is None:
            return
        self.last_made = None
        life = self.find(effect.object, effect.path)
        if life is None:
            keys = self.where_missing(effect.object, effect.path)
            new = key_of(target, target.schema or keys[0][1])
            self._lost(migration, effect, new, watch)
            renamed = Life(new, migration, migration.domain, "", effect.detail)
        else:
            new = key_of(target, target.schema or life.key[1])
            if life.key[0] == RELATION:
                # ALTER TABLE may rename a view: what it is, is what it was.
                new = (RELATION, *new[1:])
            renamed = Life(new, migration, life.owner, life.relation_kind, life.detail)
            if life.key[0] != FUNCTION or not self._outlives(life.key, effect.signature):
                self._bury(life.key, Death(migration, self.clock, new))
                if watch is not None:
                    watch.ended(life, effect, False)
            self._carry(life, renamed, migration)
            if life.key[0] == FUNCTION:
                self._overload(new, effect.signature)
        over = self.get(new)
        self._begin(renamed)
        if watch is not None:
            watch.made(renamed, effect, over)

    def _carry(self, old: Life, new: Life, migration: MigrationId) -> None:
        """Take everything along that hangs on a renamed object."""
        kind, schema, name, _ = old.key
        hanging = list(self._hanging_on(old))
        if hanging:
            self._dependents[new] = hanging
        if kind == RELATION:
            primary = self.primary_key(schema, name)
            if primary is not None:
                self.primary[new.key[1], new.key[2]] = primary
            self._move(self._part_keys(schema, name), new.key[1], new.key[2], migration)
            self._drop_parts(schema, name)
        elif kind == SCHEMA:
            for key in self._keys_in(name):
                if key[0] == RELATION:
                    self._move(self._part_keys(name, key[2]), new.key[2], key[2], migration)
            self._move(self._keys_in(name), new.key[2], None, migration)

    def _move(self, keys: Iterable[Key], schema: str, name: str | None, migration: MigrationId) -> None:
        for key in list(dict.fromkeys(keys)):
            life = self.get(key)
            if life is not None:
                self._forget(key)
                moved: Key = (key[0], schema, key[2] if name is None else name, key[3])
                self._begin(Life(moved, migration, life.owner, life.relation_kind, life.detail))

    def _lost(self, migration: MigrationId, effect: Effect, to: Key | None, watch: Watch | None) -> None:
        """A name is dropped or renamed away that does not live here."""
        keys = self.where_missing(effect.object, effect.path)
        if watch is not None:
            watch.missing(effect, keys, self.death(keys))
        for key in keys:
            if effect.optional:
                self._forget(key)
            else:
                self._bury(key, Death(migration, self.clock, to))
