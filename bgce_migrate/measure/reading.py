"""From traces to what is told: tables by their names on the target, with owners; locks in PostgreSQL's words; work."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from bgce_migrate.db.tracing import MODES, Note, Relation, Touched, Trace, strongest
from bgce_migrate.measure.looking import with_rebuilt
from bgce_migrate.measure.model import Kind, Lock, Measured, Object, TableName, Work
from bgce_migrate.measure.sizes import Sizes
from bgce_migrate.measure.weights import weigh
from bgce_migrate.migration import MigrationId, Statement

#: `pg_class.relkind` in words.
KINDS = {
    "r": "table", "p": "table", "m": "materialized view", "v": "view", "S": "sequence", "i": "index", "I": "index",
    "f": "foreign table",
}  # fmt: skip
_INDEX = ("i", "I")
_STORED = ("r", "m")
#: Indexes are locked with these whenever their table is used.
_USING = frozenset(MODES[:3])
#: What can empty a table without a trace in its own name.
_HIDING = ("DO", "SELECT", "CALL")
_BUILDING = ("CREATE INDEX", "REINDEX")
#: What a view or a table always has.
_INTERNAL = ('rule "_RETURN"', "default value ")


def words(mode: str) -> str:
    """`AccessExclusiveLock` as the documentation writes it."""
    return "".join(f" {c}" if c.isupper() else c for c in mode.removesuffix("Lock")).strip().upper()


_STRENGTH = {words(mode): strength for strength, mode in enumerate(MODES)}


class Names(Struct):
    """Whose a relation is, and what it is called on the target.

    Attributes:
        owners: domain by owner role; empty where there are no such roles.
        makers: the step that has made a relation, by its OID.
        there: the name of a relation before the measured steps, by its OID.
        measured: steps whose own tables nobody else knows yet.
    """

    owners: Mapping[str, str]
    makers: dict[int, MigrationId]
    there: dict[int, tuple[str, str]]
    measured: frozenset[MigrationId] = frozenset()

    def table(self, relation: Relation) -> TableName:
        """Its name now, and its domain: that of its owner, else of the step that made it."""
        maker = self.makers.get(relation.oid)
        domain = self.owners.get(relation.owner) or (maker.domain if maker is not None else None)
        return TableName(relation.schema, relation.name, domain)

    def before(self, relation: Relation) -> tuple[str, str]:
        """What the target calls it."""
        return self.there.get(relation.oid, (relation.schema, relation.name))

    def is_new(self, relation: Relation, step: MigrationId) -> bool:
        """Whether the step, or another one that the target has not seen, has made it."""
        maker = self.makers.get(relation.oid)
        return maker is not None and (maker == step or maker in self.measured)


class Reading(Struct):
    """Understands the traces of one step."""

    step: MigrationId
    names: Names
    known: Mapping[int, Relation]
    sizes: Sizes | None

    def measured(self, statement: Statement, trace: Trace) -> Measured:
        """One statement."""
        touched = with_rebuilt(trace.touched)
        notes = trace.notes
        made = [n for n in notes if n.tag.startswith("CREATE") and not n.replaced]
        changed = [n for n in notes if n not in made and n.tag not in ("DROP", "CASCADE")]
        created = _objects(made)
        again = {o for o in created if o.kind == "index"} & set(_objects(n for n in notes if n.tag == "DROP"))
        return Measured(
            statement.line,
            statement.column,
            trace.tag,
            # The server tells its locks in no order.
            tuple(sorted(self._locks(touched), key=lambda k: (-_STRENGTH[k.mode], k.table, k.index))),
            tuple(sorted(self._work(touched, trace.tag), key=lambda w: (w.table, w.kind.value, w.index))),
            tuple(o for o in created if o not in again),
            tuple(o for o in _objects(changed) if o not in created),
            tuple(o for o in _objects(n for n in notes if n.tag == "DROP") if o not in again),
            _objects(n for n in notes if n.tag == "CASCADE"),
            trace.seconds,
        )

    def of(self, relation: Relation, touched: Iterable[Touched]) -> Relation | None:
        """The table of an index; anything else is itself."""
        if relation.kind not in _INDEX:
            return relation
        if relation.table is None:
            return None
        here = {t.relation.oid: t.relation for t in touched}
        return here.get(relation.table) or self.known.get(relation.table)

    def _locks(self, touched: tuple[Touched, ...]) -> Iterable[Lock]:
        for one in touched:
            relation, mode = one.relation, strongest(one.modes)
            table = self.of(relation, touched)
            if not mode or one.made or table is None or relation.kind not in KINDS:
                continue
            index = relation.name if relation.kind in _INDEX else ""
            if index and mode in _USING:
                continue
            new = self.names.is_new(table, self.step)
            yield Lock(self.names.table(table), words(mode), index, KINDS[relation.kind], new, self._root(table))

    def _root(self, table: Relation) -> TableName | None:
        """The partitioned table at the top, of which this is a part."""
        top = table
        while top.parent is not None and top.parent in self.known:
            top = self.known[top.parent]
        return self.names.table(top) if top is not table else None

    def _work(self, touched: tuple[Touched, ...], tag: str) -> Iterable[Work]:
        indexes: dict[int, list[Touched]] = {}
        for one in touched:
            if one.relation.kind in _INDEX and one.relation.table is not None and (one.made or one.moved) and not one.gone:
                indexes.setdefault(one.relation.table, []).append(one)
        for one in touched:
            if one.made or one.gone or one.relation.kind not in _STORED:
                continue
            built = indexes.get(one.relation.oid, [])
            # Every index that is built reads the table once.
            scanned = one.scans > len(built)
            if tag == "TRUNCATE TABLE":
                # The file stays where the same transaction has written it anew before.
                yield self._weighed(Kind.EMPTY, one.relation)
                continue
            if one.moved:
                emptied = tag in _HIDING and not scanned and one.relation.kind == "r"
                yield self._weighed(Kind.EMPTY if emptied else Kind.REWRITE, one.relation)
                continue
            # CONCURRENTLY builds read it twice.
            if scanned and not (built and tag.startswith(_BUILDING)):
                yield self._weighed(Kind.SCAN, one.relation)
            for index in built:
                yield self._weighed(Kind.BUILD, one.relation, index.relation.name)

    def _weighed(self, kind: Kind, relation: Relation, index: str = "") -> Work:
        new = self.names.is_new(relation, self.step)
        size = self.sizes.tables.get(self.names.before(relation)) if self.sizes is not None else None
        return weigh(Work(kind, self.names.table(relation), index, new), size)


def _objects(notes: Iterable[Note]) -> tuple[Object, ...]:
    found = (n for n in notes if not f"{n.kind} {n.name}".startswith(_INTERNAL) or n.tag not in ("DROP", "CASCADE"))
    return tuple(dict.fromkeys(Object(n.kind, n.name) for n in found))
