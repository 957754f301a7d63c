"""The shipped domains' SQL on a real server: running the files, reading tables back from the catalog."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import tomli

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True)
class Pair:
    """An up file and its down file."""

    domain: str
    up: Path
    down: Path

    def __str__(self) -> str:
        return f"{self.domain}/{self.up.name.removesuffix('.up.sql')}"


def domain_names() -> list[str]:
    """The domains of `bgce.toml`, in the order of their ranks."""
    project = tomli.loads((ROOT / "bgce.toml").read_text(encoding="utf-8"))["project"]
    return [Path(folder).name for folder in project["domains"]]


def declaration(domain: str) -> dict[str, Any]:
    """A domain's `domain.toml` as it stands there."""
    return tomli.loads((ROOT / "migrations" / domain / "domain.toml").read_text(encoding="utf-8"))


def pairs(domain: str) -> list[Pair]:
    """The migrations of one domain, lowest version first."""
    ups = sorted((ROOT / "migrations" / domain).glob("*.up.sql"))
    return [Pair(domain, up, up.with_name(up.name.replace(".up.sql", ".down.sql"))) for up in ups]


def all_pairs() -> list[Pair]:
    """The migrations of all domains, in an order in which they can run."""
    return [pair for domain in domain_names() for pair in pairs(domain)]


def run(connection: Connection, file: Path) -> None:
    """Run a file as one transaction, as a step does."""
    with connection.transaction():
        connection.execute(file.read_bytes())


_TYPES = {
    "character varying": "varchar",
    "timestamp with time zone": "timestamptz",
}

_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
       pg_get_expr(d.adbin, d.adrelid)
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace
ORDER BY c.relname, a.attnum
"""

_CONSTRAINTS = """
SELECT c.relname, k.conname, k.contype, k.confdeltype, k.confrelid::regclass::text, k.condeferrable,
       k.confupdtype, pg_get_constraintdef(k.oid),
       ARRAY(SELECT a.attname::text FROM unnest(k.conkey) WITH ORDINALITY u(n, i)
             JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = u.n ORDER BY u.i)
FROM pg_constraint k
JOIN pg_class c ON c.oid = k.conrelid
WHERE c.relnamespace = 'public'::regnamespace AND k.contype IN ('p', 'u', 'f', 'c')
ORDER BY c.relname, k.conname
"""

# Without the indexes behind constraints.
_INDEXES = """
SELECT c.relname, i.relname, am.amname, x.indisunique, pg_get_expr(x.indpred, x.indrelid),
       ARRAY(SELECT pg_get_indexdef(x.indexrelid, n, true)
                    || CASE WHEN x.indoption[n - 1] & 1 = 1 THEN ' desc' ELSE '' END
             FROM generate_series(1, x.indnkeyatts) n)
FROM pg_index x
JOIN pg_class c ON c.oid = x.indrelid
JOIN pg_class i ON i.oid = x.indexrelid
JOIN pg_am am ON am.oid = i.relam
WHERE c.relnamespace = 'public'::regnamespace
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = x.indexrelid AND k.contype IN ('p', 'u'))
ORDER BY c.relname, i.relname
"""

_TRIGGERS = """
SELECT tgrelid::regclass::text, tgname, pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal ORDER BY 1, 2
"""

_ON_DELETE = {"a": "", "c": " cascade", "n": " set null", "r": " restrict", "d": " set default"}


@dataclass
class TableFacts:
    """A table of the catalog in the notation of `expected_tables.toml`, and the names of its parts."""

    columns: list[str]
    unique: dict[str, str]
    keys: dict[str, str]
    checks: dict[str, str]
    indexes: dict[str, str]
    triggers: dict[str, str]
    primary: str = ""


def _column(name: str, kind: str, required: bool, identity: str, default: str | None) -> str:
    for long, short in _TYPES.items():
        kind = kind.replace(long, short)
    text = f"{name} {kind}{'!' if required else ''}"
    if identity:
        return f"{text} =identity" + (" always" if identity == "a" else "")
    return f"{text} ={re.sub(r'::character varying$', '', default)}" if default is not None else text


def _constraints(connection: Connection, facts: dict[str, TableFacts]) -> None:
    for table, name, kind, on_delete, parent, deferrable, on_update, text, columns in connection.execute(
        _CONSTRAINTS
    ):
        assert not deferrable, name
        listed = ", ".join(columns)
        if kind == "p":
            facts[table].primary = f"{name} ({listed})"
        elif kind == "u":
            facts[table].unique[name] = listed
        elif kind == "f":
            assert text.split(" ON ")[0].endswith(f"REFERENCES {parent}(id)"), text
            assert on_update == "a", text
            facts[table].keys[name] = f"{listed} -> {parent}{_ON_DELETE[on_delete]}"
        else:
            facts[table].checks[name] = text.removeprefix("CHECK ").strip("()")


def read_tables(connection: Connection) -> dict[str, TableFacts]:
    """Every table of `public`, by name."""
    facts: dict[str, TableFacts] = {}
    for table, *column in connection.execute(_COLUMNS):
        facts.setdefault(table, TableFacts([], {}, {}, {}, {}, {})).columns.append(_column(*column))
    _constraints(connection, facts)
    for table, name, method, unique, predicate, columns in connection.execute(_INDEXES):
        text = (
            ("unique " if unique else "") + ("" if method == "btree" else f"{method} ") + ", ".join(columns)
        )
        where = f" where {predicate.strip('()').lower()}" if predicate else ""
        facts[table].indexes[name] = text + where
    for table, name, text in connection.execute(_TRIGGERS):
        facts[table].triggers[name] = text
    return facts


def leading_columns(table: TableFacts) -> Iterator[list[str]]:
    """The columns of every full index of a table, those behind constraints included."""
    yield re.findall(r"\((.*)\)", table.primary)[0].split(", ")
    for listed in table.unique.values():
        yield listed.split(", ")
    for index in table.indexes.values():
        if " where " not in index and not index.startswith("gin "):
            yield [column.split()[0] for column in index.removeprefix("unique ").split(", ")]
