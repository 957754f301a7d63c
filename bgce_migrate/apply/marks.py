"""Bookkeeping without running SQL: force, repair, and dropping everything."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import MappingProxyType

from bgce_migrate.apply import recording
from bgce_migrate.apply.compat.agreeing import prepared
from bgce_migrate.apply.compat.rows import Tables as Tables
from bgce_migrate.apply.context import Context, Limits, RunInfo
from bgce_migrate.apply.leader import Leadership
from bgce_migrate.apply.target import Target, ensure_bookkeeping
from bgce_migrate.db import statements as st
from bgce_migrate.db.wire import Command, Failed
from bgce_migrate.errors import Refused
from bgce_migrate.migration import MigrationId
from bgce_migrate.outcome import Head

NO_TABLES = Tables()


@contextmanager
def leading(target: Target, info: RunInfo, limits: Limits) -> Iterator[Leadership]:
    """Hold the run lock for some bookkeeping."""
    ensure_bookkeeping(target)
    context = Context(info, target.access(info), limits, target.facts)
    leadership = Leadership(context, target.control)
    leadership.acquire()
    try:
        target.reread()
        yield leadership
    finally:
        leadership.release()


def mark(
    target: Target,
    info: RunInfo,
    limits: Limits,
    marks: Iterable[tuple[MigrationId, bool, str | None, str | None]],
    *,
    reasons: Mapping[str, tuple[str, str]] = MappingProxyType({}),
    check: Callable[[], None] = lambda: None,
    versions: Tables = NO_TABLES,
) -> tuple[MigrationId, ...]:
    """Record migrations as applied or reverted without running them, all in one transaction.

    Args:
        marks: (id, applied, checksum, down text) of each.
        reasons: by domain, what was decided and why; a row of its own before the marks.
        check: called under the run's lock before anything is written; what it raises leaves all as it was.
        versions: golang-migrate's rows that say the same afterwards.
    """
    done = []
    with leading(target, info, limits) as leadership:
        check()
        rows = prepared(target, versions, leadership)
        heads = dict(target.state.heads)
        target.control.execute("BEGIN")
        try:
            for domain, (what, why) in reasons.items():
                heads[domain] = _record(target, leadership, domain, heads, recording.correction_row(info, what, why))
            for migration, applied, checksum, down in marks:
                row = recording.mark_row(info, migration, applied=applied, checksum=checksum, down=down)
                heads[migration.domain] = _record(target, leadership, migration.domain, heads, row)
                rows.switch(migration, applied)
                done.append(migration)
            kept = rows.beside(target.control, leadership.epoch, (migration.domain for migration in done))
            target.control.run([*kept, Command("COMMIT")])
        except BaseException:
            if target.control.usable:
                target.control.execute("ROLLBACK")
            raise
    return tuple(done)


def _record(
    target: Target, leadership: Leadership, domain: str, heads: Mapping[str, Head], row: recording.Row
) -> Head:
    call = recording.record(target.control, leadership.epoch, domain, heads.get(domain), row)
    try:
        return recording.head_of(target.control.run([call])[0])
    except Failed as failed:
        raise Refused(f"the history of {domain} takes no such row: {failed.error}") from None


def accept_target(target: Target, info: RunInfo, limits: Limits, what: str, reason: str) -> str:
    """This cluster is the one now; the reason goes into every domain's history.

    Args:
        what: "accept-cluster" or "accept-rewind".
    """
    if not reason.strip():
        raise Refused(f"--{what} wants a reason; it is kept in the history")
    with leading(target, info, limits) as leadership:
        target.control.run([target.control.call("accept_target", ("bigint", str(leadership.epoch)))])
        heads = dict(target.state.heads)
        for domain in sorted(heads):
            row = recording.correction_row(info, what, reason)
            heads[domain] = _record(target, leadership, domain, heads, row)
    was = target.state.meta
    return f"{what}: history now belongs to {target.facts.database} of cluster {target.facts.system_identifier}" + (
        f" (was {was.database} of {was.system_identifier})" if was else ""
    )


def forget_journal(
    target: Target, info: RunInfo, limits: Limits, migration: MigrationId, versions: Tables = NO_TABLES
) -> str:
    """Forget what a half-done journaled file has done; its next run begins at its first statement."""
    with leading(target, info, limits) as leadership:
        kept = prepared(target, versions, leadership)
        kept.forget(migration)
        call = target.control.call(
            "forget_journal", ("bigint", str(leadership.epoch)), ("text", migration.domain), ("bigint", str(migration.version))
        )
        # One transaction: nothing else begins or ends one between them.
        clean = kept.beside(target.control, leadership.epoch, (migration.domain,))
        rows = target.control.run([call, *clean])[0].rows
    return f"forgot {rows[0][0]} journal rows of {migration.short}"


def drop_everything(target: Target, owners: Iterable[str]) -> tuple[str, ...]:
    """Drop every object of the project, and in layout plain the bookkeeping with it.

    In layout guarded each owner role drops what it owns; the history is append-only and stays, with every
    migration marked as reverted.
    """
    session = target.control
    if target.layout == "guarded":
        done = []
        for role in owners:
            session.run(
                [Command("BEGIN"), Command(st.set_role(role)), Command(f"DROP OWNED BY {st.identifier(role)} CASCADE"), Command("COMMIT")]
            )
            done.append(f"everything owned by {role}")
        return tuple(done)
    drops = [row[0] or "" for row in session.ask("target", "owned_objects")]
    session.run([Command("BEGIN"), *map(Command, drops), Command("COMMIT")])
    return tuple(drops)
