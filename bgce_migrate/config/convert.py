"""TOML values -> the structs of `schema`, piece by piece, so that one mistake does not hide the next."""

from __future__ import annotations

import types
from functools import cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec.structs import FieldInfo, fields

from bgce_migrate.config.mistakes import Mistakes
from bgce_migrate.config.toml_file import TomlFile
from bgce_migrate.registry.references import KeyPath, did_you_mean, key_text, printable

S = TypeVar("S", bound=msgspec.Struct)

_MISSING = object()
_WORDS: dict[type, str] = {str: "a string", int: "a whole number", bool: "true or false", float: "a number"}


def convert(file: TomlFile, type_: type[S], mistakes: Mistakes) -> S | None:
    """The file's data as a struct; keys with mistakes take their defaults.

    None, beside the recorded mistakes, if a key without default is missing or wrong.
    """
    try:
        # Where nothing is wrong it is done at one go; else once more, to name every mistake.
        return msgspec.convert(file.data, type_, strict=True)
    except msgspec.ValidationError:
        pass
    out = _struct(file.data, type_, (), file, mistakes)
    return None if out is _MISSING else out


@cache
def _keys(type_: type[msgspec.Struct]) -> dict[str, tuple[FieldInfo, Any]]:
    hints = get_type_hints(type_)
    return {info.encode_name: (info, hints[info.name]) for info in fields(type_)}


def _struct(raw: Any, type_: type[msgspec.Struct], path: KeyPath, file: TomlFile, mistakes: Mistakes) -> Any:
    if not isinstance(raw, dict):
        return _wrong(raw, "a table", path, file, mistakes)
    known = _keys(type_)
    values: dict[str, Any] = {}
    for key, value in raw.items():
        if key not in known:
            at = (*path, key)
            mistakes.add(f"{key_text(at)}: unknown key", file.where(at), did_you_mean(key, known))
            continue
        info, hint = known[key]
        converted = _value(value, hint, (*path, key), file, mistakes)
        if converted is not _MISSING:
            values[info.name] = converted
    complete = True
    for key, (info, _) in known.items():
        if info.required and key not in raw:
            mistakes.add(f"{key_text((*path, key))}: missing", file.where(path))
        complete = complete and (not info.required or info.name in values)
    return type_(**values) if complete else _MISSING


def _value(raw: Any, type_: Any, path: KeyPath, file: TomlFile, mistakes: Mistakes) -> Any:
    if isinstance(type_, type) and issubclass(type_, msgspec.Struct):
        return _struct(raw, type_, path, file, mistakes)
    origin = get_origin(type_)
    if origin in (Union, types.UnionType):
        choices = [t for t in get_args(type_) if t not in (type(None), msgspec.UnsetType)]
        fitting = next((t for t in choices if isinstance(raw, get_origin(t) or t)), choices[0])
        return _value(raw, fitting, path, file, mistakes)
    if origin is list:
        if not isinstance(raw, list):
            return _wrong(raw, "a list", path, file, mistakes)
        (item,) = get_args(type_)
        converted = [_value(v, item, (*path, i), file, mistakes) for i, v in enumerate(raw)]
        # A dropped item must not shift the others, or later messages would name the wrong one.
        return converted if _MISSING not in converted else _MISSING
    if origin is dict:
        if not isinstance(raw, dict):
            return _wrong(raw, "a table", path, file, mistakes)
        item = get_args(type_)[1]
        pairs = {k: _value(v, item, (*path, k), file, mistakes) for k, v in raw.items()}
        return {k: v for k, v in pairs.items() if v is not _MISSING}
    try:
        return msgspec.convert(raw, type_, strict=True)
    except msgspec.ValidationError:
        return _wrong(raw, _WORDS.get(type_, str(type_)), path, file, mistakes)


def _wrong(raw: Any, wanted: str, path: KeyPath, file: TomlFile, mistakes: Mistakes) -> Any:
    if isinstance(raw, dict):
        got = "a table"
    elif isinstance(raw, list):
        got = "a list"
    else:
        got = printable(repr(raw))[:60]
    mistakes.add(f"{key_text(path)}: expected {wanted}, got {got}", file.where(path))
    return _MISSING
