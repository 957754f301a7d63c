"""`server start|stop|status`: local servers, kept in .bgce of the project."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, option
from bgce_migrate.errors import UsageError
from bgce_migrate.report.table import Column

if TYPE_CHECKING:
    from bgce_migrate.servers import Server

_COLUMNS = (Column("server"), Column("state", colours=True), Column("address"), Column("data"))
_major = option("--major", type=click.IntRange(9, 99), metavar="N", scope="server", help="PostgreSQL's major version.")
_provider = option("--provider", type=click.Choice(["embedded", "local", "docker"]), scope="server",
                   help="Where its programs come from: the wheel, this machine, or a container.")  # fmt: skip


@click.group("server", context_settings={"help_option_names": ["-h", "--help"]})
def server() -> None:
    """Start, stop and look at a local server; it keeps running until it is stopped."""


@command("start")
@_major
@_provider
@option("--image", scope="server", help="For docker: the image.")
def start(call: Call, major: int | None, provider: str | None, image: str | None) -> int:
    """Start the server, or find it running, and print its administrator's URL."""
    if provider == "docker":
        if not image:
            raise UsageError("--provider docker needs --image", hint="for example --image postgres:18")
        from bgce_migrate.servers import docker_server

        found = docker_server.start(_root(call), image)
    else:
        if image:
            raise UsageError("--image is for --provider docker")
        from bgce_migrate import servers
        from bgce_migrate.local import provider as usual

        found = servers.start(_root(call), provider=provider or usual(), major=major)
    for note in found.notes:
        call.out.note(f"note: {note}")
    call.out.document("server", {"servers": [{**_value(found), "url": found.url()}]}, open_secrets=True)
    call.out.note(f"PostgreSQL {found.version} ({found.provider}) runs on {found.host}:{found.port}")
    call.out.open_line(found.url())
    return 0


@command("stop")
@_major
@_provider
def stop(call: Call, major: int | None, provider: str | None) -> int:
    """Stop it; its data stays."""
    if provider == "docker":
        from bgce_migrate.servers import docker_server

        stopped = docker_server.stop(_root(call))
    else:
        from bgce_migrate import servers

        stopped = servers.stop(_root(call), major=major)
    call.out.document("server", {"servers": [_value(one) for one in stopped]})
    for one in stopped:
        call.out.line(f"PostgreSQL {one.version} ({one.provider}) has stopped; its data stays in {one.data}")
    if not stopped:
        call.out.line("nothing to do: no server of this project runs")
    return 0


@command("status")
@_provider
def status(call: Call, provider: str | None) -> int:
    """List the servers of this project, running or not."""
    if provider == "docker":
        from bgce_migrate.servers import docker_server

        found = docker_server.status(_root(call))
    else:
        from bgce_migrate import servers

        found = tuple(one for one in servers.status(_root(call)) if provider in (None, one.provider))
    call.out.document("server", {"servers": [_value(one) for one in found]})
    call.out.table(_COLUMNS, [_row(one) for one in found])
    if not found:
        call.out.line("this project has no server")
    return 0


def _row(one: Server) -> tuple[str, ...]:
    state = "running" if one.running else "stopped"
    return f"PostgreSQL {one.version} ({one.provider})", state, f"{one.host}:{one.port}", one.data


def _root(call: Call) -> Path:
    """The project's folder; without a project the current one."""
    from bgce_migrate.config import find

    if call.options["config"] is not None or find(call.folder) is not None:
        return call.project.root
    return call.folder


def _value(one: Server) -> dict[str, object]:
    return {
        "provider": one.provider, "name": one.name, "major": one.major, "version": one.version,
        "host": one.host, "port": one.port, "data": one.data, "running": one.running, "pid": one.pid,
    }  # fmt: skip


for _command in (start, stop, status):
    server.add_command(_command)
