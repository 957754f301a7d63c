"""How facts about tables change the shadow catalog."""

from __future__ import annotations

from msgspec.structs import replace

from bgce_migrate.lint.catalog import naming
from bgce_migrate.lint.catalog.catalog import Catalog
from bgce_migrate.lint.catalog.state import ColumnState, ConstraintState, IndexState, TableState
from bgce_migrate.lint.facts import tables as t
from bgce_migrate.lint.facts.sessions import Dml
from bgce_migrate.lint.facts.values import Column, Constraint


def create_table(catalog: Catalog, fact: t.CreateTable) -> None:
    """CREATE TABLE in all its forms."""
    key = ("pg_temp", fact.table[1]) if fact.temporary else catalog.home(fact.table)
    catalog.has_temporary = catalog.has_temporary or fact.temporary
    if key in catalog.relations:
        if fact.if_not_exists or fact.at.guarded:
            return
        drop_relation(catalog, catalog.relations[key])
    kind = "partitioned" if fact.partition_by else "foreign" if fact.foreign else "table"
    table = TableState(
        *key,
        kind,
        made_by=catalog.now,
        proven=catalog.complete or not (fact.if_not_exists or fact.at.guarded),
        known=not fact.as_query and fact.of_type is None,
        temporary=fact.temporary,
        filled=fact.as_query,
        unlogged=fact.unlogged,
        partition_by=fact.partition_by,
        partition_keys=fact.partition_keys,
    )
    catalog.relations[key] = table
    for source in (*fact.like, *fact.inherits, *([fact.partition_of] if fact.partition_of else ())):
        _copy_columns(catalog, table, catalog.relation(source))
    for column in fact.columns:
        add_column(catalog, table, column)
    for constraint in fact.constraints:
        add_constraint(catalog, table, constraint)
    if fact.partition_of is not None:
        attach(catalog, t.AttachPartition(fact.at, fact.partition_of, key, fact.bound))


def _copy_columns(catalog: Catalog, table: TableState, source: TableState | None) -> None:
    if source is None:
        table.known = False
        return
    table.known = table.known and source.known
    for column in source.columns.values():
        table.columns[column.name] = replace(column, identity="", made_by=catalog.now)


def add_column(catalog: Catalog, table: TableState, column: Column) -> None:
    """A column with its inline constraints."""
    default = column.default
    if default == "unknown":
        default = (
            "volatile" if column.function and catalog.volatility(column.function) == "volatile" else "stable"
        )
    table.columns[column.name] = ColumnState(
        column.name,
        column.type,
        column.not_null,
        default,
        column.identity,
        column.generated,
        column.collation,
        catalog.now,
    )
    for constraint in column.constraints:
        add_constraint(catalog, table, constraint)
    if column.type.serial or column.identity:
        name = naming.free_name(table.name, column.name, "seq", _Names(catalog, table.schema))
        catalog.relations[(table.schema, name)] = TableState(
            table.schema, name, "sequence", made_by=catalog.now, owned_by=(table.key, column.name)
        )


class _Names:
    """Names of relations and indexes of one schema."""

    def __init__(self, catalog: Catalog, schema: str) -> None:
        self._catalog, self._schema = catalog, schema

    def __contains__(self, name: object) -> bool:
        key = (self._schema, str(name))
        return key in self._catalog.relations or key in self._catalog.indexes


def add_constraint(catalog: Catalog, table: TableState, fact: Constraint) -> None:
    """A constraint and the index it brings."""
    columns = fact.columns
    index = catalog.indexes.get((table.schema, fact.using_index)) if fact.using_index else None
    if index is not None:
        columns = tuple(c for c in index.columns if c)
    name = fact.name or fact.using_index
    name = name or naming.constraint_name(table.name, fact.kind, columns, table.constraints)
    references = catalog.key(fact.references.table) if fact.references else None
    state = ConstraintState(name, fact, fact.valid, fact.enforced, columns, references, made_by=catalog.now)
    table.constraints[name] = state
    if (fact.kind == "not_null" and fact.valid) or fact.kind == "primary":
        for column in columns:
            if column in table.columns:
                table.columns[column].not_null = True
    if fact.kind in ("unique", "primary", "exclude"):
        state.index = name
        if index is not None:
            _rename_index(catalog, index, name)
            index.constraint = name
            return
        method = "gist" if fact.kind == "exclude" else "btree"
        unique = fact.kind != "exclude"
        put_index(
            catalog,
            table,
            IndexState(
                name, table.schema, table.key, columns, unique, method, constraint=name, made_by=catalog.now
            ),
        )


def put_index(catalog: Catalog, table: TableState | None, index: IndexState) -> None:
    """Enter an index."""
    catalog.indexes[(index.schema, index.name)] = index
    if table is not None:
        table.indexes[index.name] = index


