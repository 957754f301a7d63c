"""A restore point before a run's first step, where this login may make one; its name and place are kept in the history."""

from __future__ import annotations

from types import MappingProxyType

from msgspec.structs import replace

from bgce_migrate.apply import recording
from bgce_migrate.apply.context import Context
from bgce_migrate.apply.leader import Leadership
from bgce_migrate.apply.target import Target
from bgce_migrate.db.wire import Failed
from bgce_migrate.outcome import RestorePoint

#: The name of the correction row; its text is the point's name and WAL position.
RESTORE_POINT = "restore-point"


def mark_restore_point(context: Context, leadership: Leadership, target: Target, domain: str) -> RestorePoint | None:
    """Name the place in the WAL where this run begins: a recovery with `recovery_target_name` ends there.

    Two round trips for who may, none for others. A server that makes none does not stop the run.

    Args:
        domain: in whose chain the row stands.
    """
    if not context.facts.may_mark:
        return None
    name = f"bgce-migrate {context.info.run_id}"
    try:
        position = target.control.ask("target", "restore_point", name)[0][0] or ""
        row = recording.correction_row(context.info, RESTORE_POINT, f"{name} {position}")
        heads = target.state.heads
        head = recording.head_of(
            target.control.run([recording.record(target.control, leadership.epoch, domain, heads.get(domain), row)])[0]
        )
    except Failed as failed:
        context.progress.note(f"no restore point is marked: {failed.error}")
        return None
    target.state = replace(target.state, heads=MappingProxyType({**heads, domain: head}))
    return RestorePoint(name, position)
