"""A layer of live and dead names: the log's, or a domain's own new chain over it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from msgspec import Struct

from bgce_migrate.effect import Name
from bgce_migrate.migration import MigrationId
from bgce_migrate.order.names import COLUMN, FLAT, KEY, PARTS, PUBLIC, RELATION, Key, possible_keys


class Life(Struct, eq=False):
    """One life of one name: from the migration that makes it to the one that drops or renames it."""

    key: Key
    maker: MigrationId
    owner: str
    relation_kind: str = ""
    detail: str = ""

    def __repr__(self) -> str:
        return f"<{'.'.join(p for p in self.key if p)} by {self.maker.short}>"


class Death(Struct, frozen=True):
    """How a name ended. `to` is the new key after a rename; `cascaded` if nobody named it."""

    by: MigrationId
    clock: int
    to: Key | None = None
    cascaded: bool = False


class Layer:
    """Names, and what hangs on what, with a finished layer below that stays as it is."""

    def __init__(self, below: Layer | None = None) -> None:
        self.below = below
        self.live: dict[Key, Life | None] = {}
        self.dead: dict[Key, Death] = {}
        self.primary: dict[tuple[str, str], tuple[str, ...]] = {}
        self.clock: int = below.clock if below else 0
        self.opaque_at: int = below.opaque_at if below else -1
        #: The table whose parts are being made, so that it is not looked up for each.
        self.last_made: tuple[str, str] | None = None
        #: Argument types of the live functions of a name; "?" stands for one whose types are not known.
        self._signatures: dict[Key, frozenset[str]] = {}
        self._parts: dict[tuple[str, str], list[Key]] = {}
        self._in_schema: dict[str, list[Key]] = {}
        self._dependents: dict[Life, list[Life]] = {}

    def get(self, key: Key) -> Life | None:
        """The life of exactly this key, or None."""
        if key in self.live:
            return self.live[key]
        return self.below.live.get(key) if self.below is not None else None

    def find(self, name: Name, path: tuple[str, ...]) -> Life | None:
        """What `name` means under the search path `path`, or None."""
        kind: str = name.kind._value_
        schema = name.schema
        if kind not in FLAT:
            for key in possible_keys(name, path):
                life = self.get(key)
                if life is not None:
                    return life
            return None
        part = name.part or ""
        for home in path or PUBLIC if schema is None else (schema,):
            key = (kind, home, name.name, part)
            if key in self.live:
                life = self.live[key]
            else:
                life = self.below.live.get(key) if self.below is not None else None
            if life is not None:
                return life
        return None

    def death(self, keys: Iterable[Key]) -> Death | None:
        """The last death of the first of `keys` that ever died."""
        for key in keys:
            death = self.dead.get(key) or (self.below.dead.get(key) if self.below else None)
            if death is not None:
                return death
        return None

    def certain(self, death: Death) -> bool:
        """False if the name may live again: cascades are estimated, and opaque SQL came since."""
        return not death.cascaded and death.clock >= self.opaque_at

    def columns(self, schema: str, table: str) -> tuple[str, ...]:
        """The columns that are known to live, in the order in which they were made."""
        seen = dict.fromkeys(key[3] for key in self._part_keys(schema, table) if key[0] == COLUMN)
        return tuple(c for c in seen if self.get((COLUMN, schema, table, c)) is not None)

    def primary_key(self, schema: str, table: str) -> tuple[str, ...] | None:
        """The primary key's columns, sorted, or those of the only unique key; None if not known."""
        known = self.primary.get((schema, table))
        if known is None and self.below is not None:
            known = self.below.primary.get((schema, table))
        if known is None:
            keys = {k for k in self._part_keys(schema, table) if k[0] == KEY and self.get(k) is not None}
            known = tuple(keys.pop()[3].split(",")) if len(keys) == 1 else None
        return known

    def _bury(self, key: Key, death: Death) -> None:
        self._forget(key)
        self.dead[key] = death

    def _forget(self, key: Key) -> None:
        if self.below is None:
            self.live.pop(key, None)
        else:
            self.live[key] = None

    def signatures(self, key: Key) -> frozenset[str]:
        """The argument types under which a function lives."""
        known = self._signatures.get(key)
        if known is None and self.below is not None:
            known = self.below._signatures.get(key)
        return known or frozenset()

    def _overload(self, key: Key, signature: str | None) -> None:
        self._signatures[key] = self.signatures(key) | {"?" if signature is None else signature}

    def _outlives(self, key: Key, signature: str | None) -> bool:
        """Take one overload away; True if others are left (or may be)."""
        known = self.signatures(key)
        left = frozenset() if signature is None or len(known) == 1 else known - {signature}
        self._signatures[key] = left
        return bool(left)

    def _part_keys(self, schema: str, name: str) -> Iterator[Key]:
        if self.below is not None:
            yield from self.below._part_keys(schema, name)
        yield from self._parts.get((schema, name), ())

    def _keys_in(self, schema: str) -> list[Key]:
        below = self.below._keys_in(schema) if self.below is not None else []
        return [*below, *self._in_schema.get(schema, ())]

    def _drop_parts(self, schema: str, name: str) -> None:
        """Forget columns, keys and triggers of a relation that ends or moves."""
        for key in list(self._part_keys(schema, name)):
            self._forget(key)
        self._parts.pop((schema, name), None)
        self.primary.pop((schema, name), None)

    def _hanging_on(self, life: Life) -> Iterator[Life]:
        if self.below is not None:
            yield from self.below._hanging_on(life)
        yield from self._dependents.get(life, ())

    def _begin(self, life: Life) -> None:
        kind, schema, name, part = key = life.key
        self.live[key] = life
        if kind in PARTS:
            parts = self._parts.get((schema, name))
            if parts is None:
                self._parts[schema, name] = [key]
            else:
                parts.append(key)
            if kind == KEY and "primary" in life.detail:
                self.primary[schema, name] = tuple(part.split(","))
        elif schema != "public":
            self._in_schema.setdefault(schema, []).append(key)

    def where_missing(self, name: Name, path: tuple[str, ...]) -> list[Key]:
        """The keys that a name which does not live may have; a part of a live relation has only one."""
        keys = possible_keys(name, path)
        if len(keys) > 1 and keys[0][0] in PARTS:
            housed = [key for key in keys if self.get((RELATION, key[1], key[2], "")) is not None]
            return housed[:1] or keys
        return keys
