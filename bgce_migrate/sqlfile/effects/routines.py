"""CREATE FUNCTION and PROCEDURE, DO, CALL, aggregates, operators and casts."""

from __future__ import annotations

from typing import Any

from bgce_migrate.effect import Action, ObjectKind
from bgce_migrate.sqlfile.effects.bodies import plpgsql_body, sql_body
from bgce_migrate.sqlfile.effects.expressions import SWITCHES, Scope, expression, path_of
from bgce_migrate.sqlfile.effects.queries import query
from bgce_migrate.sqlfile.effects.reading import Reading, reference, signature, strings
from bgce_migrate.sqlfile.effects.settings import values_of
from bgce_migrate.sqlparse import pb

_MODES = {
    pb.FUNC_PARAM_IN: "in",
    pb.FUNC_PARAM_DEFAULT: "in",
    pb.FUNC_PARAM_VARIADIC: "in",
    pb.FUNC_PARAM_OUT: "out",
    pb.FUNC_PARAM_INOUT: "inout",
    pb.FUNC_PARAM_TABLE: "table",
}
_COMPILED = frozenset({"c", "internal"})


def create_function(reading: Reading, statement: Any) -> None:
    """CREATE [OR REPLACE] FUNCTION or PROCEDURE: its types now, its body when it runs."""
    ref = reference(strings(statement.funcname))
    parameters: list[tuple[str, str]] = []
    for node in statement.parameters:
        parameter = node.function_parameter
        parameters.append((_MODES.get(parameter.mode, "in"), parameter.name))
        reading.use_type(parameter.arg_type, "argument")
        if parameter.HasField("defexpr"):
            expression(reading, parameter.defexpr)
    if statement.HasField("return_type"):
        reading.use_type(statement.return_type, "result")
    options = {node.def_elem.defname: node.def_elem for node in statement.options}
    if ref[0] != "pg_temp":
        # Before the body, which may call the function itself.
        schema = reading.make_schema(ref[0])
        reading.use_schema(schema)
        action = Action.REPLACE if statement.replace else Action.MAKE
        inputs = [
            node.function_parameter.arg_type
            for node in statement.parameters
            if node.function_parameter.mode not in (pb.FUNC_PARAM_OUT, pb.FUNC_PARAM_TABLE)
        ]
        name = reading.name(ObjectKind.FUNCTION, (schema, ref[1]))
        reading.emit(action, name, detail="", signature=signature(inputs))
    before, detail = reading.path, reading.detail
    _settings(reading, statement.options)
    reading.detail = f"body of function {ref[1]}"
    variables, reading.variables = reading.variables, frozenset(name for _, name in parameters)
    if statement.HasField("sql_body"):
        _atomic_body(reading, statement.sql_body)
    elif "as" in options:
        _string_body(reading, statement, options, parameters)
    reading.variables, reading.detail, reading.path = variables, detail, before


def _settings(reading: Reading, options: Any) -> None:
    for node in options:
        option = node.def_elem
        if option.defname != "set":
            continue
        setting = option.arg.variable_set_stmt
        if setting.name in SWITCHES:
            message = f"SET {setting.name} in a function switches the role when it is called"
            reading.fault("role", message, option.location, strict_only=True)
        elif setting.name == "search_path" and setting.kind == pb.VAR_SET_VALUE:
            reading.path = path_of(values_of(setting))


def _atomic_body(reading: Reading, node: Any) -> None:
    """RETURN expression, or the statements of BEGIN ATOMIC: bound when the function is made."""
    which = node.WhichOneof("node")
    if which == "list":
        for item in node.list.items:
            _atomic_body(reading, item)
    elif which == "return_stmt":
        expression(reading, node.return_stmt.returnval, Scope())
    else:
        query(reading, node)


def _string_body(
    reading: Reading, statement: Any, options: dict[str, Any], parameters: list[tuple[str, str]]
) -> None:
    language = options["language"].arg.string.sval.lower() if "language" in options else "sql"
    items = options["as"].arg.list.items
    body = items[0].string.sval if items else ""
    location = options["as"].location
    if language in _COMPILED:
        return
    if language == "sql":
        sql_body(reading, body, location)
    elif language == "plpgsql":
        returns, many = _result(statement)
        name = strings(statement.funcname)[-1]
        plpgsql_body(
            reading, body, location, hard=False, name=name, parameters=parameters, returns=returns, many=many
        )
    else:
        reading.soft, before = True, reading.soft
        reading.opaque(f"body in language {language}", location)
        reading.soft = before


def _result(statement: Any) -> tuple[str, bool]:
    if statement.is_procedure:
        return "procedure", False
    names = strings(statement.return_type.names) if statement.HasField("return_type") else []
    name = names[-1] if names else ""
    return name, statement.return_type.setof


def do_block(reading: Reading, statement: Any) -> None:
    """DO: runs now, so everything static in it counts as if it stood in the file."""
    options = {node.def_elem.defname: node.def_elem for node in statement.args}
    language = options["language"].arg.string.sval.lower() if "language" in options else "plpgsql"
    code = options["as"]
    reading.detail = "DO block"
    if language == "plpgsql":
        plpgsql_body(reading, code.arg.string.sval, code.location, hard=True)
    else:
        reading.opaque(f"DO block in language {language}", code.location)
    reading.detail = ""


