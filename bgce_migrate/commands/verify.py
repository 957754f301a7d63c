"""`verify`: every down proven on a throw-away server, before anybody needs it."""

from __future__ import annotations

import time

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, domain_option, option


@command("verify")
@domain_option(help="Prove this domain's migrations; the others are only applied.")
@option("--provider", type=click.Choice(["embedded", "local"]), scope="verify",
        help="Where the throw-away server comes from (by what the SQL needs).")
@option("--pg", "major", type=click.IntRange(14, 99), metavar="MAJOR", scope="verify",
        help="PostgreSQL's major of the throw-away server (the newest).")
@option("--client", "clients", multiple=True, metavar="[SERVICE=]FILE", scope="verify",
        help="Instead: prepare the statements in this file before and after the new steps (repeatable).")
@option("--client-from-stats", "from_stats", is_flag=True, scope="verify",
        help="Instead: the same with what the database's pg_stat_statements remembers, by user.")
def verify(
    call: Call, domain: str | None, provider: str | None, major: int | None, clients: tuple[str, ...], from_stats: bool
) -> int:
    """Prove every down: up, down, compare the catalog with before; up again, compare with after.

    Works on a throw-away server of its own; no database is needed or touched. Exits 1 when a migration
    does not pass: missing, error, differs, reup_error, reup_differs. `order` is a warning: the columns
    are all there, but stand in another order, which no down can restore.
    """  # fmt: skip
    if clients or from_stats:
        from bgce_migrate.commands.clients import verify_clients

        return verify_clients(call, clients, from_stats=from_stats, provider=provider, major=major)
    from bgce_migrate.report.verify import print_proof, print_summary
    from bgce_migrate.verify.run import verify as prove

    if domain is not None:
        call.require_domain(domain)
    started = time.monotonic()
    desk = call.desk
    proofs = prove(
        desk.tree, desk.host, domain=domain, provider=provider, major=major, told=lambda p: print_proof(call.out, p)
    )
    print_summary(call.out, proofs, time.monotonic() - started)
    return 0 if all(p.verdict.passes for p in proofs) else 1
