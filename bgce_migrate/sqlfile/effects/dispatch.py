"""From a statement's kind to its reader."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bgce_migrate.sqlfile.effects import alter, objects, queries, routines, settings, tables
from bgce_migrate.sqlfile.effects.reading import Reading

READERS: dict[str, Callable[[Reading, Any], None]] = {
    "AlterDefaultPrivilegesStmt": objects.default_privileges,
    "AlterDomainStmt": objects.alter_domain,
    "AlterEnumStmt": objects.alter_type,
    "AlterExtensionContentsStmt": objects.alter_extension,
    "AlterExtensionStmt": objects.alter_extension,
    "AlterFdwStmt": routines.foreign_data_wrapper,
    "AlterFunctionStmt": routines.alter_function,
    "AlterObjectDependsStmt": alter.depends_on,
    "AlterObjectSchemaStmt": alter.set_schema,
    "AlterOpFamilyStmt": routines.alter_operator_family,
    "AlterOwnerStmt": alter.change_owner,
    "AlterPolicyStmt": objects.policy,
    "AlterPublicationStmt": objects.publication,
    "AlterSeqStmt": tables.alter_sequence,
    "AlterTableStmt": alter.alter_table,
    "AlterTypeStmt": objects.alter_type,
    "CallStmt": routines.call,
    "ClusterStmt": settings.maintain,
    "CommentStmt": objects.comment,
    "CompositeTypeStmt": objects.create_composite,
    "ConstraintsSetStmt": settings.set_constraints,
    "CopyStmt": settings.copy,
    "CreateAmStmt": routines.create_access_method,
    "CreateCastStmt": routines.create_cast,
    "CreateConversionStmt": routines.create_conversion,
    "CreateDomainStmt": objects.create_domain,
    "CreateEnumStmt": objects.create_enum,
    "CreateEventTrigStmt": routines.create_event_trigger,
    "CreateExtensionStmt": objects.create_extension,
    "CreateFdwStmt": routines.foreign_data_wrapper,
    "CreateForeignTableStmt": tables.create_foreign_table,
    "CreateFunctionStmt": routines.create_function,
    "CreateOpClassStmt": routines.create_operator_class,
    "CreatePLangStmt": routines.create_language,
    "CreatePolicyStmt": objects.policy,
    "CreatePublicationStmt": objects.publication,
    "CreateRangeStmt": objects.create_range,
    "CreateSchemaStmt": objects.create_schema,
    "CreateSeqStmt": tables.create_sequence,
    "CreateStatsStmt": tables.create_statistics,
    "CreateStmt": tables.create_table,
    "CreateTableAsStmt": tables.create_table_as,
    "CreateTransformStmt": routines.create_transform,
    "CreateTrigStmt": tables.create_trigger,
    "DeclareCursorStmt": settings.nested_statement,
    "DefineStmt": routines.define,
    "DeleteStmt": queries.delete,
    "DiscardStmt": settings.discard,
    "DoStmt": routines.do_block,
    "DropOwnedStmt": objects.drop_owned,
    "DropStmt": objects.drop,
    "ExplainStmt": settings.nested_statement,
    "GrantStmt": objects.grant,
    "ImportForeignSchemaStmt": objects.import_foreign_schema,
    "IndexStmt": tables.create_index,
    "InsertStmt": queries.insert,
    "LockStmt": settings.lock,
    "MergeStmt": queries.merge,
    "PrepareStmt": settings.nested_statement,
    "RefreshMatViewStmt": settings.maintain,
    "ReindexStmt": settings.maintain,
    "RenameStmt": alter.rename,
    "RuleStmt": tables.create_rule,
    "SecLabelStmt": objects.comment,
    "SelectStmt": queries.select,
    "TransactionStmt": settings.transaction,
    "TruncateStmt": settings.truncate,
    "UpdateStmt": queries.update,
    "VacuumStmt": settings.vacuum,
    "VariableSetStmt": settings.set_variable,
    "ViewStmt": tables.create_view,
}


def read_statement(reading: Reading, kind: str, node: Any) -> None:
    """Add the effects of one statement."""
    reader = READERS.get(kind)
    if reader is not None:
        reader(reading, node)
