"""ALTER TABLE and its kin, RENAME, SET SCHEMA, OWNER."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bgce_migrate.effect import Action, Name, ObjectKind
from bgce_migrate.sqlfile.effects.constraints import column, constraint
from bgce_migrate.sqlfile.effects.expressions import Scope, expression
from bgce_migrate.sqlfile.effects.reading import Reading, Ref, relation
from bgce_migrate.sqlfile.effects.targets import RELATION_KINDS, object_names, relation_kind
from bgce_migrate.sqlparse import pb

_SubCommand = Callable[[Reading, Ref, Any], None]


def alter_table(reading: Reading, statement: Any) -> None:
    """ALTER TABLE, INDEX, VIEW, SEQUENCE, MATERIALIZED VIEW, FOREIGN TABLE; ALTER TYPE of a composite."""
    rel = statement.relation
    ref = relation(rel)
    hidden = reading.is_hidden(ref)
    composite = statement.objtype == pb.OBJECT_TYPE
    kind = ObjectKind.TYPE if composite else ObjectKind.RELATION
    if not hidden:
        reading.emit(
            Action.ALTER,
            reading.name(kind, ref),
            rel.location,
            optional=statement.missing_ok,
            relation_kind=relation_kind(statement.objtype),
        )
    before = len(reading.effects)
    for node in statement.cmds:
        command = node.alter_table_cmd
        handler = _SUB_COMMANDS.get(command.subtype)
        if handler is not None:
            handler(reading, ref, command)
    if hidden or composite:
        kept = (Action.USE, Action.WRITE, Action.OPAQUE)
        reading.effects[before:] = [e for e in reading.effects[before:] if e.action in kept]


def _definition(command: Any) -> Any:
    """The field `def`, a word that Python keeps for itself."""
    return getattr(command, "def")


def _home(reading: Reading, ref: Ref) -> Ref:
    return (reading.home(ref), ref[1])


def _column_name(reading: Reading, ref: Ref, name: str) -> Name:
    return reading.name(ObjectKind.COLUMN, ref, name)


def _add_column(reading: Reading, ref: Ref, command: Any) -> None:
    action = Action.REPLACE if command.missing_ok else Action.MAKE
    column(reading, _home(reading, ref), _definition(command).column_def, action, command.missing_ok)


def _drop_column(reading: Reading, ref: Ref, command: Any) -> None:
    reading.emit(
        Action.DROP,
        _column_name(reading, ref, command.name),
        optional=command.missing_ok,
        cascade=command.behavior == pb.DROP_CASCADE,
    )


def _alter_column(reading: Reading, ref: Ref, command: Any) -> None:
    reading.emit(Action.ALTER, _column_name(reading, ref, command.name))


def _column_type(reading: Reading, ref: Ref, command: Any) -> None:
    _alter_column(reading, ref, command)
    definition = _definition(command).column_def
    reading.use_type(definition.type_name, "column type")
    if definition.HasField("raw_default"):
        expression(reading, definition.raw_default, _scope(ref))


def _column_default(reading: Reading, ref: Ref, command: Any) -> None:
    _alter_column(reading, ref, command)
    if command.HasField("def"):
        before, reading.detail = reading.detail, "default"
        expression(reading, _definition(command), _scope(ref))
        reading.detail = before


def _scope(ref: Ref) -> Scope:
    scope = Scope()
    scope.add(ref[1], ref)
    return scope


def _add_constraint(reading: Reading, ref: Ref, command: Any) -> None:
    constraint(reading, _home(reading, ref), _definition(command).constraint)


def _add_identity(reading: Reading, ref: Ref, command: Any) -> None:
    _alter_column(reading, ref, command)
    owner = _home(reading, ref)
    constraint(reading, owner, _definition(command).constraint, column=command.name)


def _partition(reading: Reading, ref: Ref, command: Any) -> None:
    rel = _definition(command).partition_cmd.name
    part = relation(rel)
    if not reading.is_hidden(part):
        reading.emit(Action.ALTER, reading.name(ObjectKind.RELATION, part), rel.location, detail="partition")


def _inherit(reading: Reading, ref: Ref, command: Any) -> None:
    rel = _definition(command).range_var
    reading.use_relation(relation(rel), rel.location, "inherits")


def _of_type(reading: Reading, ref: Ref, command: Any) -> None:
    reading.use_type(_definition(command).type_name, "table of a type")


def _uses_index(reading: Reading, ref: Ref, command: Any) -> None:
    name = command.name or _definition(command).replica_identity_stmt.name
    if name:
        reading.use_relation((ref[0], name), 0, "index")


def _trigger(reading: Reading, ref: Ref, command: Any) -> None:
    if command.name:
        reading.emit(Action.ALTER, reading.name(ObjectKind.TRIGGER, ref, command.name))


_SUB_COMMANDS: dict[int, _SubCommand] = {
    pb.AT_AddColumn: _add_column,
    pb.AT_DropColumn: _drop_column,
    pb.AT_AlterColumnType: _column_type,
    pb.AT_ColumnDefault: _column_default,
    pb.AT_SetNotNull: _alter_column,
    pb.AT_DropNotNull: _alter_column,
    pb.AT_SetExpression: _column_default,
    pb.AT_DropExpression: _alter_column,
    pb.AT_SetStatistics: _alter_column,
    pb.AT_SetStorage: _alter_column,
    pb.AT_SetCompression: _alter_column,
    pb.AT_SetOptions: _alter_column,
    pb.AT_ResetOptions: _alter_column,
    pb.AT_AddConstraint: _add_constraint,
    pb.AT_AddIdentity: _add_identity,
    pb.AT_SetIdentity: _alter_column,
    pb.AT_DropIdentity: _alter_column,
    pb.AT_AttachPartition: _partition,
    pb.AT_DetachPartition: _partition,
    pb.AT_DetachPartitionFinalize: _partition,
    pb.AT_AddInherit: _inherit,
    pb.AT_DropInherit: _inherit,
    pb.AT_AddOf: _of_type,
    pb.AT_ClusterOn: _uses_index,
    pb.AT_ReplicaIdentity: _uses_index,
    pb.AT_EnableTrig: _trigger,
    pb.AT_EnableAlwaysTrig: _trigger,
    pb.AT_EnableReplicaTrig: _trigger,
    pb.AT_DisableTrig: _trigger,
}


def rename(reading: Reading, statement: Any) -> None:
    """ALTER ... RENAME."""
    kind = statement.rename_type
    optional = statement.missing_ok
    if kind in RELATION_KINDS:
        _rename_relation(reading, statement, kind, optional)
    elif kind in (pb.OBJECT_COLUMN, pb.OBJECT_TABCONSTRAINT, pb.OBJECT_POLICY, pb.OBJECT_RULE):
        _rename_part(reading, statement, kind, optional)
    elif kind == pb.OBJECT_TRIGGER:
        ref = relation(statement.relation)
        old = reading.name(ObjectKind.TRIGGER, ref, statement.subname)
        new = reading.name(ObjectKind.TRIGGER, ref, statement.newname)
        reading.emit(Action.RENAME, old, statement.relation.location, to=new, optional=optional)
    elif kind == pb.OBJECT_ATTRIBUTE:
        name = reading.name(ObjectKind.TYPE, relation(statement.relation))
        reading.emit(Action.ALTER, name, statement.relation.location)
    elif kind == pb.OBJECT_SCHEMA:
        old = reading.name(ObjectKind.SCHEMA, (None, statement.subname))
        new = reading.name(ObjectKind.SCHEMA, (None, statement.newname))
        reading.emit(Action.RENAME, old, to=new)
    elif kind == pb.OBJECT_DOMCONSTRAINT:
        for name in object_names(reading, pb.OBJECT_DOMAIN, statement.object):
            reading.emit(Action.ALTER, name)
    else:
        for name in object_names(reading, kind, statement.object):
            to = reading.name(name.kind, (name.schema, statement.newname), name.part)
            reading.emit(Action.RENAME, name, to=to, optional=optional)


def _rename_relation(reading: Reading, statement: Any, kind: int, optional: bool) -> None:
    ref = relation(statement.relation)
    if reading.is_hidden(ref):
        if ref[0] is None:
            reading.temporary.discard(ref[1])
            reading.temporary.add(statement.newname)
        return
    to = reading.name(ObjectKind.RELATION, (ref[0], statement.newname))
    reading.emit(
        Action.RENAME,
        reading.name(ObjectKind.RELATION, ref),
        statement.relation.location,
        to=to,
        optional=optional,
        relation_kind=relation_kind(kind),
    )
    if ref[0] is None and ref[1] in reading.made:
        reading.made[statement.newname] = reading.made.pop(ref[1])


def _rename_part(reading: Reading, statement: Any, kind: int, optional: bool) -> None:
    ref = relation(statement.relation)
    if reading.is_hidden(ref):
        return
    location = statement.relation.location
    if kind == pb.OBJECT_COLUMN:
        old = reading.name(ObjectKind.COLUMN, ref, statement.subname)
        new = reading.name(ObjectKind.COLUMN, ref, statement.newname)
        reading.emit(Action.RENAME, old, location, to=new, optional=optional)
    else:
        name = reading.name(ObjectKind.RELATION, ref)
        reading.emit(Action.ALTER, name, location, optional=optional)


def set_schema(reading: Reading, statement: Any) -> None:
    """ALTER ... SET SCHEMA: a rename into another schema."""
    reading.use_schema(statement.newschema)
    kind = statement.object_type
    if statement.HasField("relation"):
        ref = relation(statement.relation)
        names = [] if reading.is_hidden(ref) else [reading.name(ObjectKind.RELATION, ref)]
        location = statement.relation.location
    else:
        names, location = object_names(reading, kind, statement.object), 0
    for name in names:
        if name.kind is ObjectKind.EXTENSION:
            reading.emit(Action.ALTER, name)
            continue
        to = reading.name(name.kind, (statement.newschema, name.name), name.part)
        reading.emit(
            Action.RENAME,
            name,
            location,
            to=to,
            optional=statement.missing_ok,
            relation_kind=relation_kind(kind),
        )
        reading.made.pop(name.name, None)


def change_owner(reading: Reading, statement: Any) -> None:
    """ALTER ... OWNER TO, for what is not a relation."""
    for name in object_names(reading, statement.object_type, statement.object):
        reading.emit(Action.ALTER, name, detail="owner")


def depends_on(reading: Reading, statement: Any) -> None:
    """ALTER ... DEPENDS ON EXTENSION."""
    extension = reading.name(ObjectKind.EXTENSION, (None, statement.extname.sval))
    reading.emit(Action.USE, extension, detail="depends on")
    if statement.HasField("relation") and statement.object_type != pb.OBJECT_TRIGGER:
        name = reading.name(ObjectKind.RELATION, relation(statement.relation))
        reading.emit(Action.ALTER, name, statement.relation.location)
    else:
        for found in object_names(reading, statement.object_type, statement.object):
            reading.emit(Action.ALTER, found)
