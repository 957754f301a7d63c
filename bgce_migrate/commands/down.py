"""`down`: undo migrations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import Slashed, command, domain_option, option, run_options
from bgce_migrate.commands.runs import consent_of, run
from bgce_migrate.commands.telling import reached
from bgce_migrate.errors import UsageError

if TYPE_CHECKING:
    from bgce_migrate.apply.context import Options
    from bgce_migrate.outcome import RunReport
    from bgce_migrate.undoing import DownSelection


@command("down")
@click.argument("count", metavar="[N]", type=click.IntRange(1), required=False)
@domain_option(scope="down", help="Count in this domain.")
@option("--to", type=Slashed(), metavar="DOMAIN/VERSION", scope="down",
        help="This version stays, what came after it goes; 0 undoes all of the domain.")
@option("--run", "of_run", metavar="UUID", type=click.UUID, scope="down", help="What this run applied.")
@option("--deployment", metavar="ID", scope="down", help="What this deployment applied.")
@option("--all", "everything", is_flag=True, scope="down", help="Everything, or everything of --domain.")
@option("--cascade", is_flag=True, scope="down", help="Undo what other domains have built on it too.")
@option("--from-history", is_flag=True, scope="down", help="Run the down that was stored when it was applied.")
@option("--from-file", is_flag=True, scope="down", help="Run the down file of today.")
@option("--yes", is_flag=True, scope="down", help="Agree to the data that is lost.")
@run_options
def down(call: Call, count: int | None, **said: Any) -> int:
    """Undo migrations, newest first.

    What to undo is always said: N, --to, --run, --deployment or --all. Before anything runs it looks
    whether tables and columns that go hold data, shows it, and asks.
    """  # fmt: skip
    desk = call.desk
    selection = _selection(call, count, said)
    source = _source(said)
    info = call.run_info("down")
    with reached(call, info) as target:

        def work(options: Options) -> RunReport:
            consent = consent_of(call, yes=said["yes"])
            return desk.down(target, info, options, selection, consent=consent, source=source)

        return run(call, info, target, said, work, nothing="nothing to undo: none of this is applied")


def _selection(call: Call, count: int | None, said: dict[str, Any]) -> DownSelection:
    from bgce_migrate.undoing import DownSelection

    ways = {
        "N": count, "--to": said["to"], "--run": said["of_run"], "--deployment": said["deployment"],
        "--all": said["everything"] or None,
    }  # fmt: skip
    named = [name for name, value in ways.items() if value is not None]
    if len(named) > 1:
        raise UsageError(f"{' and '.join(named)} are two answers to what is undone", hint="say one of them")
    if not named:
        raise UsageError(
            "down needs to be told what to undo",
            hint="down N, --to DOMAIN/VERSION, --run UUID, --deployment ID, or --all for everything",
        )
    to = call.desk.parse_id(said["to"]) if said["to"] else None
    domain = said["domain"]
    if to is not None and domain not in (None, to.domain):
        raise UsageError(f"--to is of {to.domain}, --domain says {domain}", hint="leave --domain out")
    if count is not None and domain is None:
        domain = call.one_domain(f"down {count}")
    return DownSelection(
        count=count, domain=domain, to=to, run=said["of_run"] and str(said["of_run"]), deployment=said["deployment"],
        everything=said["everything"], cascade=said["cascade"],
    )  # fmt: skip


def _source(said: dict[str, Any]) -> Literal["history", "file"] | None:
    if said["from_history"] and said["from_file"]:
        raise UsageError("--from-history and --from-file are two sources", hint="say one of them")
    return "history" if said["from_history"] else "file" if said["from_file"] else None
