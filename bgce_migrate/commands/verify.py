"""`verify`: every down proven on a throw-away server, before anybody needs it."""

from __future__ import annotations

import os
import time

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, domain_option, option
from bgce_migrate.migration import MigrationId


@command("verify")
@click.argument("words", nargs=-1, metavar="[MIGRATION]...")
@domain_option(help="Prove this domain's migrations; the others are only applied.")
@option("--changed", is_flag=True, scope="verify", help="Only what is not, or not so, on the target branch.")
@option("--base", metavar="REF", scope="verify", help="The branch or commit to compare with (found by itself).")
@option("--data/--no-data", "data", default=True, scope="verify", help="Also see whether rows come through (yes).")
@option("--cache/--no-cache", "cache", default=True, scope="verify",
        help="Take as proven what was, with all before it as it is now (yes).")
@option("--jobs", type=click.IntRange(1, 2), default=2, show_default=True, scope="verify", help="How many processes.")
@option("--provider", type=click.Choice(["embedded", "local"]), scope="verify",
        help="Where the throw-away server comes from (by what the SQL needs).")
@option("--pg", "major", type=click.IntRange(14, 99), metavar="MAJOR", scope="verify",
        help="PostgreSQL's major of the throw-away server (the newest).")
@option("--client", "clients", multiple=True, metavar="[SERVICE=]FILE", scope="verify",
        help="Instead: prepare the statements in this file before and after the new steps (repeatable).")
@option("--client-from-stats", "from_stats", is_flag=True, scope="verify",
        help="Instead: the same with what the database's pg_stat_statements remembers, by user.")
def verify(
    call: Call, words: tuple[str, ...], domain: str | None, changed: bool, base: str | None, data: bool, cache: bool,
    jobs: int, provider: str | None, major: int | None, clients: tuple[str, ...], from_stats: bool,
) -> int:
    """Prove every down: up, down, compare the catalog with before; up again, compare with after.

    Works on a throw-away server of its own; no database is needed or touched. Exits 1 when a migration
    does not pass: missing, error, differs, reup_error, reup_differs. `order` is a warning: the columns
    are all there, but stand in another order, which no down can restore.

    MIGRATION is cortex/000003, a range cortex/000003..000007, or cortex for all of a domain; all without.
    """  # fmt: skip
    if clients or from_stats:
        from bgce_migrate.commands.clients import verify_clients

        return verify_clients(call, clients, from_stats=from_stats, provider=provider, major=major)
    from bgce_migrate.report.verify import Printing
    from bgce_migrate.verify.run import Asked, prove

    if domain is not None:
        call.require_domain(domain)
    started = time.monotonic()
    only = _only(call, words, domain, changed or base is not None, base)
    asked = Asked(only, only is None, data, cache, jobs, provider, major)
    printing = Printing(call.out)
    found = prove(call.desk.tree, call.desk.host, asked, printing.proof)
    printing.summary(found, time.monotonic() - started)
    return 0 if found.passes else 1


def _only(
    call: Call, words: tuple[str, ...], domain: str | None, changed: bool, base: str | None
) -> frozenset[MigrationId] | None:
    """What is asked for: what all of the arguments mean; None for everything."""
    tree = call.desk.tree
    only: frozenset[MigrationId] | None = None
    if words:
        from bgce_migrate.verify.selection import chosen

        only = chosen(tree, words)
    if domain is not None:
        only = frozenset(i for i in only or tree.migrations if i.domain == domain)
    if changed:
        from bgce_migrate.commands.surroundings import look_around
        from bgce_migrate.verify.changes import changed_since

        around = look_around(tree.project, base, os.environ)
        new = changed_since(tree, around.repository, around.base)
        only = new if only is None else only & new
    return only
