"""What a file has altered so far: in one transaction those locks are held until its end."""

from __future__ import annotations

from bgce_migrate.lint.facts import (
    AddColumn,
    AddConstraint,
    AlterColumnType,
    ColumnDefault,
    DropColumn,
    DropConstraint,
    DropNotNull,
    Ref,
    SetNotNull,
)
from bgce_migrate.lint.facts.fact import TableFact
from bgce_migrate.lint.rule import State

#: Parts of ALTER TABLE that take ACCESS EXCLUSIVE or, some constraints, what stops every write.
ALTERS = (
    AddColumn,
    DropColumn,
    AlterColumnType,
    ColumnDefault,
    SetNotNull,
    DropNotNull,
    AddConstraint,
    DropConstraint,
)


def altered_before(state: State, ref: Ref) -> TableFact | None:
    """The first ALTER of this table in the file's transaction, before the fact at hand; None for new tables."""
    if not state.file.transactional or state.is_fresh(ref):
        return None
    key = state.catalog.key(ref)
    for other in state.earlier(*ALTERS):
        if isinstance(other, TableFact) and state.catalog.key(other.table) == key:
            return other
    return None
