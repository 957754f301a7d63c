"""SELECT, INSERT, UPDATE, DELETE and MERGE: what they read and write."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bgce_migrate.effect import Action, ObjectKind
from bgce_migrate.sqlfile.effects.expressions import Scope, expressions
from bgce_migrate.sqlfile.effects.reading import Reading, Ref, relation
from bgce_migrate.sqlparse import pb

_WRITTEN_COLUMN = "column of a write"


def query(reading: Reading, node: Any, outer: Scope | None = None) -> None:
    """Read a Node that holds a SELECT or a data-changing statement."""
    which = node.WhichOneof("node")
    reader = _QUERIES.get(which)
    if reader is not None:
        reader(reading, getattr(node, which), outer)


def select(reading: Reading, statement: Any, outer: Scope | None = None) -> None:
    """Read a SelectStmt; chains of UNION are taken from a stack, because they are deep."""
    stack = [(statement, outer)]
    while stack:
        part, around = stack.pop()
        scope = Scope(around)
        if part.HasField("with_clause"):
            _with(reading, part.with_clause, scope)
        if part.op == pb.SETOP_NONE:
            _plain_select(reading, part, scope)
        else:
            stack += [(part.rarg, scope), (part.larg, scope)]
            expressions(reading, (*part.sort_clause, part.limit_offset, part.limit_count), scope)


def _plain_select(reading: Reading, part: Any, scope: Scope) -> None:
    from_items(reading, part.from_clause, scope)
    if part.HasField("into_clause"):
        into_table(reading, part.into_clause)
    nodes: list[Any] = [*part.target_list, *part.distinct_clause, *part.values_lists, *part.window_clause]
    for field in ("where_clause", "having_clause", "limit_offset", "limit_count"):
        if part.HasField(field):
            nodes.append(getattr(part, field))
    expressions(reading, nodes, scope)
    if part.sort_clause or part.group_clause:
        scope.outputs = {target.res_target.name for target in part.target_list}
        expressions(reading, (*part.sort_clause, *part.group_clause), scope)


def into_table(reading: Reading, into: Any, kind: str = "table", optional: bool = False) -> None:
    """MAKE the table of SELECT INTO or CREATE TABLE AS."""
    rel = into.rel
    ref = relation(rel)
    if rel.relpersistence == "t" or (reading.is_hidden(ref) and ref[0]):
        reading.temporary.add(ref[1])
        return
    make_relation(reading, ref, kind, rel.location, optional=optional)
    schema = reading.make_schema(ref[0])
    action = Action.REPLACE if optional else Action.MAKE
    for column in into.col_names:
        name = reading.name(ObjectKind.COLUMN, (schema, ref[1]), column.string.sval)
        reading.emit(action, name, rel.location, optional=optional)


def make_relation(
    reading: Reading, ref: Ref, kind: str, location: int, *, optional: bool = False, replace: bool = False
) -> Ref:
    """MAKE (or REPLACE) a relation where it goes, and USE its schema; returns its full name."""
    schema = reading.make_schema(ref[0])
    full: Ref = (schema, ref[1])
    reading.use_schema(schema, location)
    action = Action.REPLACE if optional or replace else Action.MAKE
    name = reading.name(ObjectKind.RELATION, full)
    reading.emit(action, name, location, detail="", optional=optional, relation_kind=kind)
    if reading.in_body:
        reading.temporary.add(ref[1])
    elif not ref[0]:
        reading.temporary.discard(ref[1])
        reading.made[ref[1]] = schema
    return full


def from_items(reading: Reading, items: Any, scope: Scope) -> None:
    """Enter FROM items into the scope, then read the expressions among them."""
    later: list[Any] = []
    stack = list(reversed(items))
    while stack:
        node = stack.pop()
        which = node.WhichOneof("node")
        if which is None:
            continue
        item = getattr(node, which)
        if which == "range_var":
            table(reading, item, scope)
        elif which == "join_expr":
            stack += [item.rarg, item.larg]
            if item.HasField("quals"):
                later.append(item.quals)
        elif which == "range_table_sample":
            stack.append(item.relation)
            later += item.args
        else:
            _derived_item(reading, which, node, item, scope, later)
    if later:
        expressions(reading, later, scope)


def _derived_item(reading: Reading, which: str, node: Any, item: Any, scope: Scope, later: list[Any]) -> None:
    alias = item.alias.aliasname if item.HasField("alias") else ""
    if which == "range_subselect":
        query(reading, item.subquery, scope)
    elif which == "range_function":
        for function in item.functions:
            later += function.list.items
        for column in item.coldeflist:
            reading.use_type(column.column_def.type_name)
    else:
        later.append(node)
    scope.add(alias, None)


def table(reading: Reading, range_var: Any, scope: Scope) -> None:
    """A relation in FROM: a use, unless it is a WITH query."""
    ref = relation(range_var)
    alias = range_var.alias.aliasname if range_var.HasField("alias") else ref[1]
    if ref[0] is None and scope.is_cte(ref[1]):
        scope.add(alias, None)
        return
    reading.use_relation(ref, range_var.location)
    renamed = range_var.HasField("alias") and len(range_var.alias.colnames) > 0
    scope.add(alias, None if renamed else ref)


def _with(reading: Reading, clause: Any, scope: Scope) -> None:
    for node in clause.ctes:
        cte = node.common_table_expr
        if clause.recursive:
            scope.ctes.add(cte.ctename)
        query(reading, cte.ctequery, scope)
        scope.ctes.add(cte.ctename)


def _target(reading: Reading, rel: Any, scope: Scope, detail: str) -> Ref:
    """WRITE the relation and put it in scope."""
    ref = relation(rel)
    if ref[1] == "pg_settings" and ref[0] in (None, "pg_catalog"):
        reading.fault(
            "role", "writing pg_settings changes settings, the role too", rel.location, strict_only=True
        )
    if not reading.is_hidden(ref) and not scope.is_cte(ref[1]):
        how = reading.detail or detail
        reading.emit(Action.WRITE, reading.name(ObjectKind.RELATION, ref), rel.location, detail=how)
    alias = rel.alias.aliasname if rel.HasField("alias") else ref[1]
    scope.add(alias, ref)
    return ref


def _columns(reading: Reading, ref: Ref, targets: Any) -> None:
    for node in targets:
        target = node.res_target
        if target.name:
            reading.use_column(ref, target.name, target.location, _WRITTEN_COLUMN)


def _open(reading: Reading, statement: Any, outer: Scope | None) -> Scope:
    scope = Scope(outer)
    if statement.HasField("with_clause"):
        _with(reading, statement.with_clause, scope)
    return scope


def _returning(statement: Any) -> list[Any]:
    if statement.HasField("returning_clause"):
        return list(statement.returning_clause.exprs)
    return []


def insert(reading: Reading, statement: Any, outer: Scope | None = None) -> None:
    """INSERT, with ON CONFLICT and RETURNING."""
    with_scope = _open(reading, statement, outer)
    scope = Scope(with_scope)
    ref = _target(reading, statement.relation, scope, "insert")
    _columns(reading, ref, statement.cols)
    if statement.HasField("select_stmt"):
        query(reading, statement.select_stmt, with_scope)
    nodes = _returning(statement)
    if statement.HasField("on_conflict_clause"):
        conflict = statement.on_conflict_clause
        scope.aliases["excluded"] = ref
        _columns(reading, ref, conflict.target_list)
        nodes += conflict.target_list
        nodes.append(conflict.where_clause)
        for element in conflict.infer.index_elems:
            if element.index_elem.name:
                reading.use_column(ref, element.index_elem.name, statement.relation.location, _WRITTEN_COLUMN)
            else:
                nodes.append(element.index_elem.expr)
        nodes.append(conflict.infer.where_clause)
    expressions(reading, nodes, scope)


def update(reading: Reading, statement: Any, outer: Scope | None = None) -> None:
    """UPDATE ... FROM ... RETURNING."""
    scope = _open(reading, statement, outer)
    ref = _target(reading, statement.relation, scope, "update")
    from_items(reading, statement.from_clause, scope)
    _columns(reading, ref, statement.target_list)
    expressions(reading, (*statement.target_list, statement.where_clause, *_returning(statement)), scope)


def delete(reading: Reading, statement: Any, outer: Scope | None = None) -> None:
    """DELETE ... USING ... RETURNING."""
    scope = _open(reading, statement, outer)
    _target(reading, statement.relation, scope, "delete")
    from_items(reading, statement.using_clause, scope)
    expressions(reading, (statement.where_clause, *_returning(statement)), scope)


def merge(reading: Reading, statement: Any, outer: Scope | None = None) -> None:
    """MERGE INTO ... USING ..."""
    scope = _open(reading, statement, outer)
    ref = _target(reading, statement.relation, scope, "merge")
    from_items(reading, [statement.source_relation], scope)
    nodes = [statement.join_condition, *_returning(statement)]
    for node in statement.merge_when_clauses:
        clause = node.merge_when_clause
        _columns(reading, ref, clause.target_list)
        nodes += [clause.condition, *clause.values, *clause.target_list]
    expressions(reading, nodes, scope)


_QUERIES: dict[str | None, Callable[[Reading, Any, Scope | None], None]] = {
    "delete_stmt": delete,
    "insert_stmt": insert,
    "merge_stmt": merge,
    "select_stmt": select,
    "update_stmt": update,
}
