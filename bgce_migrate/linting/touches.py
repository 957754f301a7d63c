"""Replays the whole order and tells, for each judged migration, which object each effect really means."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct, field
from msgspec.structs import replace

from bgce_migrate.effect import FOREIGN_KEY, Action, Effect, ObjectKind
from bgce_migrate.lint.ownership.values import Dependent, Touch
from bgce_migrate.lint.ownership.world import World
from bgce_migrate.migration import MigrationId
from bgce_migrate.order.layer import Death, Life
from bgce_migrate.order.model import Model
from bgce_migrate.order.names import FUNCTION, PARTS, RELATION, SCHEMA, TOP, TYPE, Key, spell
from bgce_migrate.order.record import NUMBERED

_DROPS = (Action.DROP, Action.RENAME)
#: How a dependent of another domain reads in a message, by the effect that made it depend.
_HOW = {
    FOREIGN_KEY: "foreign key of {}",
    "column type": "a column of {}",
    "view": "view {}",
    "materialized view": "materialized view {}",
    "default": "a default of {}",
    "trigger": "a trigger on {}",
    "check": "a check of {}",
    "policy": "a policy of {}",
    "argument": "function {}",
    "result": "function {}",
    "partition": "partition {}",
    "inherits": "child table {}",
}
_BODY = "body of function "
#: Uses that leave nothing behind that could hang on the object.
_PASSING = frozenset({"comment", "grant", "lock", "maintenance", "copy", "create table as", "schema", "", "DO block"})


class _Hanging(Struct):
    """One thing of another domain that hangs on an object."""

    subject: Key | None
    dependent: Dependent


class Replayer(Struct):
    """The `Watch` over one order of all domains."""

    world: World
    settled: frozenset[MigrationId] = frozenset()
    model: Model = field(default_factory=Model)
    touches: list[Touch] = field(default_factory=list)
    _migration: MigrationId | None = None
    _domain: str = ""
    _judged: bool = False
    _hanging: dict[Key, dict[tuple[str, str], _Hanging]] = field(default_factory=dict)
    _subject: tuple[int, Key | None] = (-1, None)
    _effects: Sequence[Effect] = ()

    def run(self, migration: MigrationId, effects: Sequence[Effect], judged: bool) -> tuple[Touch, ...]:
        """Replay one migration; its touches if it is judged."""
        self._migration, self._judged, self._effects = migration, judged, effects
        self._domain = migration.domain
        self._subject = (-1, None)
        self.touches = []
        self.model.apply(migration, effects, self)
        return tuple(self.touches)

    def beside(self, migration: MigrationId, effects: Sequence[Effect]) -> tuple[Touch, ...]:
        """The touches of its down file, right after the up; the replay goes on as if it had not run."""
        model, self.model = self.model, Model(self.model)
        try:
            return self.run(migration, effects, True)
        finally:
            self.model = model

    # -- what the model says -----------------------------------------------------------------------------------

    def used(self, life: Life, effect: Effect) -> None:
        """A live object is used, altered or written."""
        owner = self._owner(life.key, life)
        migration = self._migration
        if migration is not None and owner is not None and owner != migration.domain:
            self._depend(life, effect, migration.domain)
        elif effect.action is Action.WRITE and effect.soft and effect.detail.startswith(_BODY):
            self.world.note_writer(owner or "", life.key[2], effect.detail[len(_BODY) :])
        self._touch(effect, life.key, owner, life)

    def made(self, life: Life, effect: Effect, over: Life | None) -> None:
        """An object begins."""
        kind, schema, name, _ = life.key
        if not self._judged:
            return
        # Most of all that is made: columns and keys of a domain's own tables, which no rule looks at.
        if kind in PARTS and effect.action is Action.MAKE and self.world.table_owner(schema, name) == self._domain:
            return
        self._touch(effect, life.key, self._owner(life.key, life), None)

    def changed(self, life: Life, effect: Effect) -> None:
        """A live object is replaced."""
        self._touch(effect, life.key, self._owner(life.key, life), life, over=True)

    def ended(self, life: Life, effect: Effect, cascaded: bool) -> None:
        """An object is dropped or renamed away."""
        hanging = self._live(life.key)
        if cascaded and self._judged and self.touches:
            self._taken(life)
        elif not cascaded:
            owner = self._owner(life.key, life)
            self._touch(effect, life.key, owner, life, dependents=tuple(h.dependent for h in hanging))
        if effect.action is Action.DROP:
            self._hanging.pop(life.key, None)
        elif effect.to is not None and hanging:
            to = (life.key[0], effect.to.schema or life.key[1], effect.to.name, effect.to.part or "")
            self._hanging[to] = {(h.dependent.what, h.dependent.owner): h for h in hanging}

    def missing(self, effect: Effect, keys: list[Key], death: Death | None) -> None:
        """A name that does not live here."""
        for key in keys:
            owner = self._owner(key, None)
            if owner is not None:
                self._touch(effect, key, owner, None, known=False)
                return
        self._touch(effect, keys[0], None, None, known=False)

    def opaque(self, effect: Effect) -> None:
        """Something cannot be seen through."""
        if self._judged:
            self.touches.append(
                Touch(effect.action, effect.object, None, effect.line, effect.statement, effect.detail, effect.soft)
            )

    # -- whose is it -------------------------------------------------------------------------------------------

    def _owner(self, key: Key, life: Life | None) -> str | None:
        """The domain that declares it, else the one that made it, else the one whose schema it is in."""
        kind, schema, name, _ = key
        if kind == SCHEMA:
            return self.world.schema_owner(name) or (life.owner if life is not None else None)
        if kind in TOP:
            return life.owner if life is not None else None
        if kind not in (FUNCTION, TYPE):
            declared = self.world.table_owner(schema, name)
            if declared is not None:
                return declared
        table = self.model.get((RELATION, schema, name, "")) if kind not in (RELATION, FUNCTION, TYPE) else None
        if table is not None and life is None:
            life = table
        if life is not None:
            return table.owner if table is not None else life.owner
        return self.world.schema_owner(schema)

    # -- what hangs on what ------------------------------------------------------------------------------------

    def _depend(self, life: Life, effect: Effect, domain: str) -> None:
        if effect.soft or effect.detail in _PASSING or effect.action is not Action.USE:
            return
        subject = self._subject_of(effect.statement)
        shown = _shown(subject) if subject is not None else domain
        how = _HOW.get(effect.detail, "{}").format(shown)
        self._hanging.setdefault(life.key, {})[how, domain] = _Hanging(subject, Dependent(how, domain, effect.detail))

    def _subject_of(self, statement: int) -> Key | None:
        """What the statement makes or alters; looked for once a statement."""
        if self._subject[0] != statement:
            self._subject = (statement, self._find_subject(statement))
        return self._subject[1]

    def _find_subject(self, statement: int) -> Key | None:
        altered: Key | None = None
        for effect in self._statement_effects(statement):
            if effect.object.kind.value not in (RELATION, FUNCTION, "trigger"):
                continue
            name = effect.object
            schema = name.schema or (effect.path or ("public",))[0]
            key: Key = (RELATION if name.kind is ObjectKind.TRIGGER else name.kind.value, schema, name.name, "")
            if effect.action in (Action.MAKE, Action.REPLACE):
                return key
            if effect.action is Action.ALTER and altered is None:
                altered = key
        return altered

    def _statement_effects(self, statement: int) -> Iterator[Effect]:
        """The effects of one statement; they stand together, in the order of the file."""
        low, high = 0, len(self._effects)
        while low < high:
            middle = (low + high) // 2
            if self._effects[middle].statement < statement:
                low = middle + 1
            else:
                high = middle
        while low < len(self._effects) and self._effects[low].statement == statement:
            yield self._effects[low]
            low += 1

    def _live(self, key: Key) -> list[_Hanging]:
        """What still hangs on an object."""
        entries = self._hanging.get(key)
        if entries is None:
            return []
        return [e for e in entries.values() if e.subject is None or self.model.get(e.subject) is not None]

    def _taken(self, life: Life) -> None:
        """A cascade took this object along: it belongs to the dependents of what was dropped."""
        owner = self._owner(life.key, life)
        migration = self._migration
        if owner is None or migration is None or owner == migration.domain or life.key[0] in ("column", "key"):
            return
        last = self.touches[-1]
        kind = life.relation_kind or life.key[0]
        dependent = Dependent(f"{kind} {_shown(life.key)}", owner)
        if all(_shown(life.key) not in d.what for d in last.dependents):
            self.touches[-1] = replace(last, dependents=(*last.dependents, dependent))

    # -- keeping -----------------------------------------------------------------------------------------------

    @staticmethod
    def _is_plain(effect: Effect, key: Key) -> bool:
        """What a domain does with its own objects that no rule looks at: most of all that is done."""
        if effect.action is Action.USE:
            return True
        return effect.action is Action.MAKE and (key[0] in PARTS or effect.relation_kind in NUMBERED)

    def _touch(
        self,
        effect: Effect,
        key: Key,
        owner: str | None,
        life: Life | None,
        *,
        known: bool = True,
        over: bool = False,
        dependents: tuple[Dependent, ...] = (),
    ) -> None:
        if not self._judged or (owner == self._domain and self._is_plain(effect, key)):
            return
        hanging = dependents
        if not hanging and effect.action in (*_DROPS, Action.WRITE):
            hanging = tuple(h.dependent for h in self._live(key))
        maker = life.maker if life is not None else None
        self.touches.append(
            Touch(
                effect.action,
                spell(key),
                owner,
                effect.line,
                effect.statement,
                effect.detail,
                effect.soft,
                effect.cascade,
                effect.relation_kind or (life.relation_kind if life is not None else ""),
                known,
                over,
                effect.to,
                hanging,
                fresh=maker == self._migration and maker is not None,
                settled=maker in self.settled,
            )
        )


def _shown(key: Key) -> str:
    schema, name = key[1], key[2]
    return name if schema in ("public", "") else f"{schema}.{name}"

