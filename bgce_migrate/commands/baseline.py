"""`baseline`: record what a person says is applied, where no other tool's bookkeeping says it."""

from __future__ import annotations

from typing import Any

import click

from bgce_migrate.commands.adopt import take_over
from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import Slashed, command, option
from bgce_migrate.errors import UsageError


@command("baseline")
@click.argument("versions", nargs=-1, type=Slashed(), metavar="DOMAIN/VERSION...")
@option("--all", "everything", is_flag=True, scope="baseline", help="All migrations of all domains.")
@option("--except", "ignored", multiple=True, metavar="NAME", scope="baseline",
        help="Leave out a schema or schema.table that is no domain's; * stands for any letters (repeatable).")
@option("--despite", metavar="REASON", scope="baseline",
        help="Record it although the catalog differs; the reason is kept in history.")
@option("--provider", type=click.Choice(["embedded", "local"]), scope="baseline",
        help="Where the throw-away server comes from (by what the SQL needs).")
@option("--lock-wait", type=click.FloatRange(0), metavar="S", help="Seconds to wait for another run (60).")
@option("--yes", is_flag=True, scope="baseline", help="Do not ask.")
def baseline(call: Call, versions: tuple[str, ...], everything: bool, despite: str | None, **said: Any) -> int:
    """Record migrations up to a version of each named domain as applied, without running them.

    For databases without any bookkeeping. The same proof as `adopt`: what is recorded is replayed on a
    throw-away server first, and must equal the live catalog (exit 3 otherwise); --despite REASON records
    it all the same.
    """  # fmt: skip
    from bgce_migrate.adopt.examine import Wish, chosen_up_to

    if bool(versions) == everything:
        raise UsageError("baseline needs to be told up to where", hint="DOMAIN/VERSION ..., or --all")
    if despite is not None and not despite.strip():
        raise UsageError("--despite needs a reason that says something")
    tree = call.desk.tree
    chosen = frozenset(tree.migrations) if everything else chosen_up_to(tree, [call.desk.parse_id(v) for v in versions])
    return take_over(call, "baseline", Wish(ignored=tuple(said["ignored"]), chosen=chosen, provider=said["provider"]), said,
                     despite=despite)  # fmt: skip
