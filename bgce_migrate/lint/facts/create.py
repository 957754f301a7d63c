"""Facts of CREATE TABLE, INDEX and VIEW."""

from __future__ import annotations

from typing import Any

from bgce_migrate.lint.facts import definitions
from bgce_migrate.lint.facts.expressions import columns_of
from bgce_migrate.lint.facts.objects import CreateView
from bgce_migrate.lint.facts.queries import outputs, query_facts, sources_of, words_of
from bgce_migrate.lint.facts.reader import Reader, options, relation, strings
from bgce_migrate.lint.facts.tables import CreateIndex, CreateTable
from bgce_migrate.lint.facts.values import Column, Constraint, Ref
from bgce_migrate.sqlparse import pb

TEMPORARY = "t"


def is_temporary(range_var: Any) -> bool:
    """CREATE TEMP, or a name in pg_temp."""
    return bool(range_var.relpersistence == TEMPORARY or range_var.schemaname == "pg_temp")


def create_table(reader: Reader, node: Any) -> None:
    """CREATE TABLE."""
    _table(reader, node)


def create_foreign_table(reader: Reader, node: Any) -> None:
    """CREATE FOREIGN TABLE."""
    _table(reader, node.base_stmt, foreign=True)


def _table(reader: Reader, node: Any, *, foreign: bool = False) -> None:
    columns: list[Column] = []
    constraints: list[Constraint] = []
    like: list[Ref] = []
    like_all = False
    for item in node.table_elts[:]:
        which = item.WhichOneof("node")
        if which == "column_def":
            columns.append(definitions.column(reader, item.column_def))
        elif which == "constraint":
            constraints.append(definitions.constraint(reader, item.constraint))
        elif which == "table_like_clause":
            like.append(relation(item.table_like_clause.relation))
            like_all = like_all or item.table_like_clause.options != 0
    parents = tuple([relation(parent.range_var) for parent in node.inh_relations[:]])
    part = node.HasField("partbound")
    strategy, keys = definitions.partition_by(node.partspec) if node.HasField("partspec") else ("", ())
    rel = node.relation
    reader.add(
        CreateTable(
            reader.place(rel.location),
            relation(rel),
            tuple(columns),
            tuple(constraints),
            node.if_not_exists,
            is_temporary(rel),
            rel.relpersistence == "u",
            foreign,
            strategy,
            keys,
            parents[0] if part else None,
            definitions.bound(node.partbound) if part else None,
            () if part else parents,
            tuple(like),
            like_all,
            definitions.type_ref(definitions.type_of(node.of_typename))
            if node.HasField("of_typename")
            else None,
        )
    )


def create_table_as(reader: Reader, node: Any) -> None:
    """CREATE TABLE AS and CREATE MATERIALIZED VIEW."""
    rel = node.into.rel
    place = reader.place(rel.location)
    which = node.query.WhichOneof("node")
    select = node.query.select_stmt if which == "select_stmt" else None
    sources = sources_of(select) if select is not None else ()
    if node.objtype == pb.OBJECT_MATVIEW:
        columns, uses = (outputs(select), words_of(select)) if select is not None else (("*",), ())
        reader.add(
            CreateView(
                place,
                relation(rel),
                materialized=True,
                if_not_exists=node.if_not_exists,
                columns=tuple(strings(node.into.col_names)) or columns,
                sources=sources,
                uses=uses,
            )
        )
        return
    reader.add(
        CreateTable(
            place,
            relation(rel),
            if_not_exists=node.if_not_exists,
            temporary=is_temporary(rel),
            unlogged=rel.relpersistence == "u",
            as_query=True,
            sources=sources,
        )
    )
    if select is not None:
        query_facts(reader, select)


def create_view(reader: Reader, node: Any) -> None:
    """CREATE VIEW."""
    select = node.query.select_stmt
    named = tuple(strings(node.aliases))
    reader.add(
        CreateView(
            reader.place(node.view.location),
            relation(node.view),
            node.replace,
            temporary=is_temporary(node.view),
            columns=named or outputs(select),
            sources=sources_of(select),
            uses=words_of(select),
            options=tuple(options(node.options)),
        )
    )


def create_index(reader: Reader, node: Any) -> None:
    """CREATE INDEX."""
    columns: list[str] = []
    inner: list[str] = []
    directed = False
    for item in node.index_params[:]:
        element = item.index_elem
        columns.append(element.name)
        if element.HasField("expr"):
            inner.extend(columns_of(element.expr))
        directed = (
            directed or bool(element.opclass or element.collation) or element.ordering == pb.SORTBY_DESC
        )
    predicate = node.HasField("where_clause")
    table = node.relation
    reader.add(
        CreateIndex(
            reader.place(table.location),
            relation(table),
            node.idxname,
            tuple(columns),
            tuple([item.index_elem.name for item in node.index_including_params[:]]),
            tuple(dict.fromkeys(inner)),
            columns_of(node.where_clause) if predicate else (),
            predicate,
            node.unique,
            node.concurrent,
            node.if_not_exists,
            not table.inh,
            node.access_method or "btree",
            directed,
        )
    )
