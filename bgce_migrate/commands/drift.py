"""`drift`: the live database against what its history says should be there."""

from __future__ import annotations

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, domain_option, option


@command("drift")
@domain_option(help="Tell this domain's only.")
@option("--provider", type=click.Choice(["embedded", "local"]), scope="drift",
        help="Where the throw-away server comes from (by what the SQL needs).")
@option("--pg", "major", type=click.IntRange(14, 99), metavar="MAJOR", scope="drift",
        help="PostgreSQL's major of the throw-away server (the database's own, else the newest).")
@option("--no-cache", is_flag=True, scope="drift", help="Replay history anew, even where nothing of it has changed.")
@option("--watch-ddl", "watch", is_flag=False, flag_value="install", scope="drift",
        type=click.Choice(["install", "print", "remove"]), metavar="[=HOW]",
        help="Make event triggers that write down who changes what from now on (=print: only the SQL; =remove).")
def drift(
    call: Call, domain: str | None, provider: str | None, major: int | None, no_cache: bool, watch: str | None
) -> int:
    """Say what was changed in the database beside the migrations: whose object, and the SQL that mends it either way.

    History's log is replayed on a throw-away server, once; what it makes is kept until history moves. The database
    is only read. Exits 1 on drift. Partitions made by routine, what belongs to extensions, and other tools'
    bookkeeping are no drift.
    """  # fmt: skip
    if watch is not None:
        return _watch(call, watch)
    from bgce_migrate.drift.find import find
    from bgce_migrate.report.drift import print_drift

    if domain is not None:
        call.require_domain(domain)
    desk = call.desk
    with call.target(check=False) as target:
        found = find(
            desk.tree, desk.host, target, domain=domain, provider=provider, major=major, keep=not no_cache
        )
        print_drift(call.out, found, target.describe())
    return 1 if found.drifts else 0


def _watch(call: Call, how: str) -> int:
    from bgce_migrate.drift.watch import install, statements
    from bgce_migrate.report.drift import print_watch

    with call.target(check=False) as target:
        texts = statements(target.control, remove=how == "remove")
        if how != "print":
            install(target, remove=how == "remove")
        print_watch(call.out, how, texts, target.facts.database)
    return 0
