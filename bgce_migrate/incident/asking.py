"""Asks a run to pause, to go on or to end, and sees that it does; ends its sessions where nobody hears."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress

from bgce_migrate.apply.context import RunInfo
from bgce_migrate.db.session import Session, connect
from bgce_migrate.db.wire import Failed
from bgce_migrate.errors import Refused, Unavailable, UsageError
from bgce_migrate.incident.model import Run, Scene
from bgce_migrate.incident.reading import look

_POLL = 0.1
_MAY_NOT = "42501"
#: Enough of a run's id to name it.
SHORTEST = 4


def chosen(scene: Scene, word: str | None) -> Run:
    """The run that is meant: by the beginning of its id, or the only one.

    Raises:
        UsageError: several could be meant.
        Refused: there is none.
    """
    if word is not None and len(word) < SHORTEST:
        raise UsageError(f"'{word}' is too short for a run", hint=f"at least {SHORTEST} characters of its id")
    found = [r for r in scene.runs if word is None or r.id.startswith(word.lower())]
    if not found:
        which = f"run {word}" if word is not None else "no run"
        raise Refused(
            f"{which} is not under way in {scene.database}" if word is not None else f"{which} is under way in {scene.database}",
            hint="look at `bgce-migrate incident`; what an ended run has left, `bgce-migrate up` goes on with",
        )
    if word is None and len(found) > 1 and not found[0].leads:
        raise UsageError(f"several runs have sessions here: {', '.join(r.short for r in found)}", hint="name one")
    return found[0]


def ask(session: Session, run: Run, what: str) -> None:
    """Write it down where the run looks.

    Args:
        what: `pause`, `resume` or `cancel`.

    Raises:
        Refused: this login may not.
    """
    me = RunInfo.new(what)
    by = f"{me.os_user}@{me.host}"
    try:
        session.run([session.call("ask_run", ("uuid", run.id), ("text", what), ("text", by))])
    except Failed as failed:
        if failed.error.sqlstate != _MAY_NOT:
            raise
        raise Refused(
            f"login {session.connection.info.user} may not {what} runs here: {failed.error.diag.message_primary}",
            hint="use the migrator's login",
        ) from None


def until(session: Session, run: Run, met: Callable[[Run | None], bool], seconds: float) -> bool:
    """Look again and again whether the run (None: it has gone) is where it was asked to be."""
    end = time.monotonic() + seconds
    while True:
        now = next((r for r in look(session).runs if r.id == run.id), None)
        if met(now):
            return True
        if time.monotonic() >= end:
            return False
        time.sleep(_POLL)


def waits_for_its_end(run: Run | None) -> bool:
    """Whether it lets a statement end before it pauses."""
    return run is not None and any(w.journaled and w.busy for w in run.works)


def end(session: Session, run: Run, login: Callable[[str], Session]) -> tuple[int, ...]:
    """End every session of the run: its steps first, so that nothing commits without the leader.

    Args:
        login: opens a session as another login, for a step that runs as its domain's migrator.

    Returns:
        The backends that were ended.

    Raises:
        Refused: this login may end none of them.
    """
    ended = []
    for work in run.works:
        if _end(session, work.pid):
            ended.append(work.pid)
        else:
            with suppress(Unavailable), login(work.login) as other:
                ended += [work.pid] * _end(other, work.pid)
    rows = session.ask("locks", "sessions_of_runs")
    leaders = [int(row[0] or 0) for row in rows if run.id in (row[2] or "") and int(row[0] or 0) not in ended]
    ended += [pid for pid in leaders if _end(session, pid)]
    if not ended:
        raise Refused(
            f"login {session.connection.info.user} may not end the sessions of run {run.short}",
            hint="use the login that runs the migrations, or one with pg_signal_backend",
        )
    return tuple(ended)


def _end(session: Session, pid: int) -> bool:
    try:
        session.ask("locks", "end_backend", str(pid))
        return True
    except Failed as failed:
        if failed.error.sqlstate != _MAY_NOT:
            raise
        return False


def as_login(conninfo: str, schema: str, passwords: dict[str, str]) -> Callable[[str], Session]:
    """How `end` logs in as somebody else."""
    return lambda name: connect(conninfo, schema, user=name, password=passwords.get(name))
