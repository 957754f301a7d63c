"""Tables in which other migration tools keep their books, recognised by shape: their columns, and a name where those are common."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from bgce_migrate.fingerprint.model import ORDER, Catalog, Object

#: Tool -> (pattern of the table's name, columns that it must have, how many more it may have).
_SHAPES: Mapping[str, tuple[str, tuple[str, ...], int]] = MappingProxyType({
    "golang-migrate": (r".*", ("version bigint", "dirty boolean"), 0),
    "goose": (r".*", ("version_id bigint", "is_applied boolean", "tstamp"), 1),
    "dbmate": (r".*schema_migrations", ("version character varying",), 0),
    "Flyway": (r".*", ("installed_rank", "version", "script", "checksum", "installed_by", "success"), 4),
    "Alembic": (r".*", ("version_num character varying",), 0),
    "Django": (r"django_migrations", ("app", "name", "applied"), 1),
    "yoyo": (r"_?yoyo_(migration|log|version|tmp.*|lock)|yoyo_lock", (), 9),
    "Liquibase": (r"databasechangelog(lock)?", (), 20),
    "Atlas": (r"atlas_schema_revisions", ("version", "applied", "total"), 20),
    "Prisma": (r"_prisma_migrations", ("checksum", "migration_name"), 20),
    "Diesel": (r"__diesel_schema_migrations", ("version", "run_on"), 0),
    "sqlx": (r"_sqlx_migrations", ("version", "checksum"), 9),
    "Knex": (r"knex_migrations(_lock)?", (), 9),
    "Sequelize": (r"sequelizemeta", ("name",), 0),
    "TypeORM": (r"(typeorm_)?migrations", ("timestamp", "name"), 1),
    "Entity Framework": (r"__efmigrationshistory", (), 9),
    "Rails": (r"ar_internal_metadata", ("key", "value"), 2),
})  # fmt: skip
#: Tools with a schema of their own.
_SCHEMAS = MappingProxyType({"sqitch": frozenset({"releases", "projects", "changes", "tags", "dependencies", "events"})})


def keeper(catalog: Catalog, table: Object) -> str:
    """The tool whose table this is; empty if nobody's that is known."""
    if table.kind != "table":
        return ""
    schema, _, name = (part.strip('"').lower() for part in table.name.rpartition("."))
    for tool, names in _SCHEMAS.items():
        if schema == tool and name in names:
            return tool
    order = table.facts.get(ORDER)
    columns = order if isinstance(order, tuple) else ()
    for tool, (pattern, wanted, more) in _SHAPES.items():
        fits = len(wanted) <= len(columns) <= len(wanted) + more and re.fullmatch(pattern, name)
        if fits and all(_has(catalog, table, column) for column in wanted):
            return tool
    return ""


def _has(catalog: Catalog, table: Object, wanted: str) -> bool:
    name, _, type_ = wanted.partition(" ")
    column = catalog.objects.get(f"column {table.name}.{name}")
    return column is not None and str(column.facts.get("type", "")).startswith(type_)
