"""Facts of SELECT, INSERT, UPDATE, DELETE, MERGE, COPY, and what a query reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bgce_migrate.lint.facts.expressions import Seen, constant, look
from bgce_migrate.lint.facts.reader import Reader, relation, strings
from bgce_migrate.lint.facts.sessions import Dml, Select, ServerWide, SetVariable
from bgce_migrate.lint.facts.values import Ref

_MUTATIONS = ("insert_stmt", "update_stmt", "delete_stmt", "merge_stmt")


def sources_of(select: Any) -> tuple[Ref, ...]:
    """The relations a SELECT reads, in FROM, WITH and sub-queries, without the names of WITH."""
    found: dict[Ref, None] = {}
    names: set[str] = set()
    stack = [select]
    while stack:
        part = stack.pop()
        for item in part.with_clause.ctes if part.HasField("with_clause") else ():
            names.add(item.common_table_expr.ctename)
            inner = item.common_table_expr.ctequery
            if inner.WhichOneof("node") == "select_stmt":
                stack.append(inner.select_stmt)
        if part.HasField("larg"):
            stack += (part.rarg, part.larg)
            continue
        seen = Seen()
        _from(part.from_clause, found, stack, seen)
        look([*(t.res_target.val for t in part.target_list), part.where_clause, part.having_clause], seen)
        stack.extend(query.select_stmt for query in seen.queries if query.WhichOneof("node") == "select_stmt")
    return tuple(ref for ref in found if not (ref[0] is None and ref[1] in names))


def _from(nodes: Iterable[Any], found: dict[Ref, None], queries: list[Any], seen: Seen) -> None:
    stack = list(nodes)
    while stack:
        node = stack.pop()
        which = node.WhichOneof("node")
        if which == "range_var":
            found[relation(node.range_var)] = None
        elif which == "join_expr":
            stack += (node.join_expr.rarg, node.join_expr.larg)
            if node.join_expr.HasField("quals"):
                look([node.join_expr.quals], seen)
        elif which == "range_subselect":
            queries.append(node.range_subselect.subquery.select_stmt)
        elif which == "range_function":
            for item in node.range_function.functions:
                look(item.list.items[:1], seen)


def outputs(select: Any) -> tuple[str, ...]:
    """The names of a SELECT's output columns; "*" where they cannot be seen."""
    while select.HasField("larg"):
        select = select.larg
    names: list[str] = []
    for item in select.target_list:
        target = item.res_target
        names.append(target.name or _output(target.val))
    return tuple(names)


def _output(node: Any) -> str:
    which = node.WhichOneof("node")
    if which == "column_ref":
        last = node.column_ref.fields[-1]
        return str(last.string.sval) if last.WhichOneof("node") == "string" else "*"
    if which == "func_call":
        return strings(node.func_call.funcname)[-1]
    if which == "type_cast":
        inner = _output(node.type_cast.arg)
        return inner if inner != "?column?" else strings(node.type_cast.type_name.names)[-1]
    return {"coalesce_expr": "coalesce", "case_expr": "case"}.get(which or "", "?column?")


def words_of(select: Any) -> tuple[tuple[Ref | None, str], ...]:
    """Every column that a SELECT mentions, with its relation where that can be told; "*" for all columns."""
    used: dict[tuple[Ref | None, str], None] = {}
    stack = [select]
    while stack:
        part = stack.pop()
        for item in part.with_clause.ctes if part.HasField("with_clause") else ():
            inner = item.common_table_expr.ctequery
            if inner.WhichOneof("node") == "select_stmt":
                stack.append(inner.select_stmt)
        if part.HasField("larg"):
            stack += (part.rarg, part.larg)
            continue
        seen = Seen()
        _from(part.from_clause, {}, stack, seen)
        nodes = [*(t.res_target.val for t in part.target_list), part.where_clause, part.having_clause]
        nodes += [*part.group_clause, *(s.sort_by.node for s in part.sort_clause), *part.distinct_clause]
        look(nodes, seen)
        stack.extend(query.select_stmt for query in seen.queries if query.WhichOneof("node") == "select_stmt")
        for qualifier, column in seen.refs:
            used.update(dict.fromkeys(_meant(_aliases(part.from_clause), qualifier, column)))
    return tuple(used)


def _aliases(nodes: Iterable[Any]) -> dict[str, Ref | None]:
    """The items of FROM by alias; None for what is no relation."""
    found: dict[str, Ref | None] = {}
    stack = list(nodes)
    while stack:
        node = stack.pop()
        which = node.WhichOneof("node")
        if which == "join_expr":
            stack += (node.join_expr.rarg, node.join_expr.larg)
        elif which is not None:
            item = getattr(node, which)
            name = item.alias.aliasname if item.HasField("alias") else getattr(item, "relname", "")
            found[name] = relation(item) if which == "range_var" else None
    return found


