"""A journaled file cut into units: what commits together, and what runs alone outside a transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from msgspec import Struct

from bgce_migrate.db.history import OpenUnit
from bgce_migrate.effect import Action, Effect, Name, ObjectKind
from bgce_migrate.errors import Refused, SqlFileError, Where
from bgce_migrate.migration import Script, Statement, Step

#: Statements that may run twice without harm.
_HARMLESS_TWICE = frozenset({"vacuum", "analyze"})


class Unit(Struct, frozen=True):
    """One statement, or the statements between a file's own BEGIN and COMMIT.

    Attributes:
        number: its place in the file, from 1.
        transactional: its record commits with it; else it needs a probe.
        session: a SET for the session: run anew at every resume, never recorded.
        effects: what its statements do, for the probe.
    """

    number: int
    statements: tuple[Statement, ...]
    transactional: bool
    session: bool
    effects: tuple[Effect, ...]
    rolls_back: bool = False

    @property
    def tag(self) -> str:
        """The kind of a non-transactional statement, e.g. create_index_concurrently."""
        return self.statements[0].tag if len(self.statements) == 1 else ""

    @property
    def digest(self) -> str:
        """Tells whether a unit already done was edited since."""
        text = "\x00".join(" ".join(s.text.split()) for s in self.statements)
        return hashlib.sha256(text.encode()).hexdigest()

    def made(self, *actions: Action, kind: ObjectKind = ObjectKind.RELATION) -> Name | None:
        """The first object of `kind` that its statements do `actions` to."""
        for effect in self.effects:
            if effect.action in actions and effect.object.kind is kind:
                return effect.object
        return None


def cut(script: Script) -> tuple[Unit, ...]:
    """The units of a script, in order. A BEGIN without an end reaches to the end of the file."""
    units: list[Unit] = []
    block: list[tuple[int, Statement]] | None = None
    by_statement: dict[int, list[Effect]] = {}
    for effect in script.effects:
        by_statement.setdefault(effect.statement, []).append(effect)

    def add(members: list[tuple[int, Statement]], rolls_back: bool = False) -> None:
        if not members:
            return
        statements = tuple(s for _, s in members)
        effects = tuple(e for i, _ in members for e in by_statement.get(i, ()))
        alone = len(statements) == 1
        session = alone and statements[0].kind == "VariableSetStmt"
        transactional = all(s.transactional for s in statements)
        units.append(Unit(len(units) + 1, statements, transactional, session, effects, rolls_back))

    for index, statement in enumerate(script.statements):
        if statement.control == "begin":
            add(block or [])
            block = []
        elif statement.control in ("commit", "rollback"):
            add(block or [], rolls_back=statement.control == "rollback")
            block = None
        elif block is not None:
            block.append((index, statement))
        else:
            add([(index, statement)])
    add(block or [])
    return tuple(units)


def require_resumable(script: Script, units: tuple[Unit, ...]) -> None:
    """Refuse a file that could not be resumed after a crash (declared domains).

    Raises:
        SqlFileError: a non-transactional statement has neither a probe nor `repeatable`/`done-when`.
    """
    directives = script.directives
    if directives.repeatable or directives.done_when:
        return
    for unit in units:
        if unit.transactional or unit.session or unit.tag in _HARMLESS_TWICE:
            continue
        statement = unit.statements[0]
        where = Where(script.source.path, statement.line, statement.column)
        if unit.tag == "create_index_concurrently" and unit.made(Action.MAKE, Action.REPLACE) is None:
            raise SqlFileError(
                "an index built CONCURRENTLY needs a name here: without one nobody can see whether it is done",
                hint="write CREATE INDEX CONCURRENTLY name ON ...",
                where=where,
            )
        if not unit.tag:
            raise SqlFileError(
                "after a crash nobody could see whether this statement was done",
                hint='add `-- bgce: done-when "SELECT ..."` or `-- bgce: repeatable`',
                where=where,
            )


def require_unchanged(step: Step, units: tuple[Unit, ...], recorded: Mapping[int, OpenUnit]) -> None:
    """Refuse a file whose units that are done were edited since (exit 3).

    Args:
        recorded: the open journal rows of this file, by unit.
    """
    by_number = {u.number: u for u in units}
    for number, entry in recorded.items():
        unit = by_number.get(number)
        if entry.done and (unit is None or unit.digest != entry.unit_hash):
            raise Refused(
                f"{step.id}: unit {number} is already done and was edited since",
                hint=f"put its old text back, or: bgce-migrate repair --forget-journal {step.id.short}",
                where=Where(step.script.source.path, unit.statements[0].line if unit else None),
            )
