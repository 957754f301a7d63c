"""CREATE TABLE, TABLE AS, INDEX, VIEW, MATERIALIZED VIEW, SEQUENCE, TRIGGER, RULE and STATISTICS."""

from __future__ import annotations

from typing import Any

from bgce_migrate.effect import Action, ObjectKind
from bgce_migrate.sqlfile.effects.constraints import column, constraint, make_key, object_name
from bgce_migrate.sqlfile.effects.expressions import Scope, expression, expressions
from bgce_migrate.sqlfile.effects.queries import into_table, make_relation, query
from bgce_migrate.sqlfile.effects.reading import Reading, Ref, reference, relation, strings
from bgce_migrate.sqlparse import pb


def create_table(reading: Reading, statement: Any) -> None:
    """CREATE TABLE, PARTITION OF and OF type; a temporary one only hides its name."""
    rel = statement.relation
    ref = relation(rel)
    optional = statement.if_not_exists
    temporary = rel.relpersistence == "t" or (ref[0] is not None and reading.is_hidden(ref))
    if temporary:
        reading.temporary.add(ref[1])
        owner: Ref = ("pg_temp", ref[1])
    else:
        owner = make_relation(reading, ref, "table", rel.location, optional=optional)
    how = "partition" if statement.HasField("partbound") else "inherits"
    for node in statement.inh_relations[:]:
        reading.use_relation(relation(node.range_var), node.range_var.location, how)
    if statement.HasField("of_typename"):
        reading.use_type(statement.of_typename, "table of a type")
    _elements(reading, statement, owner, optional, temporary)
    if statement.HasField("partspec"):
        for node in statement.partspec.part_params:
            if node.partition_elem.HasField("expr"):
                expression(reading, node.partition_elem.expr)


def _elements(reading: Reading, statement: Any, owner: Ref, optional: bool, temporary: bool) -> None:
    action = Action.REPLACE if optional else Action.MAKE
    before = len(reading.effects)
    for node in statement.table_elts[:]:
        which = node.WhichOneof("node")
        if which == "column_def":
            column(reading, owner, node.column_def, action, optional)
        elif which == "constraint":
            constraint(reading, owner, node.constraint, optional=optional)
        elif which == "table_like_clause":
            source = node.table_like_clause.relation
            reading.use_relation(relation(source), source.location, "like")
    for node in statement.constraints[:]:
        constraint(reading, owner, node.constraint, optional=optional)
    if temporary:
        made = (Action.MAKE, Action.REPLACE)
        reading.effects[before:] = [e for e in reading.effects[before:] if e.action not in made]


def create_foreign_table(reading: Reading, statement: Any) -> None:
    """CREATE FOREIGN TABLE."""
    create_table(reading, statement.base_stmt)


def create_table_as(reading: Reading, statement: Any) -> None:
    """CREATE TABLE AS, CREATE MATERIALIZED VIEW."""
    matview = statement.objtype == pb.OBJECT_MATVIEW
    before, reading.detail = reading.detail, "materialized view" if matview else "create table as"
    query(reading, statement.query)
    reading.detail = before
    into_table(reading, statement.into, "matview" if matview else "table", statement.if_not_exists)


def create_view(reading: Reading, statement: Any) -> None:
    """CREATE [OR REPLACE] VIEW."""
    rel = statement.view
    ref = relation(rel)
    before, reading.detail = reading.detail, "view"
    query(reading, statement.query)
    reading.detail = before
    if rel.relpersistence == "t":
        reading.temporary.add(ref[1])
    else:
        make_relation(reading, ref, "view", rel.location, replace=statement.replace)


def create_index(reading: Reading, statement: Any) -> None:
    """CREATE [UNIQUE] INDEX: the index, what it uses, and a key if it can serve as one."""
    rel = statement.relation
    ref = relation(rel)
    if reading.is_hidden(ref):
        return
    schema = reading.home(ref)
    before, reading.detail = reading.detail, "index"
    location = rel.location
    reading.use_relation(ref, location)
    scope = Scope()
    scope.add(ref[1], ref)
    plain = not statement.HasField("where_clause")
    names: list[str] = []
    parameters = statement.index_params[:]
    for place, node in enumerate((*parameters, *statement.index_including_params[:])):
        element = node.index_elem
        name = element.name
        if name:
            reading.use_column(ref, name, location)
        else:
            expression(reading, element.expr, scope)
        if place < len(parameters):
            plain = plain and bool(name)
            names.append(name)
    if statement.HasField("where_clause"):
        expression(reading, statement.where_clause, scope)
    reading.detail = before
    optional = statement.if_not_exists
    index = statement.idxname or object_name(ref[1], _index_part(statement), "idx")
    action = Action.REPLACE if optional else Action.MAKE
    made = reading.name(ObjectKind.RELATION, (schema, index))
    reading.emit(action, made, location, detail="", optional=optional, relation_kind="index")
    if statement.unique and plain:
        make_key(reading, (schema, ref[1]), names, location, optional)