def _meant(aliases: dict[str, Ref | None], qualifier: str, column: str) -> list[tuple[Ref | None, str]]:
    if qualifier:
        ref = aliases.get(qualifier, (None, ""))
        return [] if ref is None else [(ref if ref[1] else None, column)]
    refs = [ref for ref in aliases.values() if ref is not None]
    if column == "*":
        return [(ref, column) for ref in refs]
    return [(refs[0] if len(aliases) == 1 and refs else None, column)] if refs or not aliases else []


def select(reader: Reader, node: Any) -> None:
    """SELECT."""
    query_facts(reader, node)


def query_facts(reader: Reader, node: Any, *, nested: bool = False) -> None:
    """Data-modifying WITH queries, settings made by functions, and the query itself."""
    _with(reader, node)
    if node.HasField("into_clause"):
        from bgce_migrate.lint.facts.tables import CreateTable

        rel = node.into_clause.rel
        temporary = rel.relpersistence == "t"
        reader.add(CreateTable(reader.place(rel.location), relation(rel), temporary=temporary, as_query=True))
    if nested:
        return
    calls: list[tuple[str, tuple[str, ...]]] = []
    seen = look(item.res_target.val for item in node.target_list)
    for ref, call in seen.calls:
        values = tuple(constant(argument) or "" for argument in call.args)
        if ref[1] == "set_config" and len(values) == 3 and values[0]:
            place = reader.place(call.location)
            reader.add(SetVariable(place, values[0].lower(), (values[1],), values[2] == "true", called=True))
        calls.append((ref[1], values))
    locks = bool(node.locking_clause)
    reader.add(Select(reader.place(), tuple(calls), sources_of(node), locks))


def _with(reader: Reader, node: Any) -> None:
    if not node.HasField("with_clause"):
        return
    for item in node.with_clause.ctes:
        inner = item.common_table_expr.ctequery
        which = inner.WhichOneof("node")
        if which in _MUTATIONS:
            _READERS[which](reader, getattr(inner, which))
        elif which == "select_stmt":
            _with(reader, inner.select_stmt)


def insert(reader: Reader, node: Any) -> None:
    """INSERT."""
    _with(reader, node)
    rel = node.relation
    columns = tuple(item.res_target.name for item in node.cols)
    literals: list[str] = []
    sources: tuple[Ref, ...] = ()
    empty = not node.HasField("select_stmt")
    if not empty:
        query = node.select_stmt.select_stmt
        if query.values_lists:
            first = query.values_lists[0].list.items
            literals = [
                name
                for name, value in zip(columns, first, strict=False)
                if constant(value) not in (None, "NULL")
            ]
        else:
            sources = sources_of(query)
    reader.add(
        Dml(
            reader.place(rel.location),
            relation(rel),
            "insert",
            columns=columns,
            literals=tuple(literals),
            listed=bool(columns),
            overriding=node.override > 1,
            default_values=empty,
            sources=sources,
        )
    )


def update(reader: Reader, node: Any) -> None:
    """UPDATE."""
    _with(reader, node)
    columns = tuple(item.res_target.name for item in node.target_list)
    found: dict[Ref, None] = {}
    _from(node.from_clause, found, [], Seen())
    place = reader.place(node.relation.location)
    where = _where(node)
    reader.add(Dml(place, relation(node.relation), "update", where, columns, sources=tuple(found)))


def delete(reader: Reader, node: Any) -> None:
    """DELETE."""
    _with(reader, node)
    found: dict[Ref, None] = {}
    _from(node.using_clause, found, [], Seen())
    place = reader.place(node.relation.location)
    reader.add(Dml(place, relation(node.relation), "delete", _where(node), sources=tuple(found)))


def merge(reader: Reader, node: Any) -> None:
    """MERGE."""
    found: dict[Ref, None] = {}
    _from([node.source_relation], found, [], Seen())
    place = reader.place(node.relation.location)
    reader.add(Dml(place, relation(node.relation), "merge", sources=tuple(found)))


def copy(reader: Reader, node: Any) -> None:
    """COPY."""
    if node.is_program:
        reader.add(ServerWide(reader.place(), "copy program", node.filename))
    if node.is_from and node.HasField("relation"):
        place = reader.place(node.relation.location)
        reader.add(Dml(place, relation(node.relation), "copy", columns=tuple(strings(node.attlist))))
    elif node.HasField("relation"):
        reader.add(Select(reader.place(), (), (relation(node.relation),)))


def _where(node: Any) -> str:
    if not node.HasField("where_clause"):
        return "none"
    clause = node.where_clause
    value = constant(clause)
    if value is not None:
        return "always" if value == "true" else "some"
    if clause.WhichOneof("node") == "a_expr" and strings(clause.a_expr.name) == ["="]:
        left, right = constant(clause.a_expr.lexpr), constant(clause.a_expr.rexpr)
        if left is not None and left == right:
            return "always"
    return "some"


_READERS = {"insert_stmt": insert, "update_stmt": update, "delete_stmt": delete, "merge_stmt": merge}