def _rename_index(catalog: Catalog, index: IndexState, name: str) -> None:
    table = catalog.relations.get(index.table)
    catalog.indexes.pop((index.schema, index.name), None)
    if table is not None:
        table.indexes.pop(index.name, None)
        for constraint in table.constraints.values():
            if constraint.index == index.name:
                constraint.index = name
    index.name = name
    put_index(catalog, table, index)


def rename_index(catalog: Catalog, index: IndexState, name: str) -> None:
    """ALTER INDEX ... RENAME; a constraint's index takes the constraint along."""
    table = catalog.relations.get(index.table)
    if table is not None and index.constraint in table.constraints:
        state = table.constraints.pop(index.constraint)
        state.name = index.constraint = name
        table.constraints[name] = state
    _rename_index(catalog, index, name)


def create_index(catalog: Catalog, fact: t.CreateIndex) -> None:
    """CREATE INDEX."""
    key = catalog.key(fact.table)
    table = catalog.relations.get(key)
    name = fact.name or naming.index_name(key[1], fact.columns, _Names(catalog, key[0]))
    if (key[0], name) in catalog.indexes and fact.if_not_exists:
        return
    valid = not (fact.only and table is not None and table.kind == "partitioned")
    put_index(
        catalog,
        table,
        IndexState(
            name,
            key[0],
            key,
            fact.columns,
            fact.unique,
            fact.method,
            fact.include,
            fact.expression_columns,
            fact.predicate_columns,
            fact.predicate,
            valid=valid,
            directed=fact.directed,
            made_by=catalog.now,
        ),
    )


def drop_index(catalog: Catalog, index: IndexState) -> None:
    """Take an index away."""
    catalog.indexes.pop((index.schema, index.name), None)
    table = catalog.relations.get(index.table)
    if table is not None:
        table.indexes.pop(index.name, None)


def drop_constraint(catalog: Catalog, table: TableState, name: str) -> None:
    """Take a constraint and its index away."""
    state = table.constraints.pop(name, None)
    if state is None:
        return
    index = table.indexes.get(state.index)
    if index is not None:
        drop_index(catalog, index)
    if state.kind == "not_null":
        for column in state.columns:
            if column in table.columns:
                table.columns[column].not_null = False


def drop_column(catalog: Catalog, table: TableState, column: str, *, cascade: bool) -> None:
    """Take a column away with the indexes and constraints over it."""
    for index in [i for i in table.indexes.values() if column in i.reads and not i.constraint]:
        drop_index(catalog, index)
    for name in [n for n, c in table.constraints.items() if column in c.columns]:
        drop_constraint(catalog, table, name)
    if cascade:
        for view in list(catalog.views_over(table.key, column)):
            drop_relation(catalog, view)
    table.columns.pop(column, None)


def drop_relation(catalog: Catalog, table: TableState) -> None:
    """Take a relation away with its indexes, partitions, sequences, foreign keys on it and views over it."""
    if catalog.relations.pop(table.key, None) is None:
        return
    for index in list(table.indexes.values()):
        catalog.indexes.pop((index.schema, index.name), None)
    for child in table.partitions:
        if child in catalog.relations:
            drop_relation(catalog, catalog.relations[child])
    if table.kind == "sequence":
        return
    for other in list(catalog.relations.values()):
        if table.key in other.sources:
            drop_relation(catalog, other)
        elif other.owned_by is not None and other.owned_by[0] == table.key:
            catalog.relations.pop(other.key, None)
        else:
            for name in [n for n, c in other.constraints.items() if c.references == table.key]:
                drop_constraint(catalog, other, name)
    parent = catalog.relations.get(table.parent) if table.parent else None
    if parent is not None:
        _leave(parent, table)


def _leave(parent: TableState, child: TableState) -> None:
    if child.key in parent.partitions:
        parent.partitions.remove(child.key)
    if parent.default_partition == child.key:
        parent.default_partition = None


def attach(catalog: Catalog, fact: t.AttachPartition) -> None:
    """ATTACH PARTITION, of tables and of indexes."""
    parent, child = catalog.relation(fact.table), catalog.relation(fact.partition)
    if fact.bound is None:
        index = catalog.index(fact.table)
        if index is not None:
            index.valid = True
        return
    if child is not None:
        child.parent, child.bound = catalog.key(fact.table), fact.bound
    if parent is not None:
        key = catalog.key(fact.partition)
        parent.partitions.append(key)
        if fact.bound.strategy == "default":
            parent.default_partition = key


def detach(catalog: Catalog, fact: t.DetachPartition) -> None:
    """DETACH PARTITION."""
    parent, child = catalog.relation(fact.table), catalog.relation(fact.partition)
    if child is not None:
        child.parent = child.bound = None
        if parent is not None:
            _leave(parent, child)


def dml(catalog: Catalog, fact: Dml) -> None:
    """Rows arrive, or columns are filled."""
    table = catalog.relation(fact.table)
    if table is None:
        return
    if fact.kind in ("insert", "copy", "merge"):
        table.filled = True
    elif fact.kind == "update":
        for name in fact.columns:
            if name in table.columns:
                table.columns[name].backfilled = True
