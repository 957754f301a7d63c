"""Reads the catalog into a fingerprint's values: few queries in one round trip, alike on PostgreSQL 14 to 18."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct, field

from bgce_migrate.db.queries import array
from bgce_migrate.db.session import Session
from bgce_migrate.db.statements import literal
from bgce_migrate.db.wire import Command
from bgce_migrate.fingerprint.expressions import canonical
from bgce_migrate.fingerprint.model import ORDER, Catalog, Object, Value, catalog, quoted

#: Settings that change how the server writes expressions down; a savepoint's end takes them back.
_PIN = (
    "SELECT " + ", ".join(
        f"set_config('{name}', '{value}', true)"
        for name, value in {
            "search_path": "pg_catalog, pg_temp",
            "DateStyle": "ISO, YMD",
            "IntervalStyle": "postgres",
            "TimeZone": "UTC",
            "extra_float_digits": "3",
            "bytea_output": "hex",
            "quote_all_identifiers": "off",
        }.items()
    )
)  # fmt: skip
_INSIDE = {"column", "attribute"}
#: Texts of people, not of the server: never rewritten.
_AS_WRITTEN = {"body", "comment", "settings"}

#: What goes under one name with an object but can have a comment and rights of its own.
_SECOND = {("constraint", "pg_class"): "index ", ("type", "pg_type"): "multirange "}

#: How many readings a reader remembers: a down that undoes its up leads back to one of them.
_KEPT = 3
#: What the server says to all queries.
Replies: TypeAlias = tuple[str | None, ...]

_decode = msgspec.json.Decoder(list[dict[str, Any]]).decode


def read(session: Session, *, without: Iterable[str] = (), within: bool = False) -> Catalog:
    """The whole catalog as it is now, in one round trip. Takes no lock that anybody would notice.

    Args:
        without: schemas that are left out, e.g. the bookkeeping's.
        within: inside an open transaction, as it sees it; else in one of its own, read only.
    """
    schemas, queries = array(without), _queries(session)
    asked = [Command(_wrapped(text), (schemas,) if "$1" in text else ()) for text in queries.values()]
    return _understand(session, tuple(queries), _ask(session, asked, within))


class Reader:
    """Reads one database again and again: planning the queries takes longer than running them.

    Not through a pooler: the plans are the session's.
    """

    def __init__(self, session: Session, without: Iterable[str] = ()) -> None:
        self.session = session
        queries, schemas = _queries(session), literal(array(without))
        self._names = tuple(queries)
        self._last: dict[Replies, Catalog] = {}
        self._asked = [
            Command(f"EXECUTE bgce_{name}" + (f"({schemas})" if "$1" in text else "")) for name, text in queries.items()
        ]
        made = [Command(f"PREPARE bgce_{name} AS {_wrapped(text)}") for name, text in queries.items()]
        session.run([Command("BEGIN"), Command(_PIN), *made, Command("COMMIT")])

    def read(self, *, within: bool) -> Catalog:
        """The whole catalog as it is now; see `read`."""
        told = _ask(self.session, self._asked, within)
        if told not in self._last:
            if len(self._last) == _KEPT:
                self._last.pop(next(iter(self._last)))
            self._last[told] = _understand(self.session, self._names, told)
        return self._last[told]


def _ask(session: Session, asked: list[Command], within: bool) -> Replies:
    if within:
        before = [Command("SAVEPOINT bgce_fingerprint"), Command(_PIN)]
        after = [Command("ROLLBACK TO SAVEPOINT bgce_fingerprint"), Command("RELEASE SAVEPOINT bgce_fingerprint")]
    else:
        before = [Command("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"), Command(_PIN)]
        after = [Command("COMMIT")]
    replies = session.run([*before, *asked, *after])[len(before) : -len(after)]
    return tuple(reply.rows[0][0] for reply in replies)


def _understand(session: Session, names: tuple[str, ...], replies: Replies) -> Catalog:
    reading = _Reading()
    told = dict(zip(names, replies, strict=True))
    reading.members = {row["at"] for row in _decode(told.pop("members") or "[]")}
    for text in told.values():
        if text is not None:
            reading.take(_decode(text))
    return catalog(session.server_version // 10000, reading.objects())


def _wrapped(query: str) -> str:
    return f"SELECT json_agg(x)::text FROM (\n{query}\n) x"


def _queries(session: Session) -> Mapping[str, str]:
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


class _Entry(Struct):
    """An object while it is read."""

    kind: str
    name: str
    owner: str
    part_of: str
    facts: dict[str, Value]
    order: list[str] = field(default_factory=list)


class _Reading:
    """The rows of one reading, becoming objects."""

    def __init__(self) -> None:
        self.members: set[str] = set()
        self.entries: dict[str, _Entry] = {}  # by address
        self.seconds: dict[str, str] = {}  # what the facts of an entry's second address are called

    def take(self, rows: Iterable[dict[str, Any]]) -> None:
        """Objects, and further facts of objects that are there already."""
        for row in rows:
            at, of = row.pop("at"), row.pop("of", None)
            kind = row.pop("kind", None)
            if kind is None:
                if at in self.entries:
                    _add(self.entries[at].facts, row, self.seconds.get(at, ""))
                continue
            parent = self.entries.get(of) if of else None
            if at in self.members or (of and parent is None):
                continue
            also = row.pop("also", None)
            entry = self._entry(kind, row, parent)
            self.entries[at] = entry
            if also:
                self.entries[also] = entry
                self.seconds[also] = _SECOND.get((kind, also.partition(":")[0]), "")

    def _entry(self, kind: str, row: dict[str, Any], parent: _Entry | None) -> _Entry:
        schema, name = row.pop("schema", None), row.pop("name", None)
        label = row.pop("label", None)
        shown: str = label or row.pop("symbol", None) or quoted(name)
        if schema is not None:
            shown = f"{quoted(schema)}.{shown}"
        elif parent is not None and kind in _INSIDE:
            parent.order.append(shown)
            shown = f"{parent.name}.{shown}"
        elif parent is not None and not label:
            shown = f"{shown} on {parent.name}"
        row.pop("symbol", None)
        shown += row.pop("signature", None) or ""
        own = row.get("owner")
        facts: dict[str, Value] = {}
        _add(facts, row)
        part_of = f"{parent.kind} {parent.name}" if parent else ""
        return _Entry(kind, shown, own or (parent.owner if parent else ""), part_of, facts)

    def objects(self) -> Iterable[Object]:
        """What was read."""
        for entry in {id(e): e for e in self.entries.values()}.values():
            if entry.order:
                entry.facts[ORDER] = tuple(entry.order)
            yield Object(entry.kind, entry.name, entry.facts, entry.owner, entry.part_of)


def _add(facts: dict[str, Value], row: Mapping[str, Any], of: str = "") -> None:
    """Take in what is not NULL, lists as tuples, the server's texts in one way of saying it."""
    for name, value in row.items():
        if value is None:
            continue
        if of:
            name = of + name
        if isinstance(value, list):
            facts[name] = tuple(v for v in value if v is not None)
        elif isinstance(value, str) and "])::" in value and name not in _AS_WRITTEN:
            facts[name] = canonical(value)
        else:
            facts[name] = value
