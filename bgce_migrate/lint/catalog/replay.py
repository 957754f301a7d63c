"""From a fact to what it changes in the shadow catalog."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bgce_migrate.lint.catalog import objects, tables
from bgce_migrate.lint.catalog.catalog import Catalog
from bgce_migrate.lint.facts import objects as o
from bgce_migrate.lint.facts import sessions as s
from bgce_migrate.lint.facts import tables as t
from bgce_migrate.lint.facts.fact import Fact


def _add_column(catalog: Catalog, fact: t.AddColumn) -> None:
    table = catalog.relation(fact.table)
    if table is not None and not (fact.if_not_exists and fact.column.name in table.columns):
        tables.add_column(catalog, table, fact.column)


def _drop_column(catalog: Catalog, fact: t.DropColumn) -> None:
    table = catalog.relation(fact.table)
    if table is not None:
        tables.drop_column(catalog, table, fact.column, cascade=fact.cascade)


def _column_type(catalog: Catalog, fact: t.AlterColumnType) -> None:
    table = catalog.relation(fact.table)
    column = table.columns.get(fact.column) if table is not None else None
    if column is not None:
        column.type = fact.type
        column.collation = fact.collation


def _default(catalog: Catalog, fact: t.ColumnDefault) -> None:
    table = catalog.relation(fact.table)
    column = table.columns.get(fact.column) if table is not None else None
    if column is not None:
        column.default = fact.default


def _set_not_null(catalog: Catalog, fact: t.SetNotNull) -> None:
    _nullness(catalog, fact.table, fact.column, True)


def _drop_not_null(catalog: Catalog, fact: t.DropNotNull) -> None:
    _nullness(catalog, fact.table, fact.column, False)


def _nullness(catalog: Catalog, ref: Any, name: str, value: bool) -> None:
    table = catalog.relation(ref)
    column = table.columns.get(name) if table is not None else None
    if column is not None:
        column.not_null = value


def _column_change(catalog: Catalog, fact: t.ColumnChange) -> None:
    table = catalog.relation(fact.table)
    column = table.columns.get(fact.column) if table is not None else None
    if column is None:
        return
    if fact.what == "identity":
        column.identity = "by default"
    elif fact.what == "drop identity":
        column.identity = ""
    elif fact.what == "drop expression":
        column.generated = ""


def _add_constraint(catalog: Catalog, fact: t.AddConstraint) -> None:
    table = catalog.relation(fact.table)
    if table is not None:
        tables.add_constraint(catalog, table, fact.constraint)


def _drop_constraint(catalog: Catalog, fact: t.DropConstraint) -> None:
    table = catalog.relation(fact.table)
    if table is None:
        return
    state = table.constraints.get(fact.name)
    if state is not None and fact.cascade and state.kind in ("primary", "unique"):
        for child, found in list(catalog.children_of(table.key)):
            wanted = found.fact.references.columns if found.fact.references else ()
            if set(wanted or state.columns) == set(state.columns):
                tables.drop_constraint(catalog, child, found.name)
    if state is None:  # since 18 NOT NULL is a constraint with a name of its own
        for column in table.columns.values():
            if f"{table.name}_{column.name}_not_null" == fact.name:
                column.not_null = False
    tables.drop_constraint(catalog, table, fact.name)


def _validate(catalog: Catalog, fact: t.ValidateConstraint) -> None:
    table = catalog.relation(fact.table)
    state = table.constraints.get(fact.name) if table is not None else None
    if table is not None and state is not None:
        state.valid = True
        if state.kind == "not_null":
            for column in state.columns:
                if column in table.columns:
                    table.columns[column].not_null = True


def _alter_constraint(catalog: Catalog, fact: t.AlterConstraint) -> None:
    table = catalog.relation(fact.table)
    state = table.constraints.get(fact.name) if table is not None else None
    if state is not None and fact.enforced is not None:
        state.enforced = fact.enforced


def _table_change(catalog: Catalog, fact: t.TableChange) -> None:
    table = catalog.relation(fact.table)
    if table is None:
        return
    if fact.what in ("logged", "unlogged"):
        table.unlogged = fact.what == "unlogged"
    elif fact.what in ("enable rls", "disable rls"):
        table.row_security = fact.what == "enable rls"
    elif fact.what == "replica identity":
        table.replica_identity = fact.name


def _variable(catalog: Catalog, fact: s.SetVariable) -> None:
    if fact.name == "search_path" or (fact.name == "all" and fact.reset):
        values = tuple(v.strip().strip('"') for value in fact.values for v in value.split(","))
        catalog.path = (
            tuple(v for v in values if v and not v.startswith(("$", "pg_temp"))) or catalog.default_path
        )


_HANDLERS: dict[type[Fact], Callable[[Catalog, Any], None]] = {
    t.AddColumn: _add_column,
    t.AddConstraint: _add_constraint,
    t.AlterColumnType: _column_type,
    t.AlterConstraint: _alter_constraint,
    t.AttachPartition: tables.attach,
    t.ColumnChange: _column_change,
    t.ColumnDefault: _default,
    t.CreateIndex: tables.create_index,
    t.CreateTable: tables.create_table,
    t.DetachPartition: tables.detach,
    t.DropColumn: _drop_column,
    t.DropConstraint: _drop_constraint,
    t.DropNotNull: _drop_not_null,
    t.SetNotNull: _set_not_null,
    t.TableChange: _table_change,
    t.ValidateConstraint: _validate,
    o.CreateDomain: objects.create_domain,
    o.AlterDomain: objects.alter_domain,
    o.CreateEnum: objects.create_enum,
    o.CreateFunction: objects.create_function,
    o.AlterFunction: objects.alter_function,
    o.CreateSchema: objects.create_schema,
    o.CreateTrigger: objects.create_trigger,
    o.CreateType: objects.create_type,
    o.CreateView: objects.create_view,
    o.Drop: objects.drop,
    o.EnumValue: objects.enum_value,
    o.Policy: objects.policy,
    o.Publication: objects.publication,
    o.Rename: objects.rename,
    o.Sequence: objects.sequence,
    o.SetSchema: objects.set_schema,
    s.Dml: tables.dml,
    s.SetVariable: _variable,
}


def apply(catalog: Catalog, fact: Fact) -> None:
    """Change the catalog as the fact says."""
    handler = _HANDLERS.get(type(fact))
    if handler is not None:
        handler(catalog, fact)


def apply_all(catalog: Catalog, facts: Iterable[Fact]) -> None:
    """Change the catalog as the facts say, in order."""
    handlers = _HANDLERS
    for fact in facts:
        handler = handlers.get(type(fact))
        if handler is not None:
            handler(catalog, fact)
