"""`plan`: what `up` would do, and what that would lock, rewrite and scan."""

from __future__ import annotations

from typing import Any

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.measuring import measuring_options
from bgce_migrate.commands.options import Slashed, command, domain_option, option
from bgce_migrate.errors import UsageError
from bgce_migrate.report.listings import print_plan


@command("plan")
@click.argument("limit", metavar="[N]", type=click.IntRange(1), required=False)
@domain_option(help="Only this domain, and what it needs of others.")
@option("--to", type=Slashed(), metavar="DOMAIN/VERSION", scope="plan", help="Only up to this one, and what it needs.")
@option("--explain", is_flag=True, help="Say of every step why it stands where it stands.")
@option("--check", is_flag=True, scope="plan", help="Exit 1 when something is pending.")
@option("--measure", is_flag=True, scope="plan",
        help="Run the steps on a throw-away server and say what each locks, rewrites and reads.")
@measuring_options
def plan(
    call: Call, limit: int | None, domain: str | None, to: str | None,
    explain: bool, check: bool, measure: bool, **said: Any,
) -> int:
    """Show what `up` would do, with the fingerprint that `up --expect` takes. Changes nothing.

    Where no database is named it plans for an empty one. With --measure the steps run on a throw-away
    server, as their owners, traced statement by statement; of a named database only statistics are read.
    """  # fmt: skip
    desk = call.desk
    goal = desk.parse_id(to) if to else None
    if not measure and (said["stats"] or said["changed"] or said["form"] != "terminal"):
        raise UsageError("--stats, --changed and --format say how to measure", hint="add --measure")
    applied, sizes = None, None
    # What is new is then git's to say; the database, where one is named, has the sizes.
    if call.names_database and not said["changed"]:
        with call.target() as target:
            view = desk.plan(target.state, domain=domain, limit=limit, to=goal, allow_unlocked=True)
            if measure:
                from bgce_migrate.commands.measuring import sizes_of

                applied, sizes = tuple(target.state.applied), sizes_of(target, said["stats"])
    else:
        from bgce_migrate.planning import Selection
        from bgce_migrate.previewing import preview

        if not said["changed"]:
            call.out.note("no database is named: this is the plan for an empty one")
        view = preview(desk.tree, Selection(domain, limit, goal, allow_unlocked=True))
    unlocked = sum(1 for s in view.plan.steps if desk.tree.lock is not None and desk.tree.locked(s.id) is None)
    if unlocked:
        call.out.note(f"{unlocked} of the steps are not in bgce.lock yet: `bgce-migrate lock` records them, `up` wants that")
    if not measure:
        print_plan(call.out, view, explain=explain)
        return 1 if check and view.plan.steps else 0
    from bgce_migrate.commands.measuring import known_sizes, measured, show
    from bgce_migrate.report.measure import value

    sizes = sizes or known_sizes(call, said["stats"])
    found = measured(call, view, applied, sizes, {**said, "domain": domain})
    if call.out.json:
        print_plan(call.out, view, explain=explain, more={"measured": value(found)})
    code = show(call, found, said["form"])
    return 1 if check and view.plan.steps else code
