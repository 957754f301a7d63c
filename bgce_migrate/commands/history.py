"""`history`: what was done, and whether it is whole."""

from __future__ import annotations

from pathlib import Path

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, domain_option, option
from bgce_migrate.report.listings import print_history


@command("history")
@domain_option()
@option("--verify", is_flag=True, scope="history", help="Check every chain of hashes; exit 3 if one is broken.")
@option("--after", type=click.Path(path_type=Path), metavar="RECEIPT",
        help="With --verify: the history must contain what this receipt has seen.")
@option("--limit", type=click.IntRange(0), metavar="N", scope="history", help="The last N rows; all by default.")
def history(call: Call, domain: str | None, verify: bool, after: Path | None, limit: int | None) -> int:
    """List everything that was done, oldest first: ups, downs, failures and corrections."""  # fmt: skip
    from bgce_migrate.db.history import read_rows
    from bgce_migrate.db.history import verify as check
    from bgce_migrate.report.values import read_heads

    anchors = read_heads(after) if after else {}
    if domain is not None:
        anchors = {name: head for name, head in anchors.items() if name == domain}
        call.require_domain(domain)
    with call.target(check=False) as target:
        rows = read_rows(target.control, domain) if target.state.meta else ()
    faults = check(rows, anchors) if verify or after else None
    shown = rows if limit is None else rows[len(rows) - min(limit, len(rows)) :]
    print_history(call.out, shown, total=len(rows), faults=faults)
    return 3 if faults else 0