def _index_part(statement: Any) -> str:
    """The columns' part of an index name, as the server chooses it: a repeated name gets a number."""
    names: list[str] = []
    for node in statement.index_params:
        element = node.index_elem
        wanted = name = element.name or _expression_name(element.expr)
        number = 0
        while name in names:
            number += 1
            name = f"{wanted}{number}"
        names.append(name)
    return "_".join(names)


def _expression_name(node: Any) -> str:
    which = node.WhichOneof("node")
    if which == "func_call":
        return strings(node.func_call.funcname)[-1]
    if which == "type_cast":
        inner = _expression_name(node.type_cast.arg)
        return inner if inner != "expr" else strings(node.type_cast.type_name.names)[-1]
    if which == "collate_clause":
        return _expression_name(node.collate_clause.arg)
    if which == "column_ref":
        return strings(node.column_ref.fields)[-1]
    return _EXPRESSION_NAMES.get(which, "expr")


_EXPRESSION_NAMES = {
    "coalesce_expr": "coalesce",
    "case_expr": "case",
    "a_array_expr": "array",
    "row_expr": "row",
}


def create_sequence(reading: Reading, statement: Any) -> None:
    """CREATE SEQUENCE."""
    rel = statement.sequence
    ref = relation(rel)
    if rel.relpersistence == "t":
        reading.temporary.add(ref[1])
        return
    make_relation(reading, ref, "sequence", rel.location, optional=statement.if_not_exists)
    sequence_options(reading, statement.options)


def sequence_options(reading: Reading, options: Any) -> None:
    """OWNED BY and AS of a sequence."""
    for node in options:
        option = node.def_elem
        if option.defname == "owned_by":
            names = strings(option.arg.list.items)
            if len(names) > 1:
                ref = reference(names[:-1])
                reading.use_relation(ref, option.location, "owned by")
                reading.use_column(ref, names[-1], option.location, "owned by")
        elif option.defname == "as":
            reading.use_type(option.arg.type_name)


def alter_sequence(reading: Reading, statement: Any) -> None:
    """ALTER SEQUENCE."""
    ref = relation(statement.sequence)
    if reading.is_hidden(ref):
        return
    name = reading.name(ObjectKind.RELATION, ref)
    reading.emit(
        Action.ALTER,
        name,
        statement.sequence.location,
        optional=statement.missing_ok,
        relation_kind="sequence",
    )
    sequence_options(reading, statement.options)


def create_trigger(reading: Reading, statement: Any) -> None:
    """CREATE [OR REPLACE] [CONSTRAINT] TRIGGER."""
    rel = statement.relation
    ref = relation(rel)
    reading.use_relation(ref, rel.location, "trigger")
    for node in statement.columns:
        reading.use_column(ref, node.string.sval, rel.location, "trigger")
    function = reference(strings(statement.funcname))
    reading.use_function(function, rel.location, "trigger")
    if statement.HasField("constrrel"):
        reading.use_relation(relation(statement.constrrel), statement.constrrel.location, "trigger")
    if statement.HasField("when_clause"):
        scope = Scope()
        scope.aliases = {"old": ref, "new": ref}
        expressions(reading, (statement.when_clause,), scope)
    if reading.is_hidden(ref):
        return
    name = reading.name(ObjectKind.TRIGGER, (reading.home(ref), ref[1]), statement.trigname)
    reading.emit(Action.REPLACE if statement.replace else Action.MAKE, name, rel.location, detail="")


def create_rule(reading: Reading, statement: Any) -> None:
    """CREATE RULE: changes its table, uses what its actions do."""
    rel = statement.relation
    ref = relation(rel)
    if not reading.is_hidden(ref):
        reading.emit(Action.ALTER, reading.name(ObjectKind.RELATION, ref), rel.location, detail="rule")
    scope = Scope()
    scope.aliases = {"old": ref, "new": ref}
    before, reading.detail = reading.detail, "rule"
    body, reading.in_body = reading.in_body, True
    if statement.HasField("where_clause"):
        expression(reading, statement.where_clause, scope)
    for node in statement.actions:
        query(reading, node, scope)
    reading.detail, reading.in_body = before, body


def create_statistics(reading: Reading, statement: Any) -> None:
    """CREATE STATISTICS."""
    scope = Scope()
    for node in statement.relations:
        rel = node.range_var
        ref = relation(rel)
        reading.use_relation(ref, rel.location, "statistics")
        scope.add(ref[1], ref)
        for element in statement.exprs:
            if element.stats_elem.name:
                reading.use_column(ref, element.stats_elem.name, rel.location, "statistics")
            else:
                expression(reading, element.stats_elem.expr, scope)
