"""Facts about tables, their columns, constraints, indexes and partitions."""

from __future__ import annotations

from bgce_migrate.lint.facts.fact import Fact, TableFact
from bgce_migrate.lint.facts.values import Bound, Column, Constraint, Ref, Type


class AddColumn(TableFact, frozen=True):
    """ALTER TABLE ... ADD COLUMN."""

    column: Column
    if_not_exists: bool = False


class DropColumn(TableFact, frozen=True):
    """ALTER TABLE ... DROP COLUMN."""

    column: str
    if_exists: bool = False
    cascade: bool = False


class AlterColumnType(TableFact, frozen=True):
    """ALTER COLUMN ... TYPE; `using` is "", "cast" (`col::type`) or "other"."""

    column: str
    type: Type
    using: str = ""
    collation: str = ""


class ColumnDefault(TableFact, frozen=True):
    """SET DEFAULT; with `default` "none" DROP DEFAULT."""

    column: str
    default: str = "none"
    function: Ref | None = None


class SetNotNull(TableFact, frozen=True):
    """ALTER COLUMN ... SET NOT NULL."""

    column: str


class DropNotNull(TableFact, frozen=True):
    """ALTER COLUMN ... DROP NOT NULL."""

    column: str


class ColumnChange(TableFact, frozen=True):
    """Another change of a column.

    `what`: identity, set identity, drop identity, set expression, drop expression, storage, compression,
    statistics, options.
    """

    column: str
    what: str


class AddConstraint(TableFact, frozen=True):
    """ALTER TABLE ... ADD CONSTRAINT."""

    constraint: Constraint


class DropConstraint(TableFact, frozen=True):
    """ALTER TABLE ... DROP CONSTRAINT."""

    name: str
    if_exists: bool = False
    cascade: bool = False


class ValidateConstraint(TableFact, frozen=True):
    """ALTER TABLE ... VALIDATE CONSTRAINT."""

    name: str


class AlterConstraint(TableFact, frozen=True):
    """ALTER TABLE ... ALTER CONSTRAINT; `enforced` is None where it is not said."""

    name: str
    enforced: bool | None = None


class TableChange(TableFact, frozen=True):
    """Another change of a relation.

    `what`: unlogged, logged, tablespace, access method, cluster on, owner, replica identity, enable rls,
    disable rls, force rls, no force rls, enable trigger, disable trigger, inherit, no inherit, options, rule, of.
    """

    what: str
    name: str = ""
    other: Ref | None = None


class AttachPartition(TableFact, frozen=True):
    """ALTER TABLE ... ATTACH PARTITION; `bound` is None for ALTER INDEX ... ATTACH PARTITION."""

    partition: Ref
    bound: Bound | None = None


class DetachPartition(TableFact, frozen=True):
    """ALTER TABLE ... DETACH PARTITION [CONCURRENTLY | FINALIZE]."""

    partition: Ref
    concurrently: bool = False
    finalize: bool = False


class CreateTable(TableFact, frozen=True):
    """CREATE TABLE, also as PARTITION OF, AS query, foreign.

    Attributes:
        partition_by: "" or "list", "range", "hash".
        partition_keys: key columns; "" for an expression.
        as_query: CREATE TABLE AS or SELECT INTO.
        sources: relations the query reads.
    """

    columns: tuple[Column, ...] = ()
    constraints: tuple[Constraint, ...] = ()
    if_not_exists: bool = False
    temporary: bool = False
    unlogged: bool = False
    foreign: bool = False
    partition_by: str = ""
    partition_keys: tuple[str, ...] = ()
    partition_of: Ref | None = None
    bound: Bound | None = None
    inherits: tuple[Ref, ...] = ()
    like: tuple[Ref, ...] = ()
    like_all: bool = False
    of_type: Ref | None = None
    as_query: bool = False
    sources: tuple[Ref, ...] = ()


class CreateIndex(TableFact, frozen=True):
    """CREATE INDEX.

    Attributes:
        columns: plain key columns; "" for an expression.
        expression_columns: columns that key expressions read.
        predicate_columns: columns that WHERE reads.
    """

    name: str = ""
    columns: tuple[str, ...] = ()
    include: tuple[str, ...] = ()
    expression_columns: tuple[str, ...] = ()
    predicate_columns: tuple[str, ...] = ()
    predicate: bool = False
    unique: bool = False
    concurrently: bool = False
    if_not_exists: bool = False
    only: bool = False
    method: str = "btree"
    directed: bool = False


class Truncate(Fact, frozen=True):
    """TRUNCATE."""

    tables: tuple[Ref, ...]
    cascade: bool = False


class LockTable(Fact, frozen=True):
    """LOCK TABLE."""

    tables: tuple[Ref, ...]
    mode: int = 8
    nowait: bool = False