def call(reading: Reading, statement: Any) -> None:
    """CALL of a procedure."""
    node = statement.funccall
    reading.use_function(reference(strings(node.funcname)), node.location, "call")
    for argument in node.args:
        expression(reading, argument)


def alter_function(reading: Reading, statement: Any) -> None:
    """ALTER FUNCTION or PROCEDURE."""
    ref = reference(strings(statement.func.objname))
    reading.emit(Action.ALTER, reading.name(ObjectKind.FUNCTION, ref))
    before = reading.path
    _settings(reading, statement.actions)
    reading.path = before


def define(reading: Reading, statement: Any) -> None:
    """CREATE AGGREGATE, OPERATOR, TYPE (base or shell); text search and collations make no name here."""
    ref = reference(strings(statement.defnames))
    for node in statement.args:
        for argument in node.list.items:
            if argument.WhichOneof("node") == "function_parameter":
                reading.use_type(argument.function_parameter.arg_type, "argument")
    schema = reading.make_schema(ref[0])
    for node in statement.definition:
        _definition_item(reading, statement.kind, node.def_elem)
    action = Action.REPLACE if statement.replace or statement.if_not_exists else Action.MAKE
    optional = statement.if_not_exists
    kind = {pb.OBJECT_AGGREGATE: ObjectKind.FUNCTION, pb.OBJECT_TYPE: ObjectKind.TYPE}.get(statement.kind)
    if kind is not None:
        if kind is ObjectKind.TYPE and statement.definition:
            # CREATE TYPE t; makes a shell that this one fills.
            action, optional = Action.REPLACE, False
        reading.use_schema(schema)
        reading.emit(action, reading.name(kind, (schema, ref[1])), detail="", optional=optional)


_FUNCTION_OPTIONS = {
    pb.OBJECT_AGGREGATE: frozenset(
        {
            "sfunc",
            "finalfunc",
            "combinefunc",
            "serialfunc",
            "deserialfunc",
            "msfunc",
            "minvfunc",
            "mfinalfunc",
        }
    ),
    pb.OBJECT_OPERATOR: frozenset({"procedure", "function", "restrict", "join"}),
    pb.OBJECT_TYPE: frozenset({"input", "output", "receive", "send", "typmod_in", "typmod_out", "analyze"}),
}
_TYPE_OPTIONS = frozenset({"stype", "mstype", "leftarg", "rightarg", "basetype", "like", "element"})


def _definition_item(reading: Reading, kind: int, option: Any) -> None:
    if option.arg.WhichOneof("node") != "type_name":
        return
    ref = reference(strings(option.arg.type_name.names))
    if option.defname in _FUNCTION_OPTIONS.get(kind, frozenset()):
        reading.use_function(ref, option.location, option.defname)
    elif option.defname in _TYPE_OPTIONS:
        reading.use_type(option.arg.type_name, option.defname)


def create_cast(reading: Reading, statement: Any) -> None:
    """CREATE CAST."""
    reading.use_type(statement.sourcetype, "cast")
    reading.use_type(statement.targettype, "cast")
    if statement.HasField("func"):
        reading.use_function(reference(strings(statement.func.objname)), 0, "cast")


def create_operator_class(reading: Reading, statement: Any) -> None:
    """CREATE OPERATOR CLASS."""
    reading.use_type(statement.datatype, "operator class")
    operator_items(reading, statement.items)


def alter_operator_family(reading: Reading, statement: Any) -> None:
    """ALTER OPERATOR FAMILY."""
    operator_items(reading, statement.items)


def operator_items(reading: Reading, items: Any) -> None:
    """The functions and types of an operator class."""
    for node in items:
        item = node.create_op_class_item
        if item.itemtype == 2:  # a function; 1 is an operator, 3 the storage type
            reading.use_function(reference(strings(item.name.objname)), 0, "operator class")
        elif item.HasField("storedtype"):
            reading.use_type(item.storedtype, "operator class")


def create_conversion(reading: Reading, statement: Any) -> None:
    """CREATE CONVERSION."""
    reading.use_function(reference(strings(statement.func_name)), 0, "conversion")


def create_transform(reading: Reading, statement: Any) -> None:
    """CREATE TRANSFORM."""
    reading.use_type(statement.type_name, "transform")
    for field in ("fromsql", "tosql"):
        if statement.HasField(field):
            reading.use_function(reference(strings(getattr(statement, field).objname)), 0, "transform")


def create_event_trigger(reading: Reading, statement: Any) -> None:
    """CREATE EVENT TRIGGER."""
    reading.use_function(reference(strings(statement.funcname)), 0, "event trigger")


def create_language(reading: Reading, statement: Any) -> None:
    """CREATE LANGUAGE with its handlers."""
    for names in (statement.plhandler, statement.plinline, statement.plvalidator):
        if names:
            reading.use_function(reference(strings(names)), 0, "language")


def create_access_method(reading: Reading, statement: Any) -> None:
    """CREATE ACCESS METHOD."""
    reading.use_function(reference(strings(statement.handler_name)), 0, "access method")


def foreign_data_wrapper(reading: Reading, statement: Any) -> None:
    """CREATE or ALTER FOREIGN DATA WRAPPER with its functions."""
    for node in statement.func_options:
        option = node.def_elem
        if option.arg.WhichOneof("node") == "list":
            reading.use_function(reference(strings(option.arg.list.items)), 0, "foreign data wrapper")
