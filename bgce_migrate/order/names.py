"""Keys of objects: where a name may live, given the search path it was written under."""

from __future__ import annotations

from typing import TypeAlias

from bgce_migrate.effect import Name, ObjectKind

#: kind, schema, name, part ("" for a whole object); plain strings, because hashing an Enum is slow.
Key: TypeAlias = "tuple[str, str, str, str]"

RELATION = ObjectKind.RELATION.value
COLUMN = ObjectKind.COLUMN.value
KEY = ObjectKind.KEY.value
TYPE = ObjectKind.TYPE.value
FUNCTION = ObjectKind.FUNCTION.value
TRIGGER = ObjectKind.TRIGGER.value
SCHEMA = ObjectKind.SCHEMA.value
EXTENSION = ObjectKind.EXTENSION.value

#: Things inside a relation: they come and go with it.
PARTS = frozenset({COLUMN, KEY, TRIGGER})
#: Kinds with one key per schema of the path: no types (which may be relations), nothing without schema.
FLAT = frozenset({RELATION, FUNCTION, *PARTS})
PUBLIC = ("public",)
#: Schemas and extensions have no schema themselves.
TOP = frozenset({SCHEMA, EXTENSION})
#: A second CREATE of a live one is no contradiction: an overload, or a key under another name.
LENIENT = frozenset({FUNCTION, *PARTS})


_KINDS: dict[str, ObjectKind] = {kind.value: kind for kind in ObjectKind}


def key_of(name: Name, schema: str) -> Key:
    """The key of `name` in `schema`."""
    kind: str = name.kind._value_
    return (kind, "" if kind in TOP else schema, name.name, name.part or "")


def possible_keys(name: Name, path: tuple[str, ...]) -> list[Key]:
    """Every key `name` may mean, the preferred one first; a relation is also a type of its name."""
    schemas = (name.schema,) if name.schema is not None else path or PUBLIC
    if name.kind._value_ in TOP:
        schemas = ("",)
    keys = [key_of(name, schema) for schema in schemas]
    if name.kind is ObjectKind.TYPE:
        keys += [(RELATION, key[1], key[2], "") for key in keys]
    return keys


def spell(key: Key) -> Name:
    """The key as a `Name` with its schema."""
    kind, schema, name, part = key
    return Name(_KINDS[kind], name, schema or None, part or None)


def show(key: Key) -> str:
    """The key in words for a message: `table users` is left to the caller, this is `users`."""
    return str(spell(key))
