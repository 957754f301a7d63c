"""`status`: every migration and where it stands."""

from __future__ import annotations

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, option
from bgce_migrate.report.listings import print_status


@command("status")
@option("--check", is_flag=True, scope="status", help="Exit 1 when anything is not applied as it is on disk.")
def status(call: Call, check: bool) -> int:
    """List every migration: applied, pending, failed, missing (its file is gone) or edited."""
    from bgce_migrate.standing import version_rows

    with call.target() as target:
        rows = call.desk.status(target)
        print_status(call.out, rows, target=target.describe())
        for word in version_rows(call.desk.tree, target):
            call.out.note(f"warning: {word}")
    return 1 if check and any(row.state != "applied" for row in rows) else 0
