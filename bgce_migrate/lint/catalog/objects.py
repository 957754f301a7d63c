"""How facts about views, types, functions and names change the shadow catalog."""

from __future__ import annotations

from msgspec.structs import replace

from bgce_migrate.lint.catalog import tables
from bgce_migrate.lint.catalog.catalog import Catalog
from bgce_migrate.lint.catalog.state import (
    FunctionState,
    IndexState,
    Key,
    PublicationState,
    TableState,
    TypeState,
)
from bgce_migrate.lint.facts import objects as o

_RELATIONS = frozenset({"table", "view", "materialized view", "sequence", "foreign table"})


def create_view(catalog: Catalog, fact: o.CreateView) -> None:
    """CREATE VIEW and MATERIALIZED VIEW."""
    key = ("pg_temp", fact.table[1]) if fact.temporary else catalog.home(fact.table)
    catalog.has_temporary = catalog.has_temporary or fact.temporary
    if key in catalog.relations and not fact.replace:
        return
    catalog.relations[key] = TableState(
        *key,
        "materialized view" if fact.materialized else "view",
        made_by=catalog.now,
        known=False,
        sources=tuple(catalog.key(ref) for ref in fact.sources),
        uses=frozenset((catalog.key(ref) if ref is not None else None, name) for ref, name in fact.uses),
        outputs=fact.columns,
    )


def create_enum(catalog: Catalog, fact: o.CreateEnum) -> None:
    """CREATE TYPE ... AS ENUM."""
    catalog.types[catalog.home(fact.name)] = TypeState("enum", fact.values, made_by=catalog.now)


def enum_value(catalog: Catalog, fact: o.EnumValue) -> None:
    """ADD VALUE and RENAME VALUE."""
    found = catalog.type(fact.name)
    if found is None:
        return
    if fact.old:
        found.values = tuple(fact.value if value == fact.old else value for value in found.values)
    elif fact.value not in found.values:
        found.values = (*found.values, fact.value)


def create_domain(catalog: Catalog, fact: o.CreateDomain) -> None:
    """CREATE DOMAIN."""
    key = catalog.home(fact.name)
    catalog.types[key] = TypeState("domain", (), fact.constrained, fact.type, catalog.now)


def alter_domain(catalog: Catalog, fact: o.AlterDomain) -> None:
    """ALTER DOMAIN."""
    found = catalog.type(fact.name)
    if found is not None and fact.what in ("add", "set not null"):
        found.constrained = True


def create_type(catalog: Catalog, fact: o.CreateType) -> None:
    """CREATE TYPE of another kind."""
    catalog.types[catalog.home(fact.name)] = TypeState(fact.kind, made_by=catalog.now)


def create_function(catalog: Catalog, fact: o.CreateFunction) -> None:
    """CREATE FUNCTION; OR REPLACE replaces the one with the same arguments."""
    found = catalog.functions.setdefault(catalog.home(fact.name), [])
    found[:] = [f for f in found if f.arguments != fact.arguments]
    found.append(FunctionState(fact.arguments, fact.volatility, fact.language, fact.returns, catalog.now))


def alter_function(catalog: Catalog, fact: o.AlterFunction) -> None:
    """ALTER FUNCTION."""
    if fact.volatility:
        for found in catalog.function(fact.name):
            found.volatility = fact.volatility


def create_schema(catalog: Catalog, fact: o.CreateSchema) -> None:
    """CREATE SCHEMA."""
    catalog.schemas.add(fact.name)


def create_trigger(catalog: Catalog, fact: o.CreateTrigger) -> None:
    """CREATE TRIGGER."""
    table = catalog.relation(fact.table)
    if table is not None:
        table.triggers.add(fact.name)


def policy(catalog: Catalog, fact: o.Policy) -> None:
    """CREATE POLICY."""
    table = catalog.relation(fact.table)
    if table is not None:
        table.policies.add(fact.name)


def publication(catalog: Catalog, fact: o.Publication) -> None:
    """CREATE and ALTER PUBLICATION."""
    found = catalog.publications.setdefault(fact.name, PublicationState())
    found.all_tables = found.all_tables or fact.all_tables
    if fact.what == "set":
        found.tables.clear()
    for ref, columns in fact.tables:
        key = catalog.key(ref)
        if fact.what == "drop":
            found.tables.pop(key, None)
        else:
            found.tables[key] = columns


def sequence(catalog: Catalog, fact: o.Sequence) -> None:
    """CREATE SEQUENCE and OWNED BY."""
    key = catalog.key(fact.name) if fact.alter else catalog.home(fact.name)
    if not fact.alter and key not in catalog.relations:
        catalog.relations[key] = TableState(*key, "sequence", made_by=catalog.now)
    found = catalog.relations.get(key)
    if found is not None and fact.owned_by is not None:
        found.owned_by = (catalog.key(fact.owned_by[0]), fact.owned_by[1])


def drop(catalog: Catalog, fact: o.Drop) -> None:
    """DROP."""
    for ref in fact.names:
        if fact.kind in _RELATIONS:
            found = catalog.relation(ref)
            if found is not None:
                tables.drop_relation(catalog, found)
        elif fact.kind == "index":
            index = catalog.index(ref)
            if index is not None:
                tables.drop_index(catalog, index)
        elif fact.kind in ("type", "domain"):
            _drop_type(catalog, catalog.type_key(ref))
        elif fact.kind in ("function", "procedure", "routine"):
            catalog.functions.pop(catalog.home(ref), None)
        elif fact.kind == "schema":
            _drop_schema(catalog, ref[1])
        elif fact.kind == "publication":
            catalog.publications.pop(ref[1], None)
        else:
            _drop_part(catalog, fact, catalog.relation(ref))


