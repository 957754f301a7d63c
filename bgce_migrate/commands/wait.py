"""`wait`: the start-up gate of pods and services."""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, option
from bgce_migrate.errors import UsageError

if TYPE_CHECKING:
    from bgce_migrate.db.gate import End, Gate


@command("wait")
@click.argument("needs", nargs=-1, required=True, metavar="DOMAIN>=VERSION...")
@option("--timeout", type=click.FloatRange(0), default=60.0, metavar="S", scope="wait",
        help="Seconds until the answer is no (60).")
@option("--schema", metavar="NAME", scope="wait", help="The bookkeeping's schema (the project's, else bgce_migrate).")
@option("--replicas", is_flag=True, scope="wait", help="Until every declared replica has replayed them, too.")
def wait(call: Call, needs: tuple[str, ...], timeout: float, schema: str | None, replicas: bool) -> int:
    """Wait until migrations are applied: that version, and none of its domain below it undone.

    For pods and services that start beside a migration job. Needs no migration files and no project; takes
    no lock and no right that not every login has. A database that is not there yet is waited for, too.
    Exits 1 when time is up, 4 when nobody answered to the end.
    """  # fmt: skip
    from bgce_migrate.db.gate import Gate, need

    wanted = [need(text) for text in needs]
    conninfo, place = database(call)
    addresses = {"": conninfo, **(_replicas(call) if replicas else {})}
    started, last = time.monotonic(), time.monotonic() + timeout
    end: End | None = None
    for name, address in addresses.items():
        # A standby's own history says what it has replayed: the row came with the step's own commit. Where the run
        # that wrote it has ended is asked of the primary.
        with Gate(wanted, address, schema or place, max(last - time.monotonic(), 0), end) as gate:
            _pass(call, gate, name, timeout)
            if replicas and not name:
                end = gate.end()
    seconds = time.monotonic() - started
    call.out.event("ready", needs=[i.short for i in wanted], seconds=round(seconds, 3))
    names = [name for name in addresses if name]
    call.out.document("wait", {
        "ready": True, "needs": [{"domain": i.domain, "version": i.version} for i in gate.needs],
        "replicas": names, "seconds": round(seconds, 3), "at": time.time(),
        "end": {"position": end.shown, "timeline": end.timeline} if end is not None else None,
    })  # fmt: skip
    there = f", also on {', '.join(names)}" if names else ""
    call.out.line(f"ready after {seconds:.1f} s: {', '.join(i.short for i in gate.needs)}{there}")
    return 0


def _pass(call: Call, gate: Gate, name: str, timeout: float) -> None:
    on = f" on {name}" if name else ""
    said = False
    while (seen := gate.look()).missing:
        if gate.left <= 0:
            gate.timeout = timeout
            error = gate.closed(seen)
            error.message = f"{name}: {error.message}" if name else error.message
            raise error
        if not said:
            why = f" ({seen.reason})" if seen.reason else ""
            needs = [i.short for i in seen.missing]
            call.out.note(f"waiting{on} for {', '.join(needs)}{why}", "waiting", needs=needs, replica=name or None)
            said = True
        time.sleep(min(seen.pause, max(gate.left, 0)))


def _replicas(call: Call) -> dict[str, str]:
    """The declared replicas' addresses: each must be known, or the gate would open on less than was asked."""
    from bgce_migrate.opening import load_project

    project, _ = load_project(call.folder, call.options["config"], plugins_required=False)
    if not project.replicas:
        raise UsageError("the project declares no replica", hint="leave --replicas out, or declare [[replica]] in bgce.toml")
    out = {}
    for replica in project.replicas:
        address = os.environ.get(replica.url_env, "")
        if not address.strip():
            raise UsageError(
                f"{replica.url_env} is not set: nobody can ask {replica.name}", hint="set it to that replica's address"
            )
        out[replica.name] = _kept(call, address)
    return out


def database(call: Call) -> tuple[str, str]:
    """Where to ask, and the bookkeeping's schema: of the project if one stands above, which a pod has not."""
    from bgce_migrate import config

    given = call.options["database_url"]
    if call.options["config"] is not None or call.options["env"] is not None or config.find(call.folder) is not None:
        from bgce_migrate.opening import load_project

        project, _ = load_project(call.folder, call.options["config"], plugins_required=False)
        if call.options["env"] is not None or given is None:
            choice = config.resolve(
                project, flag=given, environment=os.environ, env_name=call.options["env"], terminal=False,
                embedded=call.options["embedded"],
            )  # fmt: skip
            if choice.kind == "embedded":
                from bgce_migrate.local import embedded_address

                return embedded_address(project)[0].conninfo, project.database.bookkeeping_schema
            given = choice.conninfo
        return _kept(call, given), project.database.bookkeeping_schema
    if given is None:
        given = os.environ.get("DATABASE_URL")
    if given == "":
        raise UsageError("DATABASE_URL is set and empty", hint="a missing secret arrives so; unset it for libpq's own variables")
    return _kept(call, given or ""), "bgce_migrate"


def _kept(call: Call, conninfo: str) -> str:
    call.out.secrets.add_conninfo(conninfo)
    return conninfo
