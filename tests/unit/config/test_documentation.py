"""Every key of the schema is documented, and nothing else is."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args, get_origin, get_type_hints

import msgspec
import pytest

from bgce_migrate.config.schema import BgceToml, DomainToml

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "configuration.md").read_text("utf-8")


def keys(type_: Any, prefix: str = "") -> Iterator[tuple[str, Any, msgspec.structs.FieldInfo]]:
    """Keys of values, e.g. `tables.NAME.columns`, without those of the tables that hold them."""
    hints = get_type_hints(type_)
    for info in msgspec.structs.fields(type_):
        hint, name = hints[info.name], f"{prefix}{info.encode_name}"
        inner = get_args(hint)[-1] if get_origin(hint) in (dict, list) else hint
        if isinstance(inner, type) and issubclass(inner, msgspec.Struct):
            yield from keys(inner, f"{name}.NAME." if get_origin(hint) is dict else f"{name}.")
        else:
            yield name, hint, info


def documented(heading: str) -> dict[str, list[str]]:
    section = PAGE.split(f"## {heading}\n", 1)[1].split("\n## ", 1)[0]
    rows = (re.split(r"(?<!\\)\|", line)[1:-1] for line in section.splitlines() if line.startswith("| `"))
    return {row[0].strip(" `"): [cell.strip() for cell in row[1:]] for row in rows}


@pytest.mark.parametrize(("heading", "type_"), [("bgce.toml", BgceToml), ("domain.toml", DomainToml)])
def test_keys_types_and_defaults(heading: str, type_: Any) -> None:
    rows = documented(heading)
    fields = {name: (hint, info) for name, hint, info in keys(type_)}
    assert list(rows) == list(fields)
    for name, (hint, info) in fields.items():
        kind, default, meaning = rows[name]
        assert meaning
        assert (default == "required") == info.required, name
        if info.default not in (msgspec.NODEFAULT, msgspec.UNSET, None):
            assert default == f"`{json.dumps(info.default)}`", name
        elif info.default_factory is not msgspec.NODEFAULT:
            assert default == f"`{info.default_factory()}`".replace("'", '"'), name
        elif info.default is None:
            assert not default.startswith("`") or name == "services.login", name
        if get_origin(hint) is list:
            assert kind == "list of strings", name
        if get_origin(hint) is dict:
            assert kind.startswith("table of"), name
