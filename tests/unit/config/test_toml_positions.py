"""The scanner of lines agrees with the parser on every key, and ends on any text."""

from __future__ import annotations

from typing import Any

import tomli
from hypothesis import given
from hypothesis import strategies as st

from bgce_migrate.config.toml_positions import positions

TEXT = '''\
# [comment]
title = "a # b [c]"
"quoted key" = 1
dotted.key.path = true

[tables.users.columns]
email = "contact"

[tables]
x = { a = 1, b = [
  2,  # two
  3,
] }
long = """
[not.a.table]
key = 1
"""
literal = \'\'\'
'' = 2\'\'\'

[[services]]
name = "one"

[[services]]
name = "two"
[services.inner]
k = [[1, 2], [{ deep = 1 }]]
'''


def paths(value: Any, at: tuple[str | int, ...] = ()) -> set[tuple[str | int, ...]]:
    out = {at} if at else set()
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, inner in items:
        out |= paths(inner, (*at, key))
    return out


def test_every_key_of_the_parser_is_found() -> None:
    found = positions(TEXT)
    assert paths(tomli.loads(TEXT)) <= set(found.lines)


def test_lines() -> None:
    found = positions(TEXT)
    for path, wanted in {
        ("title",): "title =",
        ("quoted key",): '"quoted key"',
        ("dotted", "key", "path"): "dotted.key",
        ("tables", "users", "columns", "email"): "email =",
        ("tables", "x", "b", 1): "  3,",
        ("services", 1, "name"): 'name = "two"',
        ("services", 1, "inner", "k", 1, 0, "deep"): "k =",
    }.items():
        line = found.line(path)
        assert line is not None
        assert TEXT.splitlines()[line - 1].startswith(wanted)


def test_an_unknown_key_has_the_line_of_what_holds_it() -> None:
    found = positions(TEXT)
    assert found.line(("tables", "x", "nothing")) == found.line(("tables", "x"))
    assert found.line(("nothing",)) is None


def test_spans_hold_the_values() -> None:
    found = positions(TEXT)
    for path, (start, end) in found.spans.items():
        value: Any = tomli.loads(TEXT)
        for part in path:
            value = value[part]
        assert tomli.loads(f"v = {TEXT[start:end]}")["v"] == value


@given(st.text(alphabet="ab.=[]{}\"'#\n ,1\\", max_size=200))
def test_it_ends_on_any_text(text: str) -> None:
    positions(text)
