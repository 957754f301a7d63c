"""After a crash: was a statement that ran outside any transaction done, not begun, or left half-way?"""

from __future__ import annotations

from enum import Enum

from msgspec import Struct

from bgce_migrate.apply.units import Unit
from bgce_migrate.db.session import Session
from bgce_migrate.db.statements import identifier
from bgce_migrate.db.wire import Command, Failed
from bgce_migrate.effect import Action, Name, ObjectKind
from bgce_migrate.errors import NeedsHuman, Where
from bgce_migrate.migration import Script


class Verdict(str, Enum):
    """What the catalog says about a statement."""

    DONE = "done"
    ABSENT = "absent"  # not begun, or without a trace
    LEFTOVER = "leftover"  # something unusable is there and must go first
    UNKNOWN = "unknown"


class Probe(Struct, frozen=True):
    """A verdict, what it rests on, and the statements that remove a leftover."""

    verdict: Verdict
    evidence: str = ""
    cleanup: tuple[str, ...] = ()


def probe(session: Session, unit: Unit, script: Script) -> Probe:
    """Look at the catalog; `done-when` of the file decides where it is given."""
    if script.directives.done_when:
        return _done_when(session, script)
    look = _PROBES.get(unit.tag)
    if look is not None:
        return look(session, unit)
    if script.directives.repeatable or unit.tag in ("vacuum", "analyze"):
        return Probe(Verdict.ABSENT, "may run twice")
    return Probe(Verdict.UNKNOWN)


def _done_when(session: Session, script: Script) -> Probe:
    query = script.directives.done_when or ""
    try:
        rows = session.run([Command(query)])[0].rows
    except Failed as failed:
        raise NeedsHuman(
            f"the `done-when` query of {script.source.path} fails: {failed.error}",
            hint="it must return one row with one boolean",
            where=Where(script.source.path),
        ) from None
    answer = rows[0][0] if rows and rows[0] else None
    verdict = Verdict.DONE if answer in ("t", "true", "on", "yes", "1") else Verdict.ABSENT
    return Probe(verdict, f"done-when says {answer}")


def _index(session: Session, name: Name) -> tuple[str | None, ...] | None:
    rows = session.ask("probes", "index", name.schema, name.name)
    return rows[0] if rows else None


def _created(session: Session, unit: Unit) -> Probe:
    name = unit.made(Action.MAKE, Action.REPLACE)
    if name is None:
        return Probe(Verdict.UNKNOWN, "the index has no name in the file")
    row = _index(session, name)
    if row is None:
        return Probe(Verdict.ABSENT, f"index {name} is not there")
    _, valid, ready, definition, table, full, schema, index = row
    drop = f"DROP INDEX CONCURRENTLY IF EXISTS {identifier(schema or '', index or '')}"
    if valid != "true" or ready != "true":
        return Probe(Verdict.LEFTOVER, f"index {full} is invalid", (drop,))
    wanted = next(
        (e.object.name for e in unit.effects if e.action is Action.USE and e.object.kind is ObjectKind.RELATION), table
    )
    unique = unit.statements[0].text.upper().split(None, 3)[1] == "UNIQUE"
    if wanted != table or unique != (definition or "").startswith("CREATE UNIQUE"):
        return Probe(Verdict.UNKNOWN, f"index {full} is there, but it is another one: {definition}")
    return Probe(Verdict.DONE, f"index {full} is valid and ready")


def _dropped(session: Session, unit: Unit) -> Probe:
    names = [e.object for e in unit.effects if e.action is Action.DROP and e.object.kind is ObjectKind.RELATION]
    left = [str(n) for n in names if _index(session, n) is not None]
    if left:
        return Probe(Verdict.ABSENT, f"index {', '.join(left)} is still there")
    return Probe(Verdict.DONE, "the index is gone")


def _reindexed(session: Session, unit: Unit) -> Probe:
    rows = session.ask("probes", "reindex_leftovers")
    cleanup = tuple(f"DROP INDEX CONCURRENTLY IF EXISTS {identifier(s or '', n or '')}" for _, s, n in rows)
    if cleanup:
        return Probe(Verdict.LEFTOVER, "unfinished copies of indexes are there", cleanup)
    return Probe(Verdict.ABSENT, "REINDEX may run twice")


def _detached(session: Session, unit: Unit) -> Probe:
    tables = [e.object for e in unit.effects if e.object.kind is ObjectKind.RELATION]
    if len(tables) < 2:
        return Probe(Verdict.UNKNOWN)
    parent, partition = tables[0], tables[1]
    rows = session.ask("probes", "partition", partition.schema, partition.name)
    if not rows:
        return Probe(Verdict.DONE, f"{partition} is no partition any more")
    if rows[0][1] == "true":
        names = [identifier(*(p for p in (t.schema, t.name) if p)) for t in (parent, partition)]
        finish = f"ALTER TABLE {names[0]} DETACH PARTITION {names[1]} FINALIZE"
        return Probe(Verdict.LEFTOVER, f"the detachment of {partition} is pending", (finish,))
    return Probe(Verdict.ABSENT, f"{partition} is still attached")


_PROBES = {
    "create_index_concurrently": _created,
    "drop_index_concurrently": _dropped,
    "reindex_concurrently": _reindexed,
    "detach_concurrently": _detached,
}
