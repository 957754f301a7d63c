"""Our static SQL: named, described blocks of `db/sql/*.sql` as a mapping from name to text."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache
from importlib import resources

_NAME = re.compile(r"^-- name: (\w+)\n", re.MULTILINE)


@cache
def load(file: str) -> dict[str, str]:
    """The blocks of `sql/<file>.sql` by name, descriptions left out at the top of each."""
    text = resources.files("bgce_migrate.db").joinpath("sql").joinpath(f"{file}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)[1:]
    return {name: body.strip() for name, body in zip(parts[::2], parts[1::2], strict=True)}


def array(values: Iterable[str]) -> str:
    """A text[] as PostgreSQL reads it, for a parameter."""
    items = tuple(values)
    if not items:
        return "{}"
    # No value has a NUL, so that all are quoted in one go: a step hands over some twenty settings.
    quoted = "\0".join(items).replace("\\", "\\\\").replace('"', '\\"').replace("\0", '","')
    return f'{{"{quoted}"}}'
