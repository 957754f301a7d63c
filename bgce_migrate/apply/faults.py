"""What the server or the network said during a step, as errors a person can act on."""

from __future__ import annotations

import psycopg

from bgce_migrate.db.wire import Failed
from bgce_migrate.errors import (
    BgceError,
    HistoryBroken,
    Interrupted,
    LeadershipLost,
    NeedsHuman,
    StepFailed,
    Unavailable,
    Where,
)
from bgce_migrate.migration import Statement, Step

#: Whole-step retries (design section 6): lock timeout, deadlock, serialization.
RETRIABLE = frozenset({"55P03", "40P01", "40001"})
_CONCURRENT_CATALOG = ("tuple concurrently updated", "tuple concurrently deleted")

CANCELLED = "57014"  # query_canceled
EPOCH_OVER = "BG001"
TRANSACTION_OVER = "BG002"
HISTORY_MOVED = "BG003"
_GUARD_TABLE = "guard"

_HINTS = {
    "25001": "this statement cannot run in a transaction: give it a file of its own with `-- bgce: no-transaction`",
    "55P04": "a new enum value can be used only after the transaction that adds it: split the file in two",
    "53100": "the server's disk is full; make room and run again",
    "57014": "the statement was cancelled or ran into statement_timeout",
    "2D000": "take COMMIT and ROLLBACK out of DO blocks and procedures",
    "25006": "the target is read-only",
    "42501": "the step runs as the domain's owner role, which may touch only what its domain owns",
}


def is_retriable(error: psycopg.Error) -> bool:
    """Whether the whole step may be tried again without anybody's decision."""
    text = str(error)
    return error.sqlstate in RETRIABLE or (
        error.sqlstate == "XX000" and any(words in text for words in _CONCURRENT_CATALOG)
    )


def place(step: Step, statement: Statement | None, error: psycopg.Error | None) -> Where:
    """File, line and column: of the server's position where it gave one, else of the statement."""
    path = step.script.source.path
    if statement is None:
        return Where(path)
    position = error.diag.statement_position if error is not None else None
    if position is None:
        return Where(path, statement.line, statement.column)
    before = statement.text[: int(position) - 1]
    line = statement.line + before.count("\n")
    column = len(before) - before.rfind("\n") if "\n" in before else statement.column + len(before)
    return Where(path, line, column)


def failed(step: Step, statement: Statement | None, error: psycopg.Error, stands: str) -> StepFailed:
    """A statement the server refused. `stands` says what is left of the step."""
    diag = error.diag
    facts = {
        "sqlstate": error.sqlstate or "",
        "detail": diag.message_detail or "",
        "server_hint": diag.message_hint or "",
        "context": diag.context or "",
        "stands": stands,
    }
    message = diag.message_primary or str(error).strip()
    if (error.sqlstate == "23503" and diag.table_name == _GUARD_TABLE) or error.sqlstate == TRANSACTION_OVER:
        message = "something in the file ends the transaction (COMMIT, PREPARE or the like); all of it was rolled back"
    hint = _HINTS.get(error.sqlstate or "", "mend the file and run again; earlier steps stand")
    return StepFailed(
        f"{step.id} failed: {message}",
        hint=hint,
        where=place(step, statement, error),
        facts={k: v for k, v in facts.items() if v},
    )


def epoch_over(step: Step) -> BgceError:
    """Another run leads now."""
    return LeadershipLost(
        f"{step.id} was not run: another run has taken over",
        hint="run it again: what is applied is recorded",
    )


def gave_up(step: Step, error: psycopg.Error, tries: int, blockers: tuple[str, ...]) -> Unavailable:
    """Every try ran into somebody else's lock."""
    who = "; ".join(blockers) or "not visible to this login (grant it pg_read_all_stats)"
    return Unavailable(
        f"{step.id} got no lock in {tries} tries: {error.diag.message_primary}; blocked by {who}",
        hint="nothing of this step was changed; run again when the blocker has ended, or raise --lock-timeout",
        where=Where(step.script.source.path),
        facts={"sqlstate": error.sqlstate or ""},
    )


def explained(step: Step, caught: Failed, tries: int, blockers: tuple[str, ...], *, stopping: bool) -> BgceError:
    """Why a step that runs in one transaction has failed for good.

    Args:
        stopping: somebody asked the run to stop.
    """
    error = caught.error
    if error.sqlstate == EPOCH_OVER:
        return epoch_over(step)
    if error.sqlstate == HISTORY_MOVED:
        return HistoryBroken(
            f"{step.id} was not run: the history of {step.id.domain} is not the one this run has read",
            hint="look at `bgce-migrate history --verify`: another run, a restore or a failover came between",
        )
    if stopping and (error.sqlstate == CANCELLED or is_retriable(error)):
        return Interrupted(f"{step.id} was interrupted and rolled back", hint="run again to go on")
    if is_retriable(error):
        return gave_up(step, error, tries, blockers)
    statement = caught.statement if isinstance(caught, FailedStatement) else None
    return failed(step, statement, error, "nothing of this step; earlier steps stand")


def undecidable(step: Step, statement: Statement, number: int, evidence: str) -> NeedsHuman:
    """A journaled statement that was under way when everything ended, and that leaves no trace."""
    return NeedsHuman(
        f"{step.id}: nobody can say whether statement {number} was done before the crash"
        + (f" ({evidence})" if evidence else ""),
        hint="look at the database; then add `-- bgce: done-when \"SELECT ...\"` or `-- bgce: repeatable`, or"
        f" bgce-migrate repair --forget-journal {step.id.short}",
        where=Where(step.script.source.path, statement.line, statement.column),
    )


def describe_blocker(row: tuple[str | None, ...]) -> str:
    """pid, user, program, state and age of a session that blocks."""
    pid, user, application, state, age = row
    if pid is None:
        return f"prepared transaction '{application}' of {user} ({age} s old; COMMIT or ROLLBACK PREPARED ends it)"
    return f"pid {pid} ({user or '?'}, {application or 'unnamed'}, {state or 'state hidden'}, {age or '?'} s)"


class FailedStatement(Failed):
    """A failure with the statement of the file it belongs to."""

    def __init__(self, index: int, error: psycopg.Error, statement: Statement | None) -> None:
        super().__init__(index, error)
        self.statement = statement


class LostBeforeCommit(Exception):
    """The connection ended before COMMIT was sent: nothing of the step can stand."""

    def explain(self, step: Step) -> BgceError:
        return Unavailable(
            f"{step.id}: the connection was lost again and again: {self}",
            hint="nothing of this step was changed; run again when the server is well",
        )


class LostAtCommit(Exception):
    """The connection ended after COMMIT was sent: the outcome must be found out."""

    def __init__(self, attempt: str, message: str) -> None:
        super().__init__(message)
        self.attempt = attempt
