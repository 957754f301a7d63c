"""`goto`: one domain to a version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, domain_option, option, run_options
from bgce_migrate.commands.runs import consent_of, run
from bgce_migrate.commands.telling import reached

if TYPE_CHECKING:
    from bgce_migrate.apply.context import Options
    from bgce_migrate.outcome import RunReport


@command("goto")
@click.argument("version", type=click.IntRange(0))
@domain_option(scope="goto", help="The domain, where there are several.")
@option("--allow-unlocked", is_flag=True, help="Run migrations that bgce.lock does not have.")
@option("--yes", is_flag=True, scope="goto", help="Agree to the data that is lost on the way down.")
@run_options
def goto(call: Call, version: int, **said: Any) -> int:
    """Bring one domain to VERSION, up or down; 0 undoes all of it."""
    desk = call.desk
    domain = call.one_domain(f"goto {version}", said["domain"])
    info = call.run_info("goto")
    with reached(call, info) as target:

        def work(options: Options) -> RunReport:
            return desk.goto(
                target, info, options, domain, version,
                consent=consent_of(call, yes=said["yes"]), allow_unlocked=said["allow_unlocked"],
            )  # fmt: skip

        return run(call, info, target, said, work, nothing=f"nothing to do: {domain} is at version {version}")
