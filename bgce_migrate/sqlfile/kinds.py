"""What kind of statement it is: may it run in a transaction, and how is it probed."""

from __future__ import annotations

from typing import Any

from bgce_migrate.sqlparse import pb

_NEVER = frozenset(
    {
        "AlterSystemStmt",
        "CreateTableSpaceStmt",
        "CreatedbStmt",
        "DropSubscriptionStmt",
        "DropTableSpaceStmt",
        "DropdbStmt",
    }
)
_OFF = frozenset({"false", "off", "0", "no"})
_WIDE_REINDEX = frozenset({pb.REINDEX_OBJECT_SCHEMA, pb.REINDEX_OBJECT_SYSTEM, pb.REINDEX_OBJECT_DATABASE})
_PREPARED = frozenset({pb.TRANS_STMT_COMMIT_PREPARED, pb.TRANS_STMT_ROLLBACK_PREPARED})
_ROLE_KINDS = frozenset(
    {
        "AlterDatabaseSetStmt",
        "AlterRoleSetStmt",
        "AlterRoleStmt",
        "CreateRoleStmt",
        "DropRoleStmt",
        "GrantRoleStmt",
    }
)


def changes_roles(kind: str) -> bool:
    """Whether the statement changes roles or their settings, which outlive the database."""
    return kind in _ROLE_KINDS


def is_transactional(kind: str, node: Any) -> bool:
    """Whether the server takes the statement inside a transaction block, as far as it shows."""
    if kind in _NEVER:
        return False
    if kind in ("IndexStmt", "DropStmt"):
        return not node.concurrent
    if kind == "VacuumStmt":
        return not node.is_vacuumcmd
    if kind == "ReindexStmt":
        return node.kind not in _WIDE_REINDEX and not _is_on(node.params, "concurrently")
    if kind == "ClusterStmt":
        return bool(node.HasField("relation"))
    if kind == "AlterTableStmt":
        return not _detaches_concurrently(node)
    if kind == "CreateSubscriptionStmt":
        return not (_is_on(node.options, "connect", True) and _is_on(node.options, "create_slot", True))
    if kind == "AlterSubscriptionStmt":
        return not _refreshes(node)
    if kind == "AlterDatabaseStmt":
        return not any(option.def_elem.defname == "tablespace" for option in node.options)
    return not (kind == "TransactionStmt" and node.kind in _PREPARED)


def tag_of(kind: str, node: Any) -> str:
    """The short word by which the journal picks its probe, or ""."""
    if kind == "IndexStmt":
        return "create_index_concurrently" if node.concurrent else ""
    if kind == "DropStmt":
        return "drop_index_concurrently" if node.concurrent else ""
    if kind == "ReindexStmt":
        return "reindex_concurrently" if _is_on(node.params, "concurrently") else ""
    if kind == "VacuumStmt":
        return "vacuum" if node.is_vacuumcmd else "analyze"
    if kind == "AlterEnumStmt":
        return "add_enum_value" if node.new_val and not node.old_val else ""
    if kind == "AlterTableStmt":
        if _detaches_concurrently(node):
            return "detach_concurrently"
        subtypes = [command.alter_table_cmd.subtype for command in node.cmds]
        return "validate_constraint" if subtypes == [pb.AT_ValidateConstraint] else ""
    return ""


def _detaches_concurrently(node: Any) -> bool:
    for command in node.cmds:
        part = command.alter_table_cmd
        if part.subtype == pb.AT_DetachPartition and getattr(part, "def").partition_cmd.concurrent:
            return True
    return False


def _refreshes(node: Any) -> bool:
    if node.kind == pb.ALTER_SUBSCRIPTION_REFRESH:
        return True
    changes = (
        pb.ALTER_SUBSCRIPTION_SET_PUBLICATION,
        pb.ALTER_SUBSCRIPTION_ADD_PUBLICATION,
        pb.ALTER_SUBSCRIPTION_DROP_PUBLICATION,
    )
    return node.kind in changes and _is_on(node.options, "refresh", True)


def _is_on(options: Any, name: str, default: bool = False) -> bool:
    """A boolean option: named alone it is on."""
    for node in options:
        option = node.def_elem
        if option.defname != name:
            continue
        which = option.arg.WhichOneof("node")
        if which == "string":
            return option.arg.string.sval.lower() not in _OFF
        if which == "type_name":  # `off` without quotes is read as a type
            return option.arg.type_name.names[-1].string.sval.lower() not in _OFF
        if which == "boolean":
            return bool(option.arg.boolean.boolval)
        if which == "integer":
            return bool(option.arg.integer.ival)
        return True
    return default
