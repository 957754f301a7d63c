"""A restore point before a run's first step, where this login may make one; its name and place are kept in the history."""

from __future__ import annotations

from types import MappingProxyType

from msgspec.structs import replace

from bgce_migrate.apply import recording
from bgce_migrate.apply.context import Context
from bgce_migrate.apply.leader import Leadership
from bgce_migrate.apply.target import Target
from bgce_migrate.db import statements as st
from bgce_migrate.db.session import Session
from bgce_migrate.db.wire import Failed
from bgce_migrate.outcome import RestorePoint

#: The name of the correction row; its text is the point's name and WAL position.
RESTORE_POINT = "restore-point"


def letting_mark(session: Session, *, new: bool) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What `bootstrap` runs so that the migrator may make restore points, or what it says where it may not give that.

    Args:
        new: for a database that is yet to be made; rights on functions belong to one database.
    """
    may_give, has = session.ask("roles", "may_mark", st.MIGRATOR)[0]
    if has == "true" and not new:
        return (), ()
    text = st.grant_execute("pg_catalog", "pg_create_restore_point", "text", [st.MIGRATOR])
    if may_give == "true":
        return (text,), ()
    return (), (f"runs will mark no restore points: a superuser may, in this database: {text}",)


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
