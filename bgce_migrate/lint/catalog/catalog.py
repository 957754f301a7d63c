"""The shadow catalog: the objects that the migrations replayed so far have left."""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.lint.catalog.state import (
    ConstraintState,
    FunctionState,
    IndexState,
    Key,
    PublicationState,
    TableState,
    TypeState,
)
from bgce_migrate.lint.facts.values import Ref
from bgce_migrate.migration import MigrationId


class Catalog:
    """Objects by schema and name; changed only by `replay.apply`.

    Attributes:
        path: where names without schema are looked for; the first real schema is where they are made.
        now: the migration being replayed.
        has_temporary: a relation of `pg_temp` was made since the last migration began.
        complete: the replay began with an empty database, so what is not here does not exist.
    """

    __slots__ = (
        "complete",
        "default_path",
        "functions",
        "has_temporary",
        "indexes",
        "now",
        "path",
        "publications",
        "relations",
        "schemas",
        "types",
    )

    def __init__(self, *, complete: bool = True) -> None:
        self.relations: dict[Key, TableState] = {}
        self.indexes: dict[Key, IndexState] = {}
        self.types: dict[Key, TypeState] = {}
        self.functions: dict[Key, list[FunctionState]] = {}
        self.publications: dict[str, PublicationState] = {}
        self.schemas: set[str] = {"public"}
        self.complete = complete
        self.has_temporary = False
        self.now: MigrationId | None = None
        self.default_path: tuple[str, ...] = ("public",)
        self.path: tuple[str, ...] = ("public",)

    def begin(self, migration: MigrationId, schema: str) -> None:
        """Start a migration of a domain whose objects are made in `schema`."""
        self.now = migration
        self.default_path = ("public",) if schema == "public" else (schema, "public")
        self.path = self.default_path
        if self.has_temporary:
            self.has_temporary = False
            for key in [key for key in self.relations if key[0] == "pg_temp"]:
                del self.relations[key]

    def home(self, ref: Ref) -> Key:
        """Where an object of that name would be made."""
        schema, name = ref
        return (schema or (self.path[0] if self.path else "public"), name)

    def key(self, ref: Ref) -> Key:
        """The relation or index a name means, or where it would be."""
        schema, name = ref
        if schema is not None:
            return ("pg_temp" if schema.startswith("pg_temp") else schema, name)
        for schema in ("pg_temp", *self.path):
            if (schema, name) in self.relations or (schema, name) in self.indexes:
                return (schema, name)
        return self.home(ref)

    def relation(self, ref: Ref) -> TableState | None:
        """The table, view or sequence of a name."""
        return self.relations.get(self.key(ref))

    def index(self, ref: Ref) -> IndexState | None:
        """The index of a name."""
        return self.indexes.get(self.key(ref))

    def type(self, ref: Ref) -> TypeState | None:
        """The type of a name, where a migration made it."""
        schema, name = ref
        for found in (schema,) if schema is not None else self.path:
            if (found, name) in self.types:
                return self.types[(found, name)]
        return None

    def type_key(self, ref: Ref) -> Key:
        """The type a name means, or where it would be."""
        schema, name = ref
        for found in (schema,) if schema is not None else self.path:
            if (found, name) in self.types:
                return (found, name)
        return self.home(ref)

    def function(self, ref: Ref) -> list[FunctionState]:
        """The functions of a name, where migrations made them."""
        schema, name = ref
        for found in (schema,) if schema is not None else self.path:
            if (found, name) in self.functions:
                return self.functions[(found, name)]
        return []

    def volatility(self, ref: Ref) -> str:
        """`volatile`, `stable` or `immutable`; "stable" for what is not ours and without schema: a built-in."""
        found = self.function(ref)
        if found:
            order = ("immutable", "stable", "volatile")
            return max((f.volatility for f in found), key=order.index)
        return "stable" if ref[0] is None else "volatile"

    def children_of(self, key: Key) -> Iterator[tuple[TableState, ConstraintState]]:
        """Foreign keys that point at a table, with the tables they are on."""
        for table in self.relations.values():
            for found in table.constraints.values():
                if found.references == key:
                    yield table, found

    def views_over(self, key: Key, column: str | None = None) -> Iterator[TableState]:
        """Views that read a table, or mention one of its columns."""
        for view in self.relations.values():
            if key not in view.sources:
                continue
            if column is None or any(k in (key, None) and name in (column, "*") for k, name in view.uses):
                yield view

    def columns_of_type(self, key: Key) -> Iterator[tuple[TableState, str]]:
        """Columns whose type is the one of that key."""
        for table in self.relations.values():
            for column in table.columns.values():
                kind = column.type
                if kind.name == key[1] and (kind.schema or key[0]) == key[0]:
                    yield table, column.name

    def published(self, key: Key) -> list[tuple[str, tuple[str, ...]]]:
        """Publications with a table, and their column lists (empty: all columns)."""
        return [
            (name, publication.tables.get(key, ()))
            for name, publication in self.publications.items()
            if publication.all_tables or key in publication.tables
        ]
