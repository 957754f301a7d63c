"""golang-migrate's version tables: the SQL that makes, keeps and writes them, and what they say."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from bgce_migrate.db.queries import array
from bgce_migrate.db.session import Session
from bgce_migrate.db.session import sql as query
from bgce_migrate.db.statements import BOOKKEEPER, identifier, literal
from bgce_migrate.db.wire import Command
from bgce_migrate.plan.version_row import NIL_VERSION, VersionRow

#: A relation: its schema and its name.
Place = tuple[str, str]

_KEEP = "keep_version(bigint, uuid, text, bigint, boolean)"
_ROWS = "version_rows()"
_LOCK_TIMEOUT = "2s"


class Kept(Struct, frozen=True):
    """What one known version table says.

    Attributes:
        fault: why it cannot be told; empty otherwise.
    """

    domain: str
    place: Place
    row: VersionRow = VersionRow()
    fault: str = ""


class Found(Struct, frozen=True):
    """What there is of version tables already.

    Attributes:
        functions: ours are there.
        registered: by domain, the table that is kept true.
        owners: by domain, whose the wanted table is; missing where there is none.
        held: (domain, role, privilege) on the wanted tables.
        logins: who may write rows.
        usage: (role, or "" for everybody, schema).
    """

    functions: bool = False
    registered: Mapping[str, Place] = {}
    owners: Mapping[str, str] = {}
    held: frozenset[tuple[str, str, str]] = frozenset()
    logins: frozenset[str] = frozenset()
    usage: frozenset[tuple[str, str]] = frozenset()


def find(session: Session, tables: Mapping[str, Place]) -> Found:
    """Read the catalog; one round trip, two where something is there already.

    Args:
        tables: the wanted ones, by domain.
    """
    keep = f"{identifier(session.schema)}.{_KEEP}"
    wanted = json.dumps([{"domain": d, "schema": s, "name": n} for d, (s, n) in tables.items()])
    replies = session.run(
        [
            Command(session.query("golang_migrate", "rows_exist"), (keep,)),
            Command(session.query("golang_migrate", "tables"), (wanted,)),
            Command(session.query("golang_migrate", "executors"), (array({s for s, _ in tables.values()}), keep)),
        ]
    )
    there, rows, who = replies[0].rows[0][0] == "true", replies[1].rows, replies[2].rows
    known = session.ask("golang_migrate", "registered") if there else ()
    return Found(
        there,
        {d or "": (s or "", n or "") for d, s, n in known},
        {d or "": owner or "" for d, owner, _, _ in rows},
        frozenset((d or "", role, what) for d, _, role, what in rows if role and what),
        frozenset(name or "" for kind, name, _ in who if kind == "login"),
        frozenset((name or "", schema or "") for kind, name, schema in who if kind == "usage"),
    )


def read(session: Session) -> dict[str, Kept] | None:
    """What the known version tables say, by domain; None where none are kept here. Two round trips.

    Raises:
        Failed: this login may not ask (42501).
    """
    if session.ask("golang_migrate", "rows_exist", f"{identifier(session.schema)}.{_ROWS}")[0][0] != "true":
        return None
    replies = session.run(
        [
            Command("BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY"),
            Command("SELECT pg_catalog.set_config('lock_timeout', $1, true)", (_LOCK_TIMEOUT,)),
            Command(session.query("golang_migrate", "rows")),
            Command("COMMIT"),
        ]
    )
    out = {}
    for domain, schema, name, version, dirty, fault in replies[2].rows:
        number = None if version in (None, str(NIL_VERSION)) else int(version or 0)
        out[domain or ""] = Kept(domain or "", (schema or "", name or ""), VersionRow(number, dirty == "true"), fault or "")
    return out


def functions(schema: str) -> str:
    """What keeps the tables true, made where it is missing; run by the bookkeeping's owner."""
    return query("golang_migrate", "functions", schema)


def rights(schema: str, login: str) -> str:
    """What a migrator login may do with version rows."""
    s = identifier(schema)
    return f"GRANT EXECUTE ON FUNCTION {s}.{_KEEP}, {s}.{_ROWS} TO {identifier(login)}"


def register(schema: str, tables: Mapping[str, Place]) -> str:
    """From now on these are the tables that are kept true."""
    values = ", ".join(f"({literal(d)}, {literal(s)}, {literal(n)})" for d, (s, n) in sorted(tables.items()))
    return (
        f"INSERT INTO {identifier(schema)}.golang_migrate (domain, table_schema, table_name) VALUES {values}"
        " ON CONFLICT (domain) DO UPDATE SET table_schema = excluded.table_schema, table_name = excluded.table_name"
    )


def create(place: Place, *, missing: bool = False) -> str:
    """The table as golang-migrate makes it.

    Args:
        missing: only where there is none.
    """
    unless = "IF NOT EXISTS " if missing else ""
    return f"CREATE TABLE {unless}{identifier(*place)} (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)"


def write(place: Place, row: VersionRow) -> list[str]:
    """The statements that make a table say `row`, whatever it says."""
    table, stored = identifier(*place), row.stored
    out = [f"DELETE FROM {table}"]
    if stored is not None:
        out.append(f"INSERT INTO {table} (version, dirty) VALUES ({stored}, {str(row.dirty).lower()})")
    return out


def keep(session: Session, epoch: int, domain: str, row: VersionRow, attempt: str | None = None) -> Command:
    """The call that writes a domain's row, in a step's transaction or beside one.

    Args:
        attempt: of the step that is under way in the transaction.
    """
    stored = row.stored
    return session.call(
        "keep_version", ("bigint", str(epoch)), ("uuid", attempt), ("text", domain),
        ("bigint", None if stored is None else str(stored)), ("bool", str(row.dirty).lower()), keep_rows=False,
    )  # fmt: skip


def keeper_rights(place: Place, privileges: Sequence[str], role: str = BOOKKEEPER) -> str:
    """Rights on a version table."""
    return f"GRANT {', '.join(privileges)} ON TABLE {identifier(*place)} TO {identifier(role)}"


def shown(place: Place) -> str:
    """For people."""
    return ".".join(place)


def names(places: Iterable[Place]) -> str:
    """For people, several."""
    return ", ".join(map(shown, places))
