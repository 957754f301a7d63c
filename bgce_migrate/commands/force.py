"""`force`: record a version without running anything."""

from __future__ import annotations

from typing import Any

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, domain_option, option
from bgce_migrate.commands.runs import limits_of
from bgce_migrate.errors import Refused
from bgce_migrate.report.values import migration_value


@command("force", context_settings={"ignore_unknown_options": True})
@click.argument("version", type=click.IntRange(-1))
@domain_option(scope="force", help="The domain, where there are several.")
@option("--lock-wait", type=click.FloatRange(0), metavar="S", help="Seconds to wait for another run (60).")
@option("--yes", is_flag=True, scope="force", help="Do not ask.")
def force(call: Call, version: int, **said: Any) -> int:
    """Record that a domain is at VERSION. It runs no SQL of any migration and undoes nothing.

    Migrations up to VERSION that are not recorded are recorded as applied, later ones as undone; each gets
    a row in the history that says so. 0 (or golang-migrate's -1) records that nothing is applied. To undo
    a migration use down.
    """
    desk = call.desk
    domain = call.one_domain(f"force {version}", said["domain"])
    info = call.run_info("force")
    with call.target() as target:
        call.out.note(
            f"force only rewrites what is recorded for {domain} in database {target.facts.database};"
            " no SQL of a migration runs, and the tables stay as they are"
        )
        if not said["yes"] and call.asks and not call.agree(f"record {domain} as being at version {max(version, 0)}?"):
            raise Refused("nothing was recorded", hint="to undo a migration: bgce-migrate down")
        marked = desk.force(target, info, limits_of(call, said), domain, max(version, 0))
    call.out.document(
        "force", {"domain": domain, "version": max(version, 0), "marked": [migration_value(i) for i in marked]}
    )
    for migration in marked:
        word = "applied" if migration.version <= version else "not applied"
        call.out.line(f"{migration} is recorded as {word}")
    if not marked:
        call.out.line(f"nothing to do: {domain} is recorded at version {max(version, 0)}")
    return 0
