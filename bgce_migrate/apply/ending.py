"""Where in the WAL a run has ended, written down beside it: replicas are waited for by that place."""

from __future__ import annotations

from collections.abc import Iterable

from bgce_migrate.apply.context import Context
from bgce_migrate.apply.leader import Leadership
from bgce_migrate.db.wire import Command, Failed
from bgce_migrate.errors import Unavailable
from bgce_migrate.outcome import StepResult, StepStatus, WalEnd


def mark_end(context: Context, leadership: Leadership, results: Iterable[StepResult]) -> WalEnd | None:
    """Record where this run ends: one round trip, and no wait for the disk. None where nothing was applied.

    A server that does not answer any more leaves the end unknown; the run's own result stands.
    """
    if all(result.status is not StepStatus.APPLIED for result in results):
        return None
    session = leadership.control
    call = session.call("end_run", ("bigint", str(leadership.epoch)), ("uuid", context.info.run_id))
    try:
        # A step may have made transactions of this session read-only by default.
        replies = session.run([Command("BEGIN READ WRITE"), call, Command("COMMIT")])
    except Failed as failed:
        context.progress.note(f"where this run ends is not recorded: {failed.error}")
        session.execute("ROLLBACK")
        return None
    except Unavailable as lost:
        context.progress.note(f"where this run ends is not recorded: {lost.message}")
        return None
    position, timeline = replies[1].rows[0]
    return WalEnd(position or "", int(timeline or 0))
