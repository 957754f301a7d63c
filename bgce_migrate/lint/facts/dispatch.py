"""From a statement's kind to its reader; the entry for a whole file."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from bgce_migrate.lint.facts import alter, bodies, create, making, queries, settings
from bgce_migrate.lint.facts.fact import Fact
from bgce_migrate.lint.facts.reader import Reader
from bgce_migrate.lint.facts.sessions import Other, Transaction
from bgce_migrate.sqlparse import Parsed, Positions, Spans, parse, spans

READERS: dict[str, Callable[[Reader, Any], None]] = {
    "AlterDatabaseSetStmt": settings.role_set,
    "AlterDatabaseStmt": settings.server_wide("alter database", "dbname"),
    "AlterDefaultPrivilegesStmt": settings.default_privileges,
    "AlterDomainStmt": making.alter_domain,
    "AlterEnumStmt": making.alter_enum,
    "AlterExtensionContentsStmt": making.alter_extension,
    "AlterExtensionStmt": making.alter_extension,
    "AlterForeignServerStmt": settings.with_secret,
    "AlterFunctionStmt": making.alter_function,
    "AlterObjectSchemaStmt": alter.set_schema,
    "AlterOwnerStmt": alter.change_owner,
    "AlterPolicyStmt": making.alter_policy,
    "AlterPublicationStmt": making.publication,
    "AlterRoleSetStmt": settings.role_set,
    "AlterRoleStmt": settings.alter_role,
    "AlterSeqStmt": making.alter_sequence,
    "AlterSubscriptionStmt": settings.with_secret,
    "AlterSystemStmt": settings.server_wide("alter system", ""),
    "AlterTableStmt": alter.alter_table,
    "AlterUserMappingStmt": settings.with_secret,
    "ClusterStmt": settings.cluster,
    "CommentStmt": making.comment,
    "CompositeTypeStmt": making.create_composite,
    "ConstraintsSetStmt": settings.constraints_set,
    "CopyStmt": queries.copy,
    "CreateDomainStmt": making.create_domain,
    "CreateEnumStmt": making.create_enum,
    "CreateEventTrigStmt": making.event_trigger,
    "CreateExtensionStmt": making.create_extension,
    "CreateForeignServerStmt": settings.with_secret,
    "CreateForeignTableStmt": create.create_foreign_table,
    "CreateFunctionStmt": making.create_function,
    "CreatePLangStmt": settings.server_wide("language", "plname"),
    "CreatePolicyStmt": making.create_policy,
    "CreatePublicationStmt": making.publication,
    "CreateRangeStmt": making.create_range,
    "CreateRoleStmt": settings.create_role,
    "CreateSchemaStmt": making.create_schema,
    "CreateSeqStmt": making.create_sequence,
    "CreateStmt": create.create_table,
    "CreateSubscriptionStmt": settings.with_secret,
    "CreateTableAsStmt": create.create_table_as,
    "CreateTableSpaceStmt": settings.server_wide("tablespace", "tablespacename"),
    "CreateTrigStmt": making.create_trigger,
    "CreateUserMappingStmt": settings.with_secret,
    "CreatedbStmt": settings.server_wide("database", "dbname"),
    "DeclareCursorStmt": settings.nested,
    "DefineStmt": making.define,
    "DeleteStmt": queries.delete,
    "DiscardStmt": settings.discard,
    "DoStmt": bodies.do_block,
    "DropOwnedStmt": settings.owned,
    "DropRoleStmt": settings.drop_role,
    "DropStmt": making.drop,
    "DropTableSpaceStmt": settings.server_wide("tablespace", "tablespacename"),
    "DropdbStmt": settings.server_wide("database", "dbname"),
    "ExplainStmt": settings.nested,
    "GrantRoleStmt": settings.grant_role,
    "GrantStmt": settings.grant,
    "IndexStmt": create.create_index,
    "InsertStmt": queries.insert,
    "LockStmt": settings.lock,
    "MergeStmt": queries.merge,
    "PrepareStmt": settings.nested,
    "ReassignOwnedStmt": settings.owned,
    "RefreshMatViewStmt": settings.refresh,
    "ReindexStmt": settings.reindex,
    "RenameStmt": alter.rename,
    "RuleStmt": making.create_rule,
    "SelectStmt": queries.select,
    "TransactionStmt": settings.transaction,
    "TruncateStmt": settings.truncate,
    "UpdateStmt": queries.update,
    "VacuumStmt": settings.vacuum,
    "VariableSetStmt": settings.set_variable,
    "ViewStmt": create.create_view,
}


def read_node(reader: Reader, kind: str, node: Any) -> None:
    """Add the facts of one statement."""
    handler = READERS.get(kind)
    if handler is None:
        reader.add(Other(reader.place(), kind))
        return
    try:
        handler(reader, node)
    except RecursionError:
        reader.add(Other(reader.place(), kind))


def read(text: str) -> tuple[Fact, ...]:
    """The facts of a file's text, in order. Raises SqlSyntaxError."""
    positions = Positions(text)
    tokens = spans(positions.raw)
    return from_parsed(parse(text, tokens), positions, tokens)


def from_parsed(parsed: Sequence[Parsed], positions: Positions, tokens: Spans) -> tuple[Fact, ...]:
    """The facts of statements that somebody has parsed already."""
    reader = Reader(positions, tokens)
    for index, found in enumerate(parsed):
        reader.begin(index, found)
        read_node(reader, found.kind, found.node)
    return _wrapped(reader.facts, len(parsed))


def _wrapped(facts: list[Fact], statements: int) -> tuple[Fact, ...]:
    """Mark one BEGIN and one COMMIT around the whole file."""
    words = [(i, fact) for i, fact in enumerate(facts) if isinstance(fact, Transaction)]
    words = [(i, fact) for i, fact in words if fact.word in ("begin", "commit", "rollback")]
    if [fact.word for _, fact in words] == ["begin", "commit"] and words[1][1].at.statement == statements - 1:
        for index, fact in words:
            facts[index] = msgspec.structs.replace(fact, wraps=True)
    return tuple(facts)
