"""`plan`: what `up` would do."""

from __future__ import annotations

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import Slashed, command, domain_option, option
from bgce_migrate.report.listings import print_plan


@command("plan")
@click.argument("limit", metavar="[N]", type=click.IntRange(1), required=False)
@domain_option(help="Only this domain, and what it needs of others.")
@option("--to", type=Slashed(), metavar="DOMAIN/VERSION", scope="plan", help="Only up to this one, and what it needs.")
@option("--explain", is_flag=True, help="Say of every step why it stands where it stands.")
@option("--check", is_flag=True, scope="plan", help="Exit 1 when something is pending.")
def plan(
    call: Call, limit: int | None, domain: str | None, to: str | None,
    explain: bool, check: bool,
) -> int:
    """Show what `up` would do, with the fingerprint that `up --expect` takes. Changes nothing.

    Where no database is named it plans for an empty one.
    """  # fmt: skip
    desk = call.desk
    goal = desk.parse_id(to) if to else None
    if call.names_database:
        with call.target() as target:
            view = desk.plan(target.state, domain=domain, limit=limit, to=goal, allow_unlocked=True)
    else:
        from bgce_migrate.planning import Selection
        from bgce_migrate.previewing import preview

        call.out.note("no database is named: this is the plan for an empty one")
        view = preview(desk.tree, Selection(domain, limit, goal, allow_unlocked=True))
    unlocked = sum(1 for s in view.plan.steps if desk.tree.lock is not None and desk.tree.locked(s.id) is None)
    if unlocked:
        call.out.note(f"{unlocked} of the steps are not in bgce.lock yet: `bgce-migrate lock` records them, `up` wants that")
    print_plan(call.out, view, explain=explain)
    return 1 if check and view.plan.steps else 0
