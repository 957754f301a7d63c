"""What the shadow catalog knows of each object."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct, field

from bgce_migrate.lint.facts.values import Bound, Constraint, Ref, Type
from bgce_migrate.migration import MigrationId

#: Schema and name, both known.
Key: TypeAlias = tuple[str, str]


class ColumnState(Struct):
    """A column. `default` and `generated` as in `facts.Column`; `backfilled` once an UPDATE has set it."""

    name: str
    type: Type
    not_null: bool = False
    default: str = "none"
    identity: str = ""
    generated: str = ""
    collation: str = ""
    made_by: MigrationId | None = None
    backfilled: bool = False


class ConstraintState(Struct):
    """A constraint under the name it has on the server."""

    name: str
    fact: Constraint
    valid: bool
    enforced: bool = True
    columns: tuple[str, ...] = ()
    references: Key | None = None
    index: str = ""
    made_by: MigrationId | None = None

    @property
    def kind(self) -> str:
        """See `facts.Constraint.kind`."""
        return self.fact.kind


class IndexState(Struct):
    """An index.

    Attributes:
        columns: plain key columns; "" for an expression.
        expression_columns: what key expressions read.
        predicate_columns: what WHERE reads; `predicate` if there is one.
        constraint: the constraint it carries, or "".
        valid: False for an ON ONLY index of a partitioned table.
    """

    name: str
    schema: str
    table: Key
    columns: tuple[str, ...]
    unique: bool = False
    method: str = "btree"
    include: tuple[str, ...] = ()
    expression_columns: tuple[str, ...] = ()
    predicate_columns: tuple[str, ...] = ()
    predicate: bool = False
    constraint: str = ""
    valid: bool = True
    directed: bool = False
    made_by: MigrationId | None = None

    @property
    def rebuilds(self) -> frozenset[str]:
        """Columns whose type change rebuilds this index even where the table is left alone."""
        inner = {*self.expression_columns, *self.predicate_columns}
        if self.method not in ("btree", "hash"):
            inner.update(c for c in self.columns if c)
        return frozenset(inner)

    @property
    def reads(self) -> frozenset[str]:
        """All columns it depends on."""
        return frozenset(
            c for c in (*self.columns, *self.include, *self.expression_columns) if c
        ) | frozenset(self.predicate_columns)


class TableState(Struct):
    """A relation.

    Attributes:
        kind: "table", "partitioned", "foreign", "view", "materialized view" or "sequence".
        proven: the replay shows that `made_by` made it (not an IF NOT EXISTS over an unknown past).
        known: all its columns are known.
        sources: for views, the relations they read; `uses` the columns they mention: relation (None if
            it cannot be told) and name ("*" for all).
        filled: rows were inserted since it was made.
    """

    schema: str
    name: str
    kind: str = "table"
    columns: dict[str, ColumnState] = field(default_factory=dict)
    constraints: dict[str, ConstraintState] = field(default_factory=dict)
    indexes: dict[str, IndexState] = field(default_factory=dict)
    made_by: MigrationId | None = None
    proven: bool = True
    known: bool = True
    temporary: bool = False
    filled: bool = False
    unlogged: bool = False
    row_security: bool = False
    policies: set[str] = field(default_factory=set)
    triggers: set[str] = field(default_factory=set)
    partition_by: str = ""
    partition_keys: tuple[str, ...] = ()
    parent: Key | None = None
    bound: Bound | None = None
    partitions: list[Key] = field(default_factory=list)
    default_partition: Key | None = None
    sources: tuple[Key, ...] = ()
    uses: frozenset[tuple[Key | None, str]] = frozenset()
    outputs: tuple[str, ...] = ()
    owned_by: tuple[Key, str] | None = None
    replica_identity: str = ""

    @property
    def key(self) -> Key:
        """Schema and name."""
        return (self.schema, self.name)

    @property
    def primary_key(self) -> ConstraintState | None:
        """Its primary key."""
        return next((c for c in self.constraints.values() if c.kind == "primary"), None)

    def proves_not_null(self, column: str) -> bool:
        """Whether a valid, enforced CHECK says that the column is not null."""
        return any(
            c.kind == "check" and c.valid and c.enforced and column in c.fact.not_nulls
            for c in self.constraints.values()
        )


class TypeState(Struct):
    """A type: "enum", "domain", "composite", "range" or "base"; `base` is a domain's underlying type."""

    kind: str
    values: tuple[str, ...] = ()
    constrained: bool = False
    base: Type | None = None
    made_by: MigrationId | None = None


class FunctionState(Struct):
    """One function of a name: its argument types, volatility and language."""

    arguments: tuple[str, ...]
    volatility: str
    language: str
    returns: str
    made_by: MigrationId | None = None


class PublicationState(Struct):
    """A publication: all tables, or these with their column lists."""

    all_tables: bool = False
    tables: dict[Key, tuple[str, ...]] = field(default_factory=dict)


def shown(key: Key | Ref) -> str:
    """A name as people write it."""
    schema, name = key
    return name if schema in (None, "public", "pg_temp") else f"{schema}.{name}"
