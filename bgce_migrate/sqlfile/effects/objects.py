"""Types, schemas, extensions, policies, publications, DROP, COMMENT, GRANT."""

from __future__ import annotations

from typing import Any

from bgce_migrate.effect import Action, Name, ObjectKind
from bgce_migrate.sqlfile.effects.constraints import constraint
from bgce_migrate.sqlfile.effects.expressions import Scope, expression
from bgce_migrate.sqlfile.effects.queries import make_relation
from bgce_migrate.sqlfile.effects.reading import Reading, Ref, reference, relation, signature, strings
from bgce_migrate.sqlfile.effects.targets import RELATION_KINDS, dotted, object_names, relation_kind
from bgce_migrate.sqlparse import node_kind, pb


def _make_type(reading: Reading, ref: Ref, location: int = 0) -> None:
    schema = reading.make_schema(ref[0])
    reading.use_schema(schema, location)
    reading.emit(Action.MAKE, reading.name(ObjectKind.TYPE, (schema, ref[1])), location, detail="")


def create_composite(reading: Reading, statement: Any) -> None:
    """CREATE TYPE ... AS (...)."""
    for node in statement.coldeflist:
        reading.use_type(node.column_def.type_name, "attribute")
    _make_type(reading, relation(statement.typevar), statement.typevar.location)


def create_enum(reading: Reading, statement: Any) -> None:
    """CREATE TYPE ... AS ENUM."""
    _make_type(reading, reference(strings(statement.type_name)))


def create_range(reading: Reading, statement: Any) -> None:
    """CREATE TYPE ... AS RANGE: the type, its multirange, what it is built on."""
    ref = reference(strings(statement.type_name))
    multirange: Ref = (ref[0], f"{ref[1]}_multirange")
    if "range" in ref[1]:
        multirange = (ref[0], ref[1].replace("range", "multirange", 1))
    for node in statement.params:
        option = node.def_elem
        if option.arg.WhichOneof("node") != "type_name":
            continue
        if option.defname in ("canonical", "subtype_diff"):
            reading.use_function(reference(strings(option.arg.type_name.names)), 0, "range")
        elif option.defname == "multirange_type_name":
            multirange = reference(strings(option.arg.type_name.names))
        elif option.defname == "subtype":
            reading.use_type(option.arg.type_name, "range")
    _make_type(reading, ref)
    _make_type(reading, multirange)


def create_domain(reading: Reading, statement: Any) -> None:
    """CREATE DOMAIN."""
    reading.use_type(statement.type_name, "domain")
    ref = reference(strings(statement.domainname))
    for node in statement.constraints:
        constraint(reading, ref, node.constraint)
    _make_type(reading, ref)


def alter_domain(reading: Reading, statement: Any) -> None:
    """ALTER DOMAIN."""
    ref = reference(strings(statement.type_name))
    reading.emit(Action.ALTER, reading.name(ObjectKind.TYPE, ref))
    definition = getattr(statement, "def")
    if definition.WhichOneof("node") == "constraint":
        constraint(reading, ref, definition.constraint)
    else:
        expression(reading, definition)


def alter_type(reading: Reading, statement: Any) -> None:
    """ALTER TYPE: values of an enum, options of a base type."""
    ref = reference(strings(statement.type_name))
    reading.emit(Action.ALTER, reading.name(ObjectKind.TYPE, ref))


def create_schema(reading: Reading, statement: Any) -> None:
    """CREATE SCHEMA with the elements inside it."""
    name = statement.schemaname or statement.authrole.rolename
    if not name:
        reading.opaque("CREATE SCHEMA AUTHORIZATION of the current role")
        return
    action = Action.REPLACE if statement.if_not_exists else Action.MAKE
    made = reading.name(ObjectKind.SCHEMA, (None, name))
    reading.emit(action, made, detail="", optional=statement.if_not_exists)
    from bgce_migrate.sqlfile.effects.dispatch import read_statement

    before, reading.path = reading.path, (name,)
    for element in statement.schema_elts:
        read_statement(reading, *node_kind(element))
    reading.path = before


def create_extension(reading: Reading, statement: Any) -> None:
    """CREATE EXTENSION."""
    for node in statement.options:
        if node.def_elem.defname == "schema":
            reading.use_schema(node.def_elem.arg.string.sval)
    action = Action.REPLACE if statement.if_not_exists else Action.MAKE
    name = reading.name(ObjectKind.EXTENSION, (None, statement.extname))
    reading.emit(action, name, detail="", optional=statement.if_not_exists)


