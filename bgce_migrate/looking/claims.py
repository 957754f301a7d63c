"""Which objects several domains make or change, and what each domain leaves behind."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from msgspec import Struct, field

from bgce_migrate.effect import Action, Effect
from bgce_migrate.looking.model import Claim
from bgce_migrate.migration import MigrationId
from bgce_migrate.order.layer import Death, Life
from bgce_migrate.order.model import Model
from bgce_migrate.order.names import PARTS, RELATION, TOP, Key, show
from bgce_migrate.order.record import NUMBERED
from bgce_migrate.order.values import LogEntry

_VERBS = {
    Action.MAKE: "makes", Action.REPLACE: "makes", Action.ALTER: "alters", Action.DROP: "drops",
    Action.RENAME: "renames", Action.WRITE: "writes rows of",
}  # fmt: skip
#: By domain and verb the first migration that does it.
_Done = dict[str, dict[str, MigrationId]]


class Claims(Struct):
    """The `Watch` over one order of all domains."""

    model: Model = field(default_factory=Model)
    done: dict[Key, _Done] = field(default_factory=dict)
    kinds: dict[Key, str] = field(default_factory=dict)
    _migration: MigrationId = MigrationId("", 0)

    @staticmethod
    def over(log: Iterable[LogEntry]) -> Claims:
        """Replay a whole order."""
        claims = Claims()
        for entry in log:
            claims._migration = entry.id
            claims.model.apply(entry.id, entry.effects, claims)
        return claims

    def several(self) -> tuple[Claim, ...]:
        """Objects that more than one domain makes, or that one makes and another changes; two makers first."""
        found = [
            Claim(
                self.kinds.get(key, key[0]),
                show(key),
                {domain: tuple(verbs.items()) for domain, verbs in by_domain.items()},
            )
            for key, by_domain in self.done.items()
            if len(by_domain) > 1
        ]
        return tuple(sorted(found, key=lambda c: (-len(c.makers), c.name)))

    def tables(self) -> Mapping[str, int]:
        """How many tables of each domain live at the end."""
        lives = (life for life in self.model.live.values() if life is not None)
        return Counter(life.owner for life in lives if life.key[0] == RELATION and life.relation_kind == "table")

    # -- what the model says -----------------------------------------------------------------------------------

    def used(self, life: Life, effect: Effect) -> None:
        """Reading is no claim; altering and writing is."""
        if effect.action in (Action.ALTER, Action.WRITE) and not effect.soft:
            self._note(life.key, effect, life.owner)

    def made(self, life: Life, effect: Effect, over: Life | None) -> None:
        """An object begins, or a part of one."""
        if life.relation_kind not in NUMBERED and effect.action is not Action.RENAME:
            self._note(life.key, effect, life.owner)

    def changed(self, life: Life, effect: Effect) -> None:
        """A live object is replaced."""
        self._note(life.key, effect, life.owner)

    def ended(self, life: Life, effect: Effect, cascaded: bool) -> None:
        """What goes by itself with something else is nobody's claim."""
        if not cascaded and life.relation_kind not in NUMBERED:
            self._note(life.key, effect, life.owner)

    def missing(self, effect: Effect, keys: list[Key], death: Death | None) -> None:
        """Nothing is there to claim."""

    def opaque(self, effect: Effect) -> None:
        """Nothing is known."""

    def _note(self, key: Key, effect: Effect, owner: str) -> None:
        kind, schema, name, _ = key
        if kind in TOP:
            return
        mine, verb = self._migration, _VERBS[effect.action]
        if kind in PARTS:
            key = (RELATION, schema, name, "")
            table = self.model.get(key)
            if table is None or table.owner == mine.domain:
                return
            verb, owner = "alters", table.owner
        life = self.model.get(key)
        if key not in self.kinds or effect.action is Action.MAKE:
            self.kinds[key] = (life.relation_kind if life is not None else effect.relation_kind) or kind
        if verb != "makes" and owner == mine.domain:
            return
        self.done.setdefault(key, {}).setdefault(mine.domain, {}).setdefault(verb, mine)
