"""The queries that read the catalog: all of it, or of some tables, types and routines."""

from __future__ import annotations

import re
from collections.abc import Mapping

from bgce_migrate.db.session import Session

#: Settings that change how the server writes expressions down; a savepoint's end takes them back.
PIN = (
    "SELECT " + ", ".join(
        f"set_config('{name}', '{value}', true)"
        for name, value in {
            "search_path": "pg_catalog, pg_temp",
            "DateStyle": "ISO, YMD",
            "IntervalStyle": "postgres",
            "TimeZone": "UTC",
            "extra_float_digits": "3",
            "bytea_output": "hex",
            "jit": "off",
            "plan_cache_mode": "force_generic_plan",
            "quote_all_identifiers": "off",
        }.items()
    )
)  # fmt: skip

#: Where a query can be held to some OIDs: `/* of c.oid */` becomes a condition on the parameter $2.
_OF = re.compile(r"/\* of ([\w., ]+) \*/")
#: What says more about entries of any kind; asked of all even where only some are read again.
_ALWAYS = ("key_triggers", "comments", "labels")


def of_some(queries: Mapping[str, str]) -> Mapping[str, str]:
    """Those queries that tables, types and routines are read with, held to the OIDs $2, in their order."""
    some = {name: _OF.sub(_condition, text) for name, text in queries.items() if _OF.search(text)}
    return {name: some.get(name, text) for name, text in queries.items() if name in some or name in _ALWAYS}


def _condition(found: re.Match[str]) -> str:
    return f"AND ({' OR '.join(f'{one} = ANY ($2)' for one in found[1].split(', '))})"


def wrapped(query: str) -> str:
    """All rows of a query as one JSON text."""
    return f"SELECT json_agg(x)::text FROM (\n{query}\n) x"


def queries_of(session: Session) -> Mapping[str, str]:
    """All queries by name: what others are a part of, or add facts to, before them."""
    query, version = session.query, session.server_version // 10000
    out = {
        "members": query("catalog", "members"),
        "namespaces": query("catalog", "namespaces"),
        "relations": query("catalog", "relations"),
        "columns": query("catalog", "columns"),
        "sequences": query("catalog", "sequences"),
        "types": query("catalog", "types"),
        "constraints": query("catalog", "constraints"),
        "indexes": query("catalog", "indexes"),
        "triggers": query("catalog", "triggers"),
        "key_triggers": query("catalog", "key_triggers"),
        "policies": query("catalog", "policies"),
        "rules": query("catalog", "rules"),
        "statistics": query("catalog", "statistics"),
        "routines": query("catalog", "routines"),
        "default_privileges": query("catalog", "default_privileges"),
        "extensions": query("catalog_rare", "extensions"),
        "event_triggers": query("catalog_rare", "event_triggers"),
        "publications": query("catalog_rare", "publications"),
        "subscriptions": query("catalog_rare", "subscriptions"),
        "operators": query("catalog_rare", "operators"),
        "operator_families": query("catalog_rare", "operator_families"),
        "operator_classes": query("catalog_rare", "operator_classes"),
        "casts": query("catalog_rare", "casts"),
        "collations": query("catalog_rare", "collations"),
        "conversions": query("catalog_rare", "conversions"),
        "text_search": query("catalog_rare", "text_search"),
        "languages": query("catalog_rare", "languages"),
        "transforms": query("catalog_rare", "transforms"),
        "access_methods": query("catalog_rare", "access_methods"),
        "foreign_data": query("catalog_rare", "foreign_data"),
        "database": query("catalog_rare", "database"),
    }
    if version >= 18:
        out["not_null_names"] = query("catalog", "not_null_names")
    if version >= 15:
        out["publication_tables"] = query("catalog_rare", "publication_tables")
        out["publication_schemas"] = query("catalog_rare", "publication_schemas")
    else:
        out["publication_tables"] = query("catalog_rare", "publication_tables_14")
    out["comments"] = query("catalog", "comments")
    out["labels"] = query("catalog", "labels")
    out["rights"] = query("catalog", "rights")
    return out
