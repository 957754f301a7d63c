"""`route`: where each service's reads and writes go now, and why."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, option
from bgce_migrate.errors import Unavailable, UsageError

if TYPE_CHECKING:
    from bgce_migrate.router import Answer, Places


@command("route")
@click.argument("service", required=False)
@option("--dsn", "dsn_of", metavar="SERVICE", scope="route", help="Print one address of SERVICE, without a password.")
@option("--read/--write", "read", default=None, scope="route", help="With --dsn: for reads, or for writes.")
@option("--env", "env_of", metavar="SERVICE", scope="route", help="Print READ_DB_* and WRITE_DB_* of SERVICE.")
@option("--declared", is_flag=True, scope="route", help="With --dsn and --env: as declared, without asking a server.")
def route(
    call: Call, service: str | None, dsn_of: str | None, read: bool | None, env_of: str | None, declared: bool
) -> int:
    """Show which server each service would write to and read from now, and why.

    Asks the primary and every replica once, all at the same time; changes nothing. Exits 4 where no server takes
    writes. With --dsn and --env, a program in any language is told where to go; passwords are never printed. An
    environment of bgce.toml stands before the command here: bgce-migrate --env production route.
    """
    from bgce_migrate.report import route as report
    from bgce_migrate.router import of_project, settings_of, show

    _require_sense(service, dsn_of, read, env_of, declared)
    service = service or dsn_of or env_of
    # The address first: it knows what must not be shown.
    conninfo = call.address().conninfo
    for replica in call.project.replicas:
        call.out.secrets.add_conninfo(os.environ.get(replica.url_env))
    places = of_project(call.project, conninfo, os.environ)
    if service is not None and service not in places.services:
        raise UsageError(f"there is no service '{service}'", hint=f"the services are: {', '.join(places.services)}")
    for missing in places.missing:
        call.out.note(f"note: {missing}")
    if service is not None and (dsn_of or env_of):
        return _told(call, places, service, bool(read), declared=declared, dsn=dsn_of is not None)
    shown = show(places, call.desk.host, (service,) if service is not None else places.services, settings_of(call.project))
    for warning in report.warnings(shown.answers):
        call.out.note(f"warning: {warning}")
    call.out.document("route", report.document(shown))
    call.out.table(report.SERVICES, report.service_rows(shown))
    call.out.line()
    call.out.table(report.SERVERS, report.server_rows(shown))
    return 0 if shown.view.primary is not None else Unavailable.exit_code


def _told(call: Call, places: Places, service: str, read: bool, *, declared: bool, dsn: bool) -> int:
    from bgce_migrate.report import route as report
    from bgce_migrate.router import settings_of, show
    from bgce_migrate.router.once import address, by_declaration

    answer: Answer
    answer = by_declaration(places, service) if declared else show(places, call.desk.host, (service,), settings_of(call.project)).answers[0]
    wanted = {"read": answer.read, "write": answer.write}
    if dsn:
        wanted = {"read": answer.read} if read else {"write": answer.write}
    found = {}
    for intent, choice in wanted.items():
        if choice is None:
            raise Unavailable(answer.why, hint="`bgce-migrate route` shows how the servers stand")
        found[intent] = address(places, choice, service)
    lines = (
        [report.url(place) for place in found.values()]
        if dsn
        else [line for intent, place in found.items() for line in report.variables(intent.upper(), place)]
    )
    call.out.document("route-dsn" if dsn else "route-env", {
        "service": service,
        **{intent: {**place, "server": getattr(wanted[intent], "server", ""), "url": report.url(place)}
           for intent, place in found.items()},
    })  # fmt: skip
    for line in lines:
        call.out.line(line)
    return 0


def _require_sense(service: str | None, dsn: str | None, read: bool | None, env: str | None, declared: bool) -> None:
    if sum(said is not None for said in (service, dsn, env)) > 1:
        raise UsageError("SERVICE, --dsn and --env are three questions", hint="ask one of them")
    if dsn is not None and read is None:
        raise UsageError("say what the address is for", hint=f"bgce-migrate route --dsn {dsn} --read, or --write")
    if dsn is None and read is not None:
        raise UsageError("--read and --write go with --dsn", hint="bgce-migrate route --dsn SERVICE --read")
    if declared and dsn is None and env is None:
        raise UsageError("--declared goes with --dsn or --env", hint="without them `route` shows what the servers say")