def _drop_part(catalog: Catalog, fact: o.Drop, table: TableState | None) -> None:
    if table is not None and fact.kind == "trigger":
        table.triggers.discard(fact.part)
    elif table is not None and fact.kind == "policy":
        table.policies.discard(fact.part)


def _drop_type(catalog: Catalog, key: Key) -> None:
    if catalog.types.pop(key, None) is not None:
        for table, column in list(catalog.columns_of_type(key)):
            tables.drop_column(catalog, table, column, cascade=True)


def _drop_schema(catalog: Catalog, schema: str) -> None:
    for table in [t for t in catalog.relations.values() if t.schema == schema]:
        tables.drop_relation(catalog, table)
    for key in [k for k in catalog.types if k[0] == schema]:
        del catalog.types[key]
    for key in [k for k in catalog.functions if k[0] == schema]:
        del catalog.functions[key]
    catalog.schemas.discard(schema)


def rename(catalog: Catalog, fact: o.Rename) -> None:
    """ALTER ... RENAME."""
    if fact.kind in _RELATIONS or fact.kind == "index":
        index = catalog.index(fact.name)
        table = catalog.relation(fact.name)
        if index is not None:
            tables.rename_index(catalog, index, fact.to)
        elif table is not None:
            move(catalog, table, (table.schema, fact.to))
    elif fact.kind == "column":
        _rename_column(catalog, fact)
    elif fact.kind == "constraint":
        _rename_constraint(catalog, fact)
    elif fact.kind in ("type", "domain"):
        key = catalog.type_key(fact.name)
        if key in catalog.types:
            catalog.types[(key[0], fact.to)] = catalog.types.pop(key)
            _retype(catalog, key, (key[0], fact.to))
    elif fact.kind in ("function", "procedure", "routine"):
        key = catalog.home(fact.name)
        if key in catalog.functions:
            catalog.functions[(key[0], fact.to)] = catalog.functions.pop(key)


def _retype(catalog: Catalog, old: Key, new: Key) -> None:
    for table, name in list(catalog.columns_of_type(old)):
        column = table.columns[name]
        kept = column.type
        column.type = type(kept)(new[1], new[0], kept.mods, kept.array)


def _rename_column(catalog: Catalog, fact: o.Rename) -> None:
    table = catalog.relation(fact.name)
    if table is None or fact.part not in table.columns:
        return
    old, new = fact.part, fact.to

    def swap(names: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(new if name == old else name for name in names)

    table.columns = {(new if n == old else n): c for n, c in table.columns.items()}
    table.columns[new].name = new
    for view in catalog.views_over(table.key):
        view.uses = frozenset((k, new if n == old and k == table.key else n) for k, n in view.uses)
    for constraint in table.constraints.values():
        constraint.columns = swap(constraint.columns)
    for index in table.indexes.values():
        index.columns, index.include = swap(index.columns), swap(index.include)
        index.expression_columns = swap(index.expression_columns)
        index.predicate_columns = swap(index.predicate_columns)


def _rename_constraint(catalog: Catalog, fact: o.Rename) -> None:
    table = catalog.relation(fact.name)
    if table is None or fact.part not in table.constraints:
        return
    state = table.constraints.pop(fact.part)
    state.name = fact.to
    table.constraints[fact.to] = state
    index: IndexState | None = table.indexes.get(state.index)
    if index is not None:
        index.constraint = fact.to
        tables.rename_index(catalog, index, fact.to)


def move(catalog: Catalog, table: TableState, key: Key) -> None:
    """Give a relation another name or schema; what points at it follows."""
    old = table.key
    del catalog.relations[old]
    table.schema, table.name = key
    catalog.relations[key] = table
    for index in table.indexes.values():
        catalog.indexes.pop((index.schema, index.name), None)
        index.table, index.schema = key, key[0]
        catalog.indexes[(index.schema, index.name)] = index
    for other in catalog.relations.values():
        for constraint in other.constraints.values():
            if constraint.references == old:
                constraint.references = key
        if old in other.sources:
            other.sources = tuple(key if source == old else source for source in other.sources)
            other.uses = frozenset((key if source == old else source, name) for source, name in other.uses)
        if other.parent == old:
            other.parent = key
        if other.owned_by is not None and other.owned_by[0] == old:
            other.owned_by = (key, other.owned_by[1])
        if old in other.partitions:
            other.partitions = [key if part == old else part for part in other.partitions]
            other.default_partition = key if other.default_partition == old else other.default_partition


def set_schema(catalog: Catalog, fact: o.SetSchema) -> None:
    """ALTER ... SET SCHEMA."""
    if fact.kind in _RELATIONS:
        table = catalog.relation(fact.name)
        if table is not None:
            move(catalog, table, (fact.to, table.name))
    elif fact.kind in ("type", "domain"):
        key = catalog.type_key(fact.name)
        if key in catalog.types:
            catalog.types[(fact.to, key[1])] = replace(catalog.types.pop(key))
            _retype(catalog, key, (fact.to, key[1]))
