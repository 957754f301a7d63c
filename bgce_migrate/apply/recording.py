"""Rows of history and journal as the bookkeeping's functions take them."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping

from bgce_migrate.apply.context import RunInfo
from bgce_migrate.apply.units import Unit
from bgce_migrate.db.history import GENESIS
from bgce_migrate.db.queries import array
from bgce_migrate.db.session import Session
from bgce_migrate.db.statements import known_settings
from bgce_migrate.db.wire import Command, Reply
from bgce_migrate.migration import Direction, MigrationId, Step
from bgce_migrate.outcome import Head

Row = dict[str, object]


def step_row(info: RunInfo, step: Step, *, success: bool, error: str | None = None, ms: int | None = None) -> Row:
    """A step that ran, or failed. `ms` None lets the server count from the transaction's begin."""
    up = step.direction is Direction.UP
    return {
        **_row(info, step.id, step.direction.value, success=success),
        "execution_time_ms": ms,
        "checksum": step.checksum,
        "up_sql": step.script.source.text if up and success else None,
        "down_sql": step.down.text if up and success and step.down else None,
        "requires": list(step.requires),
        "error": error,
    }


def mark_row(info: RunInfo, migration: MigrationId, *, applied: bool, checksum: str | None, down: str | None) -> Row:
    """A version recorded as applied or reverted without running anything."""
    direction = "mark_applied" if applied else "mark_reverted"
    return {**_row(info, migration, direction), "checksum": checksum, "down_sql": down}


def correction_row(info: RunInfo, what: str, reason: str) -> Row:
    """Something a person has decided about the history."""
    return {**_row(info, None, "correction"), "name": what, "error": reason}


def _row(info: RunInfo, migration: MigrationId | None, direction: str, *, success: bool = True) -> Row:
    return {
        "run_id": info.run_id,
        "deployment": info.deployment,
        "version": migration.version if migration else None,
        "name": migration.name if migration else "",
        "direction": direction,
        "execution_time_ms": 0,
        "success": success,
        "requires": [],
        "git_commit": info.git_commit,
        "tool_version": info.tool_version,
    }


def head_of(reply: Reply) -> Head:
    """The head that `finish_step` or `record` has made."""
    sequence, row_hash = reply.rows[0]
    return Head(int(sequence or 0), row_hash or "")


def previous_hash(head: Head | None) -> str:
    """What the next row of a domain must follow."""
    return head.row_hash if head else GENESIS


def open_step(
    session: Session, attempt: str, epoch: int, domain: str, previous: Head | None,
    settings: Mapping[str, str], owner: str | None,
) -> Command:  # fmt: skip
    """Open the guard of a step: `settings` hold for its transaction, and its role is `owner` from here on."""
    known = known_settings(session.server_version, settings)
    return session.call(
        "open_step", ("text[]", array(known)), ("text[]", array(known.values())), ("uuid", attempt),
        ("bigint", str(epoch)), ("text", domain), ("text", previous_hash(previous)), ("text", owner),
        keep_rows=False,
    )


def close_step(session: Session, attempt: str, row: Row, owner: str | None) -> Command:
    """Close the guard and write the row, in the step's transaction; its role is `owner` again."""
    return session.call("close_step", ("uuid", attempt), ("jsonb", json.dumps(row)), ("text", owner))


def record(session: Session, epoch: int, domain: str, previous: Head | None, row: Row) -> Command:
    """A row beside a step: failures, marks, corrections."""
    return session.call(
        "record", ("bigint", str(epoch)), ("uuid", str(uuid.uuid4())), ("text", domain),
        ("text", previous_hash(previous)), ("jsonb", json.dumps(row)),
    )  # fmt: skip


def finish_unit(session: Session, attempt: str, run_id: str, step: Step, unit: Unit) -> Command:
    """Close the guard of a transactional unit and write its journal row."""
    return session.call(
        "finish_unit", ("uuid", attempt), ("uuid", run_id), ("bigint", str(step.id.version)),
        ("text", step.direction.value), ("integer", str(unit.number)), ("text", unit.digest),
    )  # fmt: skip


def intent(session: Session, epoch: int, run_id: str, step: Step, unit: Unit) -> Command:
    """Announce a statement that runs outside any transaction."""
    return session.call(
        "intent", ("bigint", str(epoch)), ("uuid", run_id), ("text", step.id.domain),
        ("bigint", str(step.id.version)), ("text", step.direction.value), ("integer", str(unit.number)),
        ("text", unit.digest), ("text", unit.tag or unit.statements[0].kind),
    )  # fmt: skip


def done(session: Session, epoch: int, step: Step, unit: Unit, evidence: str) -> Command:
    """It is done, and why we believe so."""
    return session.call(
        "done", ("bigint", str(epoch)), ("text", step.id.domain), ("bigint", str(step.id.version)),
        ("text", step.direction.value), ("integer", str(unit.number)), ("text", evidence),
    )  # fmt: skip
