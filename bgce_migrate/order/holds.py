"""What rests on what: a view on its tables, a key on the table it refers to."""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct, field

from bgce_migrate.effect import Action, Effect
from bgce_migrate.order.layer import Life
from bgce_migrate.order.model import Model
from bgce_migrate.order.names import PARTS, RELATION


class Holds(Struct):
    """Which whole objects may rest on which: these cannot go before those have let go of them.

    It listens beside another `Watch`, which passes on what it hears.

    Attributes:
        losing: called with a whole object that is dropped or changed, or loses a part; True if it loses something.
    """

    model: Model
    losing: Callable[[Life, bool], None]
    rests: dict[Life, set[Life]] = field(default_factory=dict)
    _bears: dict[Life, set[Life]] = field(default_factory=dict)
    _statement: int = -1
    _made: list[Life] = field(default_factory=list)
    _named: list[Life] = field(default_factory=list)
    _renamed: Life | None = None

    def begin(self) -> None:
        """The next migration."""
        self._statement = -1

    def used(self, life: Life, effect: Effect) -> None:
        """A statement names `life`: what it makes may rest on it."""
        whole = self._whole(life)
        if effect.action is Action.ALTER:
            self.losing(whole, False)
        elif not effect.soft:
            self._at(effect)
            self._named.append(whole)
            for holder in self._made:
                self._rest(holder, whole)

    def made(self, life: Life, effect: Effect) -> Life | None:
        """A statement makes `life`. Returns what it was called before, if that is a new name."""
        if effect.action is Action.RENAME:
            old, self._renamed = self._renamed, None
            if old is not None:
                self._rename(old, life)
            return old
        self._at(effect)
        whole = self._whole(life)
        if whole not in self._made:
            self._made.append(whole)
            for named in self._named:
                self._rest(whole, named)
        return None

    def changed(self, life: Life, effect: Effect) -> None:
        """A statement makes `life` anew, or a part of it."""
        self.losing(self._whole(life), False)
        self.made(life, effect)

    def ended(self, life: Life, effect: Effect) -> None:
        """A statement drops `life` or gives it another name."""
        renaming = effect.action is Action.RENAME
        if life.key[0] not in PARTS:
            self._renamed = life if renaming else None
        self.losing(self._whole(life), not renaming)

    def _whole(self, life: Life) -> Life:
        kind, schema, name, _ = life.key
        return (self.model.get((RELATION, schema, name, "")) or life) if kind in PARTS else life

    def _rename(self, old: Life, new: Life) -> None:
        """An object keeps what it rests on, and what rests on it."""
        for there, back in ((self.rests, self._bears), (self._bears, self.rests)):
            for other in there.pop(old, ()):
                back[other].discard(old)
                back[other].add(new)
                there.setdefault(new, set()).add(other)

    def _at(self, effect: Effect) -> None:
        if effect.statement != self._statement:
            self._statement, self._made, self._named = effect.statement, [], []

    def _rest(self, holder: Life, borne: Life) -> None:
        if holder is not borne:
            self.rests.setdefault(holder, set()).add(borne)
            self._bears.setdefault(borne, set()).add(holder)