def alter_extension(reading: Reading, statement: Any) -> None:
    """ALTER EXTENSION, also ADD and DROP of a member."""
    reading.emit(Action.ALTER, reading.name(ObjectKind.EXTENSION, (None, statement.extname)))
    if statement.DESCRIPTOR.name == "AlterExtensionContentsStmt":
        for name in object_names(reading, statement.objtype, statement.object):
            reading.emit(Action.USE, name, detail="member of an extension")


def policy(reading: Reading, statement: Any) -> None:
    """CREATE and ALTER POLICY: change their table, use what their expressions do."""
    rel = statement.table
    ref = relation(rel)
    if reading.is_hidden(ref):
        return
    reading.emit(Action.ALTER, reading.name(ObjectKind.RELATION, ref), rel.location, detail="policy")
    scope = Scope()
    scope.add(ref[1], ref)
    reading.detail = "policy"
    for field in ("qual", "with_check"):
        if statement.HasField(field):
            expression(reading, getattr(statement, field), scope)
    reading.detail = ""


def publication(reading: Reading, statement: Any) -> None:
    """CREATE and ALTER PUBLICATION: tables, columns, filters, schemas."""
    for node in statement.pubobjects:
        item = node.publication_obj_spec
        if item.HasField("pubtable"):
            rel = item.pubtable.relation
            ref = relation(rel)
            reading.use_relation(ref, rel.location, "publication")
            scope = Scope()
            scope.add(ref[1], ref)
            for column in item.pubtable.columns:
                reading.use_column(ref, column.string.sval, rel.location, "publication")
            if item.pubtable.HasField("where_clause"):
                expression(reading, item.pubtable.where_clause, scope)
        elif item.name:
            reading.use_schema(item.name, item.location)


def import_foreign_schema(reading: Reading, statement: Any) -> None:
    """IMPORT FOREIGN SCHEMA: makes tables, by name only with LIMIT TO."""
    reading.use_schema(statement.local_schema)
    if statement.list_type != pb.FDW_IMPORT_SCHEMA_LIMIT_TO:
        reading.opaque("IMPORT FOREIGN SCHEMA makes tables without naming them")
        return
    for node in statement.table_list:
        ref: Ref = (statement.local_schema, node.range_var.relname)
        make_relation(reading, ref, "table", node.range_var.location)


def drop(reading: Reading, statement: Any) -> None:
    """DROP of anything; a policy, rule or constraint changes its table."""
    kind = statement.remove_type
    cascade = statement.behavior == pb.DROP_CASCADE
    for node in statement.objects:
        names = dotted(node)
        if kind in RELATION_KINDS and len(names) == 1 and names[0] in reading.temporary:
            reading.temporary.discard(names[0])
            continue
        for name in object_names(reading, kind, node):
            part = kind in (pb.OBJECT_POLICY, pb.OBJECT_RULE)
            function = node.object_with_args if node.WhichOneof("node") == "object_with_args" else None
            given = function is not None and not function.args_unspecified
            location = node.type_name.location if node.WhichOneof("node") == "type_name" else 0
            reading.emit(
                Action.ALTER if part else Action.DROP,
                name,
                location,
                optional=statement.missing_ok,
                cascade=cascade,
                relation_kind=relation_kind(kind),
                signature=signature(n.type_name for n in function.objargs) if function and given else None,
            )
            if name.kind is ObjectKind.RELATION and name.schema is None and not part:
                reading.made.pop(name.name, None)


def drop_owned(reading: Reading, statement: Any) -> None:
    """DROP OWNED: nobody can tell what goes."""
    reading.opaque("DROP OWNED drops without naming")


def comment(reading: Reading, statement: Any) -> None:
    """COMMENT and SECURITY LABEL: uses what they are about."""
    for name in object_names(reading, statement.objtype, statement.object):
        reading.emit(Action.USE, name, detail="comment")


def grant(reading: Reading, statement: Any) -> None:
    """GRANT and REVOKE on objects."""
    names: list[Name] = []
    for node in statement.objects:
        if statement.targtype == pb.ACL_TARGET_ALL_IN_SCHEMA:
            reading.use_schema(node.string.sval)
        else:
            names += object_names(reading, statement.objtype, node)
    for name in names:
        reading.emit(Action.USE, name, detail="grant")
        if name.kind is ObjectKind.RELATION:
            for node in statement.privileges:
                for column in node.access_priv.cols:
                    reading.use_column((name.schema, name.name), column.string.sval, 0, "grant")


def default_privileges(reading: Reading, statement: Any) -> None:
    """ALTER DEFAULT PRIVILEGES IN SCHEMA."""
    for node in statement.options:
        if node.def_elem.defname == "schemas":
            for schema in node.def_elem.arg.list.items:
                reading.use_schema(schema.string.sval)
