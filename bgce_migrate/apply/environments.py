"""Which environment a database is: a row of its history says it, and runs for another one are refused."""

from __future__ import annotations

from bgce_migrate.apply import recording
from bgce_migrate.apply.context import Limits, RunInfo
from bgce_migrate.apply.marks import leading
from bgce_migrate.apply.target import Target
from bgce_migrate.db.wire import Failed
from bgce_migrate.errors import Refused

#: The name of the correction row; its text is the environment's name.
ENVIRONMENT = "environment"
ACCEPTED = "accept-environment"


def recorded_environment(target: Target) -> str | None:
    """What the history says this database is; None where nobody ever said it. One round trip."""
    if target.state.meta is None:
        return None
    rows = target.control.ask("history", "environment")
    return rows[0][0] if rows else None


def require_environment(target: Target, name: str) -> None:
    """Refuse a database that is recorded as another environment (exit 3)."""
    recorded = recorded_environment(target)
    if recorded is not None and recorded != name:
        raise Refused(
            f"database {target.facts.database} is recorded as environment {recorded}, this run is for {name}",
            hint=f"look at the variable that names the database of {name}; after a restore or a copy: "
            f"bgce-migrate repair --env {name} --accept-environment REASON",
        )


def record_environment(
    target: Target, info: RunInfo, limits: Limits, name: str, *, reason: str | None = None
) -> bool:
    """Record that this database is an environment; whether there was anything to record.

    Args:
        reason: why it is another one than recorded; kept in a row of its own.
    """
    if recorded_environment(target) == name:
        return False
    with leading(target, info, limits) as leadership:
        heads = target.state.heads
        if not heads:
            return False  # a history begins with a migration
        domain = sorted(heads)[0]
        head = heads[domain]
        said = [(ACCEPTED, reason)] if reason is not None else []
        for what, text in (*said, (ENVIRONMENT, name)):
            row = recording.correction_row(info, what, text)
            call = recording.record(target.control, leadership.epoch, domain, head, row)
            try:
                head = recording.head_of(target.control.run([call])[0])
            except Failed as failed:
                raise Refused(f"the history of {domain} takes no such row: {failed.error}") from None
    target.reread()
    return True
