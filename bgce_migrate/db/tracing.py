"""What a statement has locked, rewritten, scanned, made and dropped, read by its own transaction on a scratch database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate.db.session import Session, connect
from bgce_migrate.db.wire import Command, Failed, Reply

#: PostgreSQL's table-level lock modes, weakest first (documentation, "Explicit Locking").
MODES = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
#: What follows its table anyway, and what is our own.
_HIDDEN = ("pg_toast", "bgce_measure")

_decode = msgspec.json.Decoder().decode


class Relation(Struct, frozen=True):
    """A relation as the catalog has it at one moment.

    Attributes:
        kind: `pg_class.relkind`.
        filenode: changes with every rewrite; 0 where there is no file.
        table: of an index, its table.
        scans: sequential scans of it (of an index: uses) so far.
        keys: its validated foreign keys, each with the table it refers to.
        parent: of a partition, the table it is a part of.
    """

    oid: int
    schema: str
    name: str
    kind: str
    filenode: int
    owner: str
    table: int | None
    scans: int
    keys: Mapping[int, int]
    parent: int | None = None


class Touched(Struct, frozen=True):
    """What one statement did to one relation.

    Attributes:
        modes: those it has taken beyond what the transaction held before.
        held: all that the transaction holds now.
        made: the statement, or an earlier one of the same transaction, made it.
        moved: its file is another one now.
        scans: how often it was read from end to end.
        gone: it is dropped.
    """

    relation: Relation
    modes: tuple[str, ...]
    held: tuple[str, ...]
    made: bool = False
    moved: bool = False
    scans: int = 0
    gone: bool = False


class Note(Struct, frozen=True):
    """What an event trigger was told: the command's tag, `DROP` for what was named, `CASCADE` for what went with it.

    Attributes:
        replaced: it was there before.
    """

    tag: str
    kind: str
    name: str
    replaced: bool = False


class Trace(Struct, frozen=True):
    """Everything one statement did.

    Attributes:
        tag: how the server calls what it ran; empty where it did not say.
        seconds: on scratch.
    """

    tag: str
    touched: tuple[Touched, ...] = ()
    notes: tuple[Note, ...] = ()
    seconds: float = 0.0


def strongest(modes: Iterable[str]) -> str:
    """The mode that stands last in `MODES`; empty for none."""
    return max(modes, key=MODES.index, default="")


def watch(url: str) -> None:
    """Put the event triggers into a scratch database, as its administrator.

    Raises:
        Failed: the login may not.
    """
    with connect(url, "") as admin:
        admin.connection.execute(admin.query("tracing", "watch").encode())


class Tracer:
    """Reads what statements do on one session; remembers what was there before."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.known: dict[int, Relation] = {}
        self._there: set[int] = set()
        self._scanned: dict[int, int] = {}
        self._before: dict[int, tuple[str, ...]] = {}
        self._made: set[int] = set()
        self._mark = 0
        session.execute("PREPARE bgce_traced AS " + session.query("locks", "traced"))
        self.look()

    def look(self) -> dict[int, Relation]:
        """Read all relations, outside any transaction; what was known before."""
        # Without this the server may keep counts of scans for itself for some time; older ones have no such function.
        if self.session.server_version >= 150000:
            self.session.run([Command(self.session.query("tracing", "flush"))])
        asked = Command(self.session.query("tracing", "relations"), ("0",)), Command(self.session.query("tracing", "replaceable"))
        relations, others = (reply.rows[0][0] for reply in self.session.run(asked))
        before = self.known
        self.known = {row[0]: _relation(*row) for row in _decode(relations or "[]")}
        self._there = set(self.known) | set(_decode(others or "[]"))
        return before

    def settle(self) -> None:
        """Read what the transaction that is over has made."""
        made = self.session.ask("tracing", "relations", str(self._mark))[0][0]
        self.known = {oid: r for oid, r in self.known.items() if oid <= self._mark}
        self.known |= {row[0]: _relation(*row) for row in _decode(made or "[]")}

    def run(self, texts: Sequence[str], told: Callable[[Trace], None]) -> None:
        """Run statements inside an open transaction, in one round trip.

        Args:
            told: gets one trace a statement, also of those before one that fails.

        Raises:
            Failed: the server refused a statement; `index` counts statements.
        """
        first = self._opening()
        body = [c for text in texts for c in (Command(text, keep_rows=False), *self._closing())]
        follow = _Following(self, len(first), told)
        try:
            self.session.run([*first, *body], on_reply=follow)
        except Failed as failed:
            raise Failed(max(0, failed.index - len(first)) // 3, failed.error) from None

    def run_simply(self, run: Callable[[], object]) -> Trace:
        """The trace of whatever is called, inside an open transaction.

        Raises:
            Failed: the server refused it.
        """
        found: list[Trace] = []
        first = self._opening()
        follow = _Following(self, len(first), found.append)
        for index, reply in enumerate(self.session.run(first)):
            follow(index, reply)
        run()
        for index, reply in enumerate([Reply(""), *self.session.run(self._closing())], len(first)):
            follow(index, reply)
        return found[0]

    def _opening(self) -> list[Command]:
        self._mark = max(self.known, default=0)
        marked = Command(self.session.query("tracing", "marked"), (str(self._mark),), keep_rows=False)
        return [marked, Command(self.session.query("tracing", "scanned")), Command("EXECUTE bgce_traced")]

    def _closing(self) -> list[Command]:
        return [Command("EXECUTE bgce_traced"), Command(self.session.query("tracing", "emptied_log"), keep_rows=False)]

    def begin(self, scanned: Reply, held: Reply) -> float:
        """Take in how things stand before the first statement; the server's clock, in seconds."""
        self._scanned = {int(oid or 0): int(count or 0) for oid, count in scanned.rows}
        self._before, self._made = {}, set()
        for oid, modes, *_ in _decode(held.rows[0][1] or "[]"):
            if oid is not None:
                self._before[oid] = tuple(modes)
        return float(held.rows[0][3] or 0)

    def understand(self, reply: Reply, tag: str, began: float) -> tuple[Trace, float]:
        """What one statement did, and the clock after it was looked at."""
        ended, found, log, now, _ = reply.rows[0]
        seen: dict[int, Touched] = {}
        # Without any lock there is one row of nothing.
        rows = [row for row in _decode(found or "[]") if row[0] is not None]
        before = {row[0]: self.known.get(row[0]) for row in rows}
        for oid, modes, *facts in rows:
            touched = self._touched(oid, tuple(modes), facts)
            if touched is not None:
                seen[oid] = touched
        built = Counter(t.relation.table for t in seen.values() if t.relation.table and (t.made or t.moved))
        for oid, touched in tuple(seen.items()):
            if touched.made or touched.scans <= built[oid]:
                continue
            # The join that proves a key does not come to its other side where the referring table is empty.
            for key, to in touched.relation.keys.items():
                old = before[oid]
                if to in seen and (old is None or key not in old.keys):
                    seen[to] = replace(seen[to], scans=max(built[to] + 1, seen[to].scans))
        kept = tuple(t for t in seen.values() if t.modes or t.moved or t.scans or t.gone)
        return Trace(tag, kept, self.notes(log), float(ended or 0) - began), float(now or 0)

    def _touched(self, oid: int, modes: tuple[str, ...], facts: list[Any]) -> Touched | None:
        before = self.known.get(oid)
        fresh = tuple(m for m in modes if m not in self._before.get(oid, ()))
        self._before[oid] = modes
        if facts[0] is None:
            # Dropped, or a table that a rewrite made for itself and has dropped again.
            self.known.pop(oid, None)
            return Touched(before, fresh, modes, oid in self._made, gone=True) if before and _shown(before) else None
        relation = _relation(oid, *facts)
        scans = relation.scans - self._scanned.get(oid, 0)
        self._scanned[oid] = relation.scans
        if before is None:
            self._made.add(oid)
        self.known[oid] = relation
        moved = before is not None and before.filenode != relation.filenode
        if before is not None and before.parent is not None and relation.parent is None:
            relation = replace(relation, parent=before.parent)  # just detached
        return Touched(relation, fresh, modes, oid in self._made, moved, max(0, scans)) if _shown(relation) else None

    def notes(self, log: str | None) -> tuple[Note, ...]:
        """The lines of the event triggers."""
        out = []
        for line in (log or "").splitlines():
            tag, kind, name, oid = _decode(line)
            out.append(Note(tag, kind or "", name or "", oid in self._there))
            self._there.add(oid)
        return tuple(out)


class _Following:
    """Takes replies as they come: settings, scanned, held; then for every statement its own, held, setting."""

    def __init__(self, tracer: Tracer, first: int, told: Callable[[Trace], None]) -> None:
        self.tracer = tracer
        self.first = first
        self.told = told
        self._scanned = Reply("")
        self._tag = ""
        self._clock = 0.0

    def __call__(self, index: int, reply: Reply) -> None:
        if index == self.first - 2:
            self._scanned = reply
        elif index == self.first - 1:
            self._clock = self.tracer.begin(self._scanned, reply)
        elif index >= self.first and (index - self.first) % 3 == 0:
            self._tag = reply.tag
        elif index >= self.first and (index - self.first) % 3 == 1:
            trace, self._clock = self.tracer.understand(reply, self._tag, self._clock)
            self.told(trace)


def _shown(relation: Relation) -> bool:
    return relation.schema not in _HIDDEN and not relation.schema.startswith("pg_temp")


def _relation(
    oid: int, schema: str, name: str, kind: str, filenode: int, owner: str, table: int | None, scans: int,
    keys: Any, parent: int | None,
) -> Relation:  # fmt: skip
    return Relation(oid, schema, name, kind, filenode, owner, table, scans, dict(keys or ()), parent)
