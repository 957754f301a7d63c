"""Facts of ALTER TABLE and its kin, of RENAME, SET SCHEMA and OWNER."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bgce_migrate.lint.facts import tables as t
from bgce_migrate.lint.facts.definitions import bound, column, constraint, type_of
from bgce_migrate.lint.facts.expressions import default_of
from bgce_migrate.lint.facts.names import KINDS, object_ref
from bgce_migrate.lint.facts.objects import ChangeOwner, Rename, SetSchema
from bgce_migrate.lint.facts.reader import Reader, definition, relation, strings
from bgce_migrate.lint.facts.sessions import Other
from bgce_migrate.lint.facts.values import Ref
from bgce_migrate.sqlparse import pb

_Handler = Callable[[Reader, Ref, Any], None]


def alter_table(reader: Reader, node: Any) -> None:
    """ALTER TABLE, INDEX, VIEW, SEQUENCE, MATERIALIZED VIEW; ALTER TYPE of a composite."""
    ref = relation(node.relation)
    if node.objtype == pb.OBJECT_TYPE:
        reader.add(Other(reader.place(node.relation.location), "AlterCompositeType"))
        return
    reader.parts = len(node.cmds)
    for index, item in enumerate(node.cmds):
        reader.part = index
        command = item.alter_table_cmd
        handler = _HANDLERS.get(command.subtype)
        if handler is not None:
            handler(reader, ref, command)
        elif command.subtype in _TABLE:
            name = command.name
            reader.add(t.TableChange(reader.place(word=name), ref, _TABLE[command.subtype], name))
        elif command.subtype in _COLUMN:
            place = reader.place(word=command.name)
            reader.add(t.ColumnChange(place, ref, command.name, _COLUMN[command.subtype]))
        else:
            reader.add(t.TableChange(reader.place(), ref, "options"))
    reader.part, reader.parts = 0, 1


def _add_column(reader: Reader, ref: Ref, command: Any) -> None:
    node = definition(command).column_def
    reader.add(t.AddColumn(reader.place(node.location), ref, column(reader, node), command.missing_ok))


def _drop_column(reader: Reader, ref: Ref, command: Any) -> None:
    cascade = command.behavior == pb.DROP_CASCADE
    place = reader.place(word=command.name)
    reader.add(t.DropColumn(place, ref, command.name, command.missing_ok, cascade))


def _type(reader: Reader, ref: Ref, command: Any) -> None:
    node = definition(command).column_def
    using = ""
    if node.HasField("raw_default"):
        which = node.raw_default.WhichOneof("node")
        source = node.raw_default.type_cast.arg if which == "type_cast" else node.raw_default
        plain = source.WhichOneof("node") == "column_ref" and strings(source.column_ref.fields[-1:]) == [
            command.name
        ]
        using = "cast" if plain else "other"
    collation = strings(node.coll_clause.collname)[-1] if node.HasField("coll_clause") else ""
    place = reader.place(word=command.name)
    reader.add(t.AlterColumnType(place, ref, command.name, type_of(node.type_name), using, collation))


def _default(reader: Reader, ref: Ref, command: Any) -> None:
    kind, function = default_of(definition(command)) if command.HasField("def") else ("none", None)
    reader.add(t.ColumnDefault(reader.place(word=command.name), ref, command.name, kind, function))


def _set_not_null(reader: Reader, ref: Ref, command: Any) -> None:
    reader.add(t.SetNotNull(reader.place(word=command.name), ref, command.name))


def _drop_not_null(reader: Reader, ref: Ref, command: Any) -> None:
    reader.add(t.DropNotNull(reader.place(word=command.name), ref, command.name))


def _add_constraint(reader: Reader, ref: Ref, command: Any) -> None:
    node = definition(command).constraint
    reader.add(t.AddConstraint(reader.place(node.location), ref, constraint(reader, node)))


def _drop_constraint(reader: Reader, ref: Ref, command: Any) -> None:
    cascade = command.behavior == pb.DROP_CASCADE
    place = reader.place(word=command.name)
    reader.add(t.DropConstraint(place, ref, command.name, command.missing_ok, cascade))


def _validate(reader: Reader, ref: Ref, command: Any) -> None:
    reader.add(t.ValidateConstraint(reader.place(word=command.name), ref, command.name))


def _alter_constraint(reader: Reader, ref: Ref, command: Any) -> None:
    node = definition(command)
    which = node.WhichOneof("node")
    part = getattr(node, which)
    name = part.conname
    enforced = part.is_enforced if getattr(part, "alter_enforceability", False) else None
    reader.add(t.AlterConstraint(reader.place(word=name), ref, name, enforced))


def _attach(reader: Reader, ref: Ref, command: Any) -> None:
    node = definition(command).partition_cmd
    found = bound(node.bound) if node.HasField("bound") else None
    reader.add(t.AttachPartition(reader.place(node.name.location), ref, relation(node.name), found))


def _detach(reader: Reader, ref: Ref, command: Any) -> None:
    node = definition(command).partition_cmd
    finalize = command.subtype == pb.AT_DetachPartitionFinalize
    place = reader.place(node.name.location)
    reader.add(t.DetachPartition(place, ref, relation(node.name), node.concurrent, finalize))


def _inherit(reader: Reader, ref: Ref, command: Any) -> None:
    node = definition(command).range_var
    what = "inherit" if command.subtype == pb.AT_AddInherit else "no inherit"
    reader.add(t.TableChange(reader.place(node.location), ref, what, other=relation(node)))


def _owner(reader: Reader, ref: Ref, command: Any) -> None:
    reader.add(t.TableChange(reader.place(), ref, "owner", command.newowner.rolename))


def _identity_replica(reader: Reader, ref: Ref, command: Any) -> None:
    node = definition(command).replica_identity_stmt
    reader.add(t.TableChange(reader.place(), ref, "replica identity", node.name or node.identity_type))


_HANDLERS: dict[int, _Handler] = {
    pb.AT_AddColumn: _add_column,
    pb.AT_DropColumn: _drop_column,
    pb.AT_AlterColumnType: _type,
    pb.AT_ColumnDefault: _default,
    pb.AT_SetNotNull: _set_not_null,
    pb.AT_DropNotNull: _drop_not_null,
    pb.AT_AddConstraint: _add_constraint,
    pb.AT_DropConstraint: _drop_constraint,
    pb.AT_ValidateConstraint: _validate,
    pb.AT_AlterConstraint: _alter_constraint,
    pb.AT_AttachPartition: _attach,
    pb.AT_DetachPartition: _detach,
    pb.AT_DetachPartitionFinalize: _detach,
    pb.AT_AddInherit: _inherit,
    pb.AT_DropInherit: _inherit,
    pb.AT_ChangeOwner: _owner,
    pb.AT_ReplicaIdentity: _identity_replica,
}
_COLUMN = {
    pb.AT_AddIdentity: "identity",
    pb.AT_SetIdentity: "set identity",
    pb.AT_DropIdentity: "drop identity",
    pb.AT_SetExpression: "set expression",
    pb.AT_DropExpression: "drop expression",
    pb.AT_SetStorage: "storage",
    pb.AT_SetCompression: "compression",
    pb.AT_SetStatistics: "statistics",
    pb.AT_SetOptions: "options",
    pb.AT_ResetOptions: "options",
}
_TABLE = {
    pb.AT_SetLogged: "logged",
    pb.AT_SetUnLogged: "unlogged",
    pb.AT_SetTableSpace: "tablespace",
    pb.AT_SetAccessMethod: "access method",
    pb.AT_ClusterOn: "cluster on",
    pb.AT_EnableRowSecurity: "enable rls",
    pb.AT_DisableRowSecurity: "disable rls",
    pb.AT_ForceRowSecurity: "force rls",
    pb.AT_NoForceRowSecurity: "no force rls",
    pb.AT_EnableTrig: "enable trigger",
    pb.AT_EnableTrigAll: "enable trigger",
    pb.AT_EnableTrigUser: "enable trigger",
    pb.AT_EnableAlwaysTrig: "enable trigger",
    pb.AT_EnableReplicaTrig: "enable trigger",
    pb.AT_DisableTrig: "disable trigger",
    pb.AT_DisableTrigAll: "disable trigger",
    pb.AT_DisableTrigUser: "disable trigger",
    pb.AT_EnableRule: "rule",
    pb.AT_DisableRule: "rule",
    pb.AT_AddOf: "of",
    pb.AT_DropOf: "of",
}


def rename(reader: Reader, node: Any) -> None:
    """ALTER ... RENAME."""
    kind = KINDS.get(node.rename_type, "object")
    said = KINDS.get(node.relation_type, "") if kind in ("column", "attribute") else ""
    if node.HasField("relation"):
        ref, place = relation(node.relation), reader.place(node.relation.location)
    elif kind in ("schema", "role", "database"):
        ref, place = (None, node.subname), reader.place(word=node.subname)
    else:
        ref = object_ref(node.object)
        place = reader.place(word=ref[1])
    part = node.subname if kind in ("column", "constraint", "trigger", "policy", "rule", "attribute") else ""
    reader.add(Rename(place, kind, ref, node.newname, part, said))


def set_schema(reader: Reader, node: Any) -> None:
    """ALTER ... SET SCHEMA."""
    ref = relation(node.relation) if node.HasField("relation") else object_ref(node.object)
    reader.add(
        SetSchema(reader.place(word=ref[1]), KINDS.get(node.object_type, "object"), ref, node.newschema)
    )


def change_owner(reader: Reader, node: Any) -> None:
    """ALTER ... OWNER TO, of anything but a relation."""
    ref = object_ref(node.object)
    kind = KINDS.get(node.object_type, "object")
    reader.add(ChangeOwner(reader.place(word=ref[1]), kind, ref, node.newowner.rolename))
