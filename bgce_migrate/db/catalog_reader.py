"""Reads the catalog into a fingerprint's values: few queries in one round trip, alike on PostgreSQL 14 to 18."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from types import MappingProxyType
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from bgce_migrate.db.catalog_queries import PIN, of_some, queries_of, wrapped
from bgce_migrate.db.catalog_rows import Reading, Renewal
from bgce_migrate.db.queries import array
from bgce_migrate.db.session import Session
from bgce_migrate.db.statements import literal
from bgce_migrate.db.wire import Command
from bgce_migrate.fingerprint.model import Catalog, catalog

#: What the server says to all queries.
Replies: TypeAlias = tuple[str | None, ...]

_SWITCHES = "key_triggers"

#: Several may read in one session.
_readers = count(1)
#: Of so many changed tables, types and routines it is cheaper to read everything.
_MANY = 0.6

_decode = msgspec.json.Decoder(list[dict[str, Any]]).decode


def read(session: Session, *, without: Iterable[str] = (), within: bool = False) -> Catalog:
    """The whole catalog as it is now, in one round trip. Takes no lock that anybody would notice.

    Args:
        without: schemas that are left out, e.g. the bookkeeping's.
        within: inside an open transaction, as it sees it; else in one of its own, read only.
    """
    schemas, queries = array(without), queries_of(session)
    asked = [Command(wrapped(text), (schemas,) if "$1" in text else ()) for text in queries.values()]
    return _known(session, tuple(queries), _ask(session, asked, within)).catalog


class _Known(Struct):
    """What was read last.

    Attributes:
        stamps: of tables, types and routines by kind and OID.
        rest: the stamp of everything else.
        switches: what was said of triggers that make keys work.
    """

    reading: Reading
    catalog: Catalog
    switches: str | None
    stamps: dict[str, str] = {}
    rest: str | None = None


class Reader:
    """Reads one database again and again: after the first time only what has changed since, and what names it.

    What it says is what `read` says. Not through a pooler: the plans are the session's.
    """

    def __init__(self, session: Session, without: Iterable[str] = ()) -> None:
        self.session = session
        self._mine = f"bgce_{next(_readers)}"
        queries = queries_of(session)
        some = of_some(queries)
        stamps, rest = session.query("catalog_changes", "stamps"), session.query("catalog_changes", "rest")
        dependents = session.query("catalog_changes", "dependents")
        # Before 15 a publication has no schemas.
        place = "pg_publication_namespace" if session.server_version >= 150000 else "pg_publication_rel"
        self._names, self._some = tuple(queries), tuple(some)
        self._schemas = literal(array(without))
        self._last: _Known | None = None
        self._asked = [Command(f"EXECUTE {self._mine}_{name}({self._schemas}, NULL)") for name in queries]
        self._marks = [Command(f"EXECUTE {self._mine}_stamps"), Command(f"EXECUTE {self._mine}_rest")]
        made = {f"{name} (text[], oid[])": wrapped(text) for name, text in queries.items()}
        made |= {f"some_{name} (text[], oid[])": wrapped(text) for name, text in some.items()}
        made |= {"stamps": stamps, "rest": rest.replace("{publication_namespace}", place)}
        made["dependents (text[], oid[], oid[])"] = f"SELECT string_agg(x.root, ' ') FROM ({dependents}) x"
        prepared = [Command(f"PREPARE {self._mine}_{name} AS {text}") for name, text in made.items()]
        session.run([Command("BEGIN"), Command(PIN), *prepared, Command("COMMIT")])

    def read(self, *, within: bool) -> Catalog:
        """The catalog as it is now; see `read`."""
        told, rest = _ask(self.session, self._marks, within)
        words = (told or "").split()
        stamps = {f"{kind}{oid}": stamp for kind, oid, stamp in zip(words[::3], words[1::3], words[2::3], strict=True)}
        known = self._last
        if known is None or known.rest != rest or not self._follow(known, stamps, within):
            known = _known(self.session, self._names, _ask(self.session, self._asked, within))
        known.stamps, known.rest = stamps, rest
        self._last = known
        return known.catalog

    def _follow(self, known: _Known, stamps: dict[str, str], within: bool) -> bool:
        """Read again what is not as it was; False where that is as good as everything."""
        old = known.stamps
        again = {at[1:] for at in old.keys() | stamps.keys() if old.get(at) != stamps.get(at)}
        if not again:
            return True
        if len(again) > _MANY * len(stamps):
            return False
        first = self._renewed(known, again, within)
        if first is None:
            return False
        went, came = first.went, first.came
        if first.renamed or first.reshaped:
            named = Command(f"EXECUTE {self._mine}_dependents(NULL, {_oids(first.renamed)}, {_oids(first.reshaped)})")
            others = set((_ask(self.session, [named], within)[0] or "").split()) - again
            if "0" in others:
                return False
            second = self._renewed(known, others, within) if others else None
            if others and second is None:
                return False
            if second is not None:
                went, came = went | second.went, came + second.came
        objects = dict(known.catalog.objects)
        for item in went:
            objects.pop(item, None)
        objects.update({o.identity: o for o in came})
        known.catalog = Catalog(known.catalog.major, MappingProxyType(objects))
        return True

    def _renewed(self, known: _Known, oids: set[str], within: bool) -> Renewal | None:
        """Read these again; None where triggers that make keys work were switched, which is said at other tables."""
        asked = [Command(f"EXECUTE {self._mine}_some_{n}({self._schemas}, {_oids(oids)})") for n in self._some]
        told = _ask(self.session, asked, within)
        if told[self._some.index(_SWITCHES)] != known.switches:
            return None
        return known.reading.renew(oids, (_decode(text) for text in told if text is not None))


def _oids(of: Iterable[str]) -> str:
    return literal(array(sorted(of)))


def _ask(session: Session, asked: list[Command], within: bool) -> Replies:
    if within:
        before = [Command("SAVEPOINT bgce_fingerprint"), Command(PIN)]
        after = [Command("ROLLBACK TO SAVEPOINT bgce_fingerprint"), Command("RELEASE SAVEPOINT bgce_fingerprint")]
    else:
        before = [Command("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"), Command(PIN)]
        after = [Command("COMMIT")]
    replies = session.run([*before, *asked, *after])[len(before) : -len(after)]
    return tuple(reply.rows[0][0] for reply in replies)


def _known(session: Session, names: tuple[str, ...], replies: Replies) -> _Known:
    reading = Reading()
    told = dict(zip(names, replies, strict=True))
    reading.members = {row["at"] for row in _decode(told.pop("members") or "[]")}
    for text in told.values():
        if text is not None:
            reading.take(_decode(text))
    return _Known(reading, catalog(session.server_version // 10000, reading.objects()), told[_SWITCHES])
