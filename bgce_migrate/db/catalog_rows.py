"""Rows of the catalog becoming the objects of a fingerprint."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from typing import Any

from msgspec import Struct, field

from bgce_migrate.fingerprint.expressions import canonical
from bgce_migrate.fingerprint.model import ORDER, Object, Value, quoted

_INSIDE = {"column", "attribute"}
#: Texts of people, not of the server: never rewritten.
_AS_WRITTEN = {"body", "comment", "settings"}

#: An enum's, which are written where one of them is a default.
_LABELS = "labels"

#: What goes under one name with an object but can have a comment and rights of its own.
_SECOND = {("constraint", "pg_class"): "index ", ("type", "pg_type"): "multirange "}


class Entry(Struct):
    """An object while it is read.

    Attributes:
        root: the address of the table, type or routine that it is read with.
    """

    kind: str
    name: str
    owner: str
    part_of: str
    facts: dict[str, Value]
    root: str
    order: list[str] = field(default_factory=list)

    @property
    def identity(self) -> str:
        """As the object's."""
        return f"{self.kind} {self.name}"


class Renewal(Struct):
    """What reading some tables, types and routines again has brought.

    Attributes:
        went, came: identities that are no more, or no more the same, and the objects that are there now.
        renamed: OIDs of what texts elsewhere may now call by another name.
        reshaped: OIDs of those that have other columns than before.
    """

    went: set[str]
    came: tuple[Object, ...]
    renamed: set[str] = field(default_factory=set)
    reshaped: set[str] = field(default_factory=set)


class Reading:
    """The rows of one reading, becoming objects."""

    def __init__(self) -> None:
        self.members: set[str] = set()
        self.entries: dict[str, Entry] = {}  # by address
        self.seconds: dict[str, str] = {}  # what the facts of an entry's second address are called
        self.roots: dict[str, list[str]] = {}  # the addresses that were read with a table, type or routine

    def take(self, rows: Iterable[dict[str, Any]], only: Container[str] | None = None) -> None:
        """Objects, and further facts of objects that are there already.

        Args:
            only: roots; nothing is said about what is not read with one of them.
        """
        for row in rows:
            at, of = row.pop("at"), row.pop("of", None)
            kind = row.pop("kind", None)
            if kind is None:
                if at in self.entries and (only is None or self.entries[at].root in only):
                    _add(self.entries[at].facts, row, self.seconds.get(at, ""))
                continue
            parent = self.entries.get(of) if of else None
            if at in self.members or (of and parent is None):
                continue
            also = row.pop("also", None)
            entry = self._entry(kind, row, parent, _root(at, also, parent))
            self.entries[at] = entry
            self.roots.setdefault(entry.root, []).append(at)
            if also:
                self.entries[also] = entry
                self.seconds[also] = _SECOND.get((kind, also.partition(":")[0]), "")
                self.roots[entry.root].append(also)

    def renew(self, oids: Iterable[str], told: Iterable[Iterable[dict[str, Any]]]) -> Renewal:
        """Forget what was read with these tables, types and routines, and take in what is said of them now."""
        roots = {f"{catalog}:{oid}" for oid in oids for catalog in ("pg_class", "pg_type", "pg_proc")}
        old = {at: self.entries.pop(at) for root in roots for at in self.roots.pop(root, ()) if at in self.entries}
        for rows in told:
            self.take(rows, roots)
        came = [self.entries[at] for root in roots for at in self.roots.get(root, ())]
        renewal = Renewal({entry.identity for entry in old.values()}, tuple(_objects(came)))
        for at, was in old.items():
            now = self.entries.get(at)
            if now is None:
                continue
            if now.identity != was.identity or now.facts.get(_LABELS) != was.facts.get(_LABELS):
                renewal.renamed.add(was.root.partition(":")[2])
            elif now.order != was.order:
                renewal.reshaped.add(was.root.partition(":")[2])
        return renewal

    def _entry(self, kind: str, row: dict[str, Any], parent: Entry | None, root: str) -> Entry:
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
        return Entry(kind, shown, own or (parent.owner if parent else ""), part_of, facts, root)

    def objects(self) -> Iterable[Object]:
        """All that was read."""
        return _objects(self.entries.values())


def _root(at: str, also: str | None, parent: Entry | None) -> str:
    """A routine is read by itself, also where it came with a type; a composite type as the relation it is, too."""
    if at.startswith("pg_proc:"):
        return at
    if parent is not None:
        return parent.root
    return also if also is not None and also.startswith("pg_class:") else at


def _objects(entries: Iterable[Entry]) -> Iterable[Object]:
    for entry in {id(e): e for e in entries}.values():
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
