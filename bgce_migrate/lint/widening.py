"""What a change of a column's type costs: nothing, a rewrite, or it depends on the session's time zone."""

from __future__ import annotations

from bgce_migrate.lint.facts.values import Type

_TEXTS = frozenset({"text", "varchar"})
_ROOM = {"int2": 1, "int4": 2, "int8": 3, "float4": 4, "float8": 5}
_PRECISIONS = frozenset({"timestamp", "timestamptz", "time", "timetz", "interval"})
_FULL = 6


def is_free(old: Type, new: Type) -> bool | None:
    """Whether the server leaves the table's rows alone; None if the session's time zone decides."""
    if (old.schema, old.name, old.array) == (new.schema, new.name, new.array):
        return _same_kind(old, new)
    if old.schema or new.schema or old.array or new.array:
        return False
    pair = {old.name, new.name}
    if pair == {"timestamp", "timestamptz"}:
        return None if _precision(new) >= _precision(old) else False
    if pair <= _TEXTS:
        return new.name == "text" or not new.mods or (bool(old.mods) and new.mods[0] >= old.mods[0])
    if pair == {"bit", "varbit"}:
        return False
    return (old.name, new.name) == ("cidr", "inet")


def _same_kind(old: Type, new: Type) -> bool:
    if old.mods == new.mods or not new.mods:
        return True if old.name not in ("bpchar", "bit") else old.mods == new.mods
    if old.name in ("varchar", "varbit"):
        return bool(old.mods) and new.mods[0] >= old.mods[0]
    if old.name == "numeric":
        return bool(old.mods) and new.mods[0] >= old.mods[0] and _scale(old) == _scale(new)
    if old.name in _PRECISIONS:
        return _precision(new) >= _precision(old)
    return False


def _scale(kind: Type) -> int:
    return kind.mods[1] if len(kind.mods) > 1 else 0


def _precision(kind: Type) -> int:
    return kind.mods[0] if kind.mods else _FULL


def narrows(old: Type, new: Type) -> bool:
    """Whether values that fit the old type may not fit the new one."""
    if old.name in _TEXTS | {"bpchar"} and new.name in _TEXTS | {"bpchar"}:
        return bool(new.mods) and (not old.mods or new.mods[0] < old.mods[0])
    if old.name in _ROOM and new.name in _ROOM:
        return _ROOM[new.name] < _ROOM[old.name]
    if old.name == new.name == "numeric":
        if not new.mods:
            return False
        if not old.mods:
            return True
        return new.mods[0] - _scale(new) < old.mods[0] - _scale(old) or _scale(new) < _scale(old)
    return (old.name, new.name) in {("inet", "cidr"), ("timestamp", "date"), ("timestamptz", "date")}
