"""`up`: apply what is pending."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import Slashed, command, domain_option, option, run_options
from bgce_migrate.commands.runs import run
from bgce_migrate.commands.telling import reached

if TYPE_CHECKING:
    from bgce_migrate.apply.context import Options, RunInfo
    from bgce_migrate.apply.target import Target
    from bgce_migrate.outcome import RunReport


@command("up")
@click.argument("limit", metavar="[N]", type=click.IntRange(1), required=False)
@domain_option(help="Only this domain, and what it needs of others.")
@option("--to", type=Slashed(), metavar="DOMAIN/VERSION", scope="up", help="Only up to this one, and what it needs.")
@option("--atomic", is_flag=True, help="All steps in one transaction, or none.")
@option("--dry-run", is_flag=True, scope="up",
        help="plan --measure: run the steps on a throw-away server instead; the database is only read.")
@option("--expect", metavar="FINGERPRINT", help="Refuse a plan that is not this one.")
@option("--allow-unlocked", is_flag=True, help="Run migrations that bgce.lock does not have.")
@option("--deployment", metavar="ID", help="Joins several runs; `down --deployment ID` undoes them.")
@option("--after", type=click.Path(path_type=Path), metavar="RECEIPT",
        help="Refuse a history that is older than this receipt.")  # fmt: skip
@run_options
def up(call: Call, limit: int | None, **said: Any) -> int:
    """Apply what is pending, in one order over all domains.

    N is how many steps at most. Every step is a transaction of its own, run as its domain's owner and
    recorded with it. With nothing to do it takes no lock and exits 0.
    """
    from bgce_migrate.report.values import read_heads

    after = read_heads(said["after"]) if said["after"] else None
    desk = call.desk
    to = desk.parse_id(said["to"]) if said["to"] else None
    if said["dry_run"]:
        from bgce_migrate.commands.measuring import dry_run

        return dry_run(call, limit, to, said)
    info = call.run_info("up", said["deployment"])
    with reached(call, info) as target:

        def work(options: Options) -> RunReport:
            # Here and not in the library: a process of ours may be forked, a service's that calls us had better not.
            if any(i not in target.state.applied for i in desk.tree.migrations):
                from bgce_migrate.ahead import read_ahead

                read_ahead(desk.tree)
            report = desk.up(
                target, info, options, domain=said["domain"], limit=limit, to=to,
                allow_unlocked=said["allow_unlocked"], after=after,
            )  # fmt: skip
            return of_environment(call, target, info, options, report)

        code = run(call, info, target, said, work, nothing="nothing to do: everything is applied")
    call.show_local_server()
    return code


def of_environment(call: Call, target: Target, info: RunInfo, options: Options, report: RunReport) -> RunReport:
    """With `--env`, the first run that applied something records which environment this database is."""
    name = call.options["env"]
    if name is None or not any(step.status.value == "applied" for step in report.steps):
        return report
    from msgspec.structs import replace

    from bgce_migrate.apply.environments import record_environment
    from bgce_migrate.errors import BgceError

    try:
        target.reread()
        record_environment(target, info, options.limits, name)
    except BgceError as error:
        # The steps stand; the next run with something to do records it.
        return replace(report, warnings=(*report.warnings, f"not recorded as environment {name}: {error.message}"))
    return report
