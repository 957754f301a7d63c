"""SET, RESET, DISCARD, COPY and the like: what they change for the rest of the file."""

from __future__ import annotations

from typing import Any

from bgce_migrate.effect import Action, ObjectKind
from bgce_migrate.sqlfile.effects.expressions import SWITCHES, Scope, expression, path_of
from bgce_migrate.sqlfile.effects.queries import query
from bgce_migrate.sqlfile.effects.reading import Reading, relation
from bgce_migrate.sqlparse import node_kind, pb

_DISCARDED = {
    pb.DISCARD_ALL: "DISCARD ALL",
    pb.DISCARD_PLANS: "DISCARD PLANS",
    pb.DISCARD_SEQUENCES: "DISCARD SEQUENCES",
    pb.DISCARD_TEMP: "DISCARD TEMP",
}


def values_of(statement: Any) -> list[str]:
    """The values of a SET as texts."""
    return [node.a_const.sval.sval for node in statement.args if node.WhichOneof("node") == "a_const"]


def set_variable(reading: Reading, statement: Any) -> None:
    """SET and RESET."""
    name = statement.name.lower()
    if statement.kind == pb.VAR_RESET_ALL:
        reading.fault("role", "RESET ALL resets what the run relies on", strict_only=True)
        name = "search_path"
    elif name in SWITCHES:
        word = "RESET" if statement.kind == pb.VAR_RESET else "SET"
        spelled = "ROLE" if name == "role" else "SESSION AUTHORIZATION"
        message = f"{word} {spelled} switches the role of the step"
        reading.fault("role", message, strict_only=True)
    if name == "search_path" and not reading.in_body:
        if statement.kind == pb.VAR_SET_VALUE:
            values = values_of(statement)
            reading.path = path_of(values if len(values) != 1 else [values[0]])
        elif statement.kind != pb.VAR_SET_CURRENT:
            reading.path = reading.default_path


def discard(reading: Reading, statement: Any) -> None:
    """DISCARD."""
    what = _DISCARDED.get(statement.target, "DISCARD")
    reading.fault("settings", f"{what} throws away what the run relies on")


def set_constraints(reading: Reading, statement: Any) -> None:
    """SET CONSTRAINTS ALL."""
    if not statement.constraints:
        word = "DEFERRED" if statement.deferred else "IMMEDIATE"
        message = f"SET CONSTRAINTS ALL {word} reaches the guard of the step, too"
        reading.fault("constraints", message, strict_only=statement.deferred)


def copy(reading: Reading, statement: Any) -> None:
    """COPY: a write or a read; from or to the client it cannot run here."""
    if not statement.filename:
        way = "FROM STDIN" if statement.is_from else "TO STDOUT"
        reading.fault("copy", f"COPY {way} needs a client that sends or takes the data")
    if statement.HasField("query"):
        query(reading, statement.query)
        return
    ref = relation(statement.relation)
    location = statement.relation.location
    if not statement.is_from:
        reading.use_relation(ref, location, "copy")
    elif not reading.is_hidden(ref):
        reading.emit(Action.WRITE, reading.name(ObjectKind.RELATION, ref), location, detail="copy")
    for node in statement.attlist:
        reading.use_column(ref, node.string.sval, location, "copy")
    if statement.HasField("where_clause"):
        scope = Scope()
        scope.add(ref[1], ref)
        expression(reading, statement.where_clause, scope)


_CONTROL = {
    pb.TRANS_STMT_BEGIN: "BEGIN",
    pb.TRANS_STMT_START: "START TRANSACTION",
    pb.TRANS_STMT_COMMIT: "COMMIT",
    pb.TRANS_STMT_ROLLBACK: "ROLLBACK",
    pb.TRANS_STMT_PREPARE: "PREPARE TRANSACTION",
    pb.TRANS_STMT_COMMIT_PREPARED: "COMMIT PREPARED",
    pb.TRANS_STMT_ROLLBACK_PREPARED: "ROLLBACK PREPARED",
}


def control_word(statement: Any) -> str:
    """The words of a TransactionStmt; "" for savepoints, which are harmless."""
    word = _CONTROL.get(statement.kind, "")
    return f"{word} AND CHAIN" if word and statement.chain else word


def transaction(reading: Reading, statement: Any) -> None:
    """Transaction control at any place: judged with the whole file, or found in a body."""
    word = control_word(statement)
    if reading.detail and word:
        reading.fault("transaction", f"{word} in a body", strict_only=True)


def nested_statement(reading: Reading, statement: Any) -> None:
    """EXPLAIN, PREPARE and DECLARE CURSOR: what is inside."""
    from bgce_migrate.sqlfile.effects.dispatch import read_statement

    read_statement(reading, *node_kind(statement.query))


def lock(reading: Reading, statement: Any) -> None:
    """LOCK TABLE."""
    for node in statement.relations:
        reading.use_relation(relation(node.range_var), node.range_var.location, "lock")


def truncate(reading: Reading, statement: Any) -> None:
    """TRUNCATE: a write."""
    for node in statement.relations:
        ref = relation(node.range_var)
        if not reading.is_hidden(ref):
            reading.emit(
                Action.WRITE,
                reading.name(ObjectKind.RELATION, ref),
                node.range_var.location,
                detail="truncate",
                cascade=statement.behavior == pb.DROP_CASCADE,
            )


def maintain(reading: Reading, statement: Any) -> None:
    """REFRESH, CLUSTER and REINDEX."""
    if statement.HasField("relation"):
        reading.use_relation(relation(statement.relation), statement.relation.location, "maintenance")


def vacuum(reading: Reading, statement: Any) -> None:
    """VACUUM and ANALYZE."""
    for node in statement.rels:
        rel = node.vacuum_relation.relation
        ref = relation(rel)
        reading.use_relation(ref, rel.location, "maintenance")
        for column in node.vacuum_relation.va_cols:
            reading.use_column(ref, column.string.sval, rel.location, "maintenance")
