"""`drop`: everything the project owns."""

from __future__ import annotations

from typing import Any

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, option
from bgce_migrate.commands.runs import limits_of
from bgce_migrate.errors import Refused, UsageError


@command("drop")
@option("--name", metavar="DATABASE", scope="drop", help="The database's name, where nobody can be asked for it.")
@option("--lock-wait", type=click.FloatRange(0), metavar="S", help="Seconds to wait for another run (60).")
@click.option("--force", is_flag=True, hidden=True)
def drop(call: Call, force: bool, **said: Any) -> int:
    """Drop everything the project owns, with all data. Asks for the database's name."""
    if force:
        raise UsageError("drop -f is not taken here", hint="say which database: drop --name DATABASE")
    info = call.run_info("drop")
    with call.target() as target:
        database = target.facts.database
        name = said["name"]
        if name is None:
            if not call.asks:
                raise UsageError(
                    f"drop would delete all data in database {database}, and there is no terminal to ask",
                    hint=f"if that is wanted: --name {database}",
                )
            call.out.note(f"this drops everything that {call.desk.project.name} owns in database {database}")
            name = call.ask("type the database's name to go on:")
        if name != database:
            raise Refused(f"this is database {database}, not '{name}'; nothing was dropped")
        done = call.desk.drop(target, info, limits_of(call, said))
    call.out.document("drop", {"database": database, "done": list(done)})
    for line in done:
        call.out.line(line)
    if not done:
        call.out.line(f"nothing to drop in database {database}")
    return 0
