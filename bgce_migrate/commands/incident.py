"""`incident`, `pause`, `resume` and `cancel`: what an on-call person has in hand while a run is under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, option
from bgce_migrate.errors import BgceError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from bgce_migrate.db.session import Session
    from bgce_migrate.desk import Desk
    from bgce_migrate.incident.model import Run, Scene


@command("incident")
def incident(call: Call) -> None:
    """Show what runs, what it waits for, who is in the way, and what is safe to do now.

    Only reads, and may be called at any time; needs no plugins and, with -d, no project. At most about a second.
    """
    from bgce_migrate.incident.advice import advice
    from bgce_migrate.incident.locating import located
    from bgce_migrate.incident.reading import watch
    from bgce_migrate.report.incident import print_incident

    with _session(call) as session:
        scene = watch(session)
        desk = _desk(call)
        pending: tuple[str, ...] | None = None
        services: dict[str, str] = {}
        if desk is not None:
            scene = located(scene, desk.tree)
            pending = _pending(desk, session, scene)
            services = {s.login: f"service {s.name}" for d in desk.project.domains for s in d.services}
    print_incident(call.out, scene, advice(scene), pending, services)


@command("pause")
@click.argument("run", required=False)
@option("--wait", type=click.FloatRange(0), default=10.0, metavar="S", scope="pause",
        help="Seconds to wait until the run has done so (10).")
def pause(call: Call, run: str | None, wait: float) -> int:
    """Let a run give up the step in hand, so that nobody waits for it, and wait until `resume`.

    The step is rolled back and begun again later. A statement that runs outside any transaction is let to its end.
    RUN is the beginning of its id; by default the one that leads.
    """  # fmt: skip
    from bgce_migrate.incident.asking import waits_for_its_end

    def given_up(now: Run | None) -> bool:
        return now is None or (now.obeys and (now.paused or waits_for_its_end(now)))

    def line(now: Run) -> str:
        if waits_for_its_end(now):
            return f"run {now.short} pauses when the statement in hand has ended; bgce-migrate resume {now.short} goes on"
        return f"run {now.short} is paused and holds nothing; bgce-migrate resume {now.short} goes on"

    return _ask(call, "pause", run, wait, given_up, line)


@command("resume")
@click.argument("run", required=False)
@option("--wait", type=click.FloatRange(0), default=10.0, metavar="S", scope="resume",
        help="Seconds to wait until the run has done so (10).")
def resume(call: Call, run: str | None, wait: float) -> int:
    """Let a paused run go on with the step that it gave up.

    RUN is the beginning of its id; by default the one that leads. A run that was cancelled has ended: `up` goes on.
    """  # fmt: skip

    def goes_on(now: Run | None) -> bool:
        return now is None or now.obeys

    return _ask(call, "resume", run, wait, goes_on, lambda now: f"run {now.short} goes on")


@command("cancel")
@click.argument("run", required=False)
@option("--force", is_flag=True, scope="cancel", help="End its sessions instead of asking: where its process is gone or stopped.")
@option("--wait", type=click.FloatRange(0), default=10.0, metavar="S", scope="cancel",
        help="Seconds to wait until the run has done so (10).")
def cancel(call: Call, run: str | None, force: bool, wait: float) -> int:
    """End a run as Ctrl-C would: the step in hand is rolled back, what was applied stands.

    RUN is the beginning of its id; by default the one that leads. A COMMIT that is under way is let to its end.
    """  # fmt: skip

    def gone(now: Run | None) -> bool:
        return now is None or not now.leads

    def line(now: Run) -> str:
        return f"run {now.short} has ended; what it applied stands, bgce-migrate up goes on"

    if not force:
        return _ask(call, "cancel", run, wait, gone, line)
    from bgce_migrate.incident.asking import as_login, ask, chosen, end
    from bgce_migrate.incident.reading import look
    from bgce_migrate.report.incident import print_asked

    with _session(call) as session:
        meant = chosen(look(session), run)
        ask(session, meant, "cancel")
        pids = end(session, meant, as_login(*_logins(call)))
    shown = ", ".join(map(str, pids))
    print_asked(call.out, "cancel", meant, True, f"run {meant.short}: backends {shown} are ended; {line(meant)[9:]}", pids)
    return 0


def _ask(
    call: Call, what: str, word: str | None, seconds: float, met: Callable[[Run | None], bool], line: Callable[[Run], str]
) -> int:
    from bgce_migrate.incident.asking import ask, chosen, until
    from bgce_migrate.incident.reading import look
    from bgce_migrate.report.incident import print_asked

    with _session(call) as session:
        run = chosen(look(session), word)
        ask(session, run, what)
        if not until(session, run, met, seconds):
            raise Unavailable(
                f"run {run.short} was asked to {what} and has not done so within {seconds:g} s",
                hint=f"bgce-migrate incident shows why; bgce-migrate cancel {run.short} --force ends its sessions",
            )
        now = next((r for r in look(session).runs if r.id == run.id), None)
    if now is None and what != "cancel":
        # A run that went on may be through before we look again.
        print_asked(call.out, what, run, what == "resume", f"run {run.short} has ended since")
        return int(what != "resume")
    print_asked(call.out, what, run, True, line(now or run))
    return 0


# -- where to look -----------------------------------------------------------------------------------------------


def _session(call: Call) -> Session:
    from bgce_migrate.db.session import connect

    return connect(*_place(call), name="bgce-migrate incident")


def _place(call: Call) -> tuple[str, str]:
    """Address and schema; a project that cannot be read is no hindrance where an address is given."""
    from bgce_migrate.commands.wait import database

    try:
        return database(call)
    except BgceError:
        if not (given := call.options["database_url"]):
            raise
        return given, "bgce_migrate"


def _desk(call: Call) -> Desk | None:
    """The project with its files, as far as they are at hand: nothing here depends on them."""
    try:
        return call.declarations
    except BgceError as error:
        call.out.detail(f"without the files: {error.message}")
        return None


def _pending(desk: Desk, session: Session, scene: Scene) -> tuple[str, ...] | None:
    from bgce_migrate.db.history import read_state

    if not scene.recorded:
        return tuple(i.short for i in desk.tree.migrations)
    try:
        applied = read_state(session).applied
    except BgceError:
        return None
    return tuple(i.short for i in desk.tree.migrations if i not in applied)


def _logins(call: Call) -> tuple[str, str, dict[str, str]]:
    """How to log in as a domain's migrator: the address, the schema, the passwords there are."""
    import os

    from bgce_migrate import naming

    desk = _desk(call)
    return (*_place(call), dict(naming.passwords(desk.project, os.environ)) if desk is not None else {})
