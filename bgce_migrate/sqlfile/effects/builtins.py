"""Names that PostgreSQL itself brings: never part of the order."""

from __future__ import annotations

from importlib.resources import files


def _names(file: str) -> frozenset[str]:
    text = files("bgce_migrate.sqlfile.effects").joinpath(file).read_text(encoding="ascii")
    return frozenset(text.split())


FUNCTIONS = _names("builtin_functions.txt")
RELATIONS = _names("builtin_relations.txt")
TYPES = _names("builtin_types.txt")
#: Not types but spellings of an integer column with a sequence.
SERIALS = frozenset({"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"})
SCHEMAS = frozenset({"pg_catalog", "information_schema", "pg_toast"})
SYSTEM_COLUMNS = frozenset({"ctid", "xmin", "xmax", "cmin", "cmax", "tableoid", "oid"})


def is_foreign_to_order(schema: str | None) -> bool:
    """Whether a schema's objects are never made by migrations: the catalogs and temporary ones."""
    return schema is not None and (schema in SCHEMAS or schema.startswith("pg_temp"))
