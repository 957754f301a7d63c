"""Runs a step's statements on scratch with the tracer looking on."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from msgspec.structs import replace

from bgce_migrate.db.beside import run_observed
from bgce_migrate.db.session import Session
from bgce_migrate.db.tracing import Relation, Touched, Trace, Tracer
from bgce_migrate.db.wire import Command
from bgce_migrate.migration import Statement
from bgce_migrate.scratch.steps import PLAINLY

#: Relations that LOCK TABLE takes.
_TABLES = ("r", "p")


class Looking:
    """Statements in, traces out; see `scratch.steps.Running`.

    Attributes:
        traces: of the step under way, one a statement, transaction control aside.
    """

    def __init__(self, tracer: Tracer, admin_url: str) -> None:
        self.tracer = tracer
        self.admin_url = admin_url
        self.traces: list[Trace] = []

    def together(self, session: Session, statements: Sequence[Statement]) -> None:
        """In one pipeline, with a look after each."""
        self.tracer.run([s.text for s in statements], self.traces.append)

    def simply(self, session: Session, statement: Statement) -> None:
        """One look after all of the text."""
        self.traces.append(self.tracer.run_simply(lambda: PLAINLY.simply(session, statement)))

    def alone(self, session: Session, statement: Statement) -> None:
        """In a transaction of its own where that is possible, else watched from beside."""
        if statement.transactional:
            session.run([Command("BEGIN")])
            self.tracer.run([statement.text], self.traces.append)
            session.run([Command("COMMIT")])
            return
        self.tracer.look()
        session.run([Command(session.query("tracing", "emptied_log"), keep_rows=False)])
        tables = [(r.schema, r.name) for r in self.tracer.known.values() if r.kind in _TABLES and _plain(r)]
        started = time.monotonic()
        modes = run_observed(session, statement.text, self.admin_url, tables)
        took = time.monotonic() - started
        # Before the next look, which would take what is new for what was there.
        notes = self.tracer.notes(session.ask("tracing", "log")[0][0])
        before = self.tracer.look()
        tag = statement.tag.replace("_", " ").upper() or "?"
        self.traces.append(Trace(tag, _compared(before, self.tracer.known, modes), notes, took))


def _plain(relation: Relation) -> bool:
    return relation.schema not in ("pg_toast", "bgce_measure")


def _compared(
    before: Mapping[int, Relation], after: Mapping[int, Relation], modes: Mapping[int, tuple[str, ...]]
) -> tuple[Touched, ...]:
    """What has changed between two looks, with the locks that were seen in between."""
    out = []
    for oid in dict.fromkeys([*modes, *before, *after]):
        old, new = before.get(oid), after.get(oid)
        relation = new or old
        if relation is None or not _plain(relation):
            continue
        held = modes.get(oid, ())
        moved = old is not None and new is not None and old.filenode != new.filenode
        scans = (new.scans - old.scans) if old is not None and new is not None else 0
        touched = Touched(relation, held, held, old is None, moved, max(0, scans), new is None)
        if held or moved or scans > 0 or old is None or new is None:
            out.append(touched)
    return tuple(out)


def with_rebuilt(touched: Sequence[Touched]) -> tuple[Touched, ...]:
    """Indexes that were dropped and made again under their name, as one that has moved; or not, where its file stayed."""
    gone = {_key(t): t.relation for t in touched if t.gone and t.relation.kind in "iI"}
    again = {_key(t) for t in touched if t.made and not t.gone and t.relation.kind in "iI"} & gone.keys()
    out = []
    for one in touched:
        if _key(one) not in again or one.relation.kind not in "iI":
            out.append(one)
        elif not one.gone:
            moved = one.relation.filenode != gone[_key(one)].filenode
            out.append(replace(one, made=False, moved=moved))
    return tuple(out)


def _key(touched: Touched) -> tuple[str, str]:
    return touched.relation.schema, touched.relation.name
