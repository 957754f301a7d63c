"""`export golang-migrate`: the version tables from which that tool goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, domain_option, option
from bgce_migrate.commands.runs import limits_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from bgce_migrate.apply.compat.handover import Handed


@click.group("export", context_settings={"help_option_names": ["-h", "--help"]})
def export() -> None:
    """What other tools need to go on from here."""


@command("golang-migrate")
@domain_option(scope="export")
@option("--table", metavar="NAME", scope="export",
        help="The version table, {service} for the domain's name (what bgce.toml says, else {service}_schema_migrations).")
@option("--apply", "writes", is_flag=True, scope="export", help="Write the tables instead of printing the SQL.")
@option("--lock-wait", type=click.FloatRange(0), metavar="S", help="Seconds to wait for another run (60).")
def golang_migrate(call: Call, domain: str | None, table: str | None, writes: bool, **said: Any) -> int:
    """Print the SQL that makes golang-migrate's version tables say what history says.

    With --apply it runs in one transaction under the run's lock. Refused (exit 3), with names, where that tool could
    not go on: a version missing below an applied one, an applied one without a file, a file half done.
    """  # fmt: skip
    from bgce_migrate.apply.compat.handover import handed, places, write

    tree = call.desk.tree
    if domain is not None:
        call.require_domain(domain)
    chosen = [domain] if domain is not None else [d.name for d in call.project.domains]
    wanted = places(tree, chosen, table)
    with call.target() as target:
        if writes:
            tables = write(tree, target, call.run_info("export"), limits_of(call, said), wanted)
        else:
            tables = handed(tree, target.state, wanted)
    _print(call, tables, written=writes)
    return 0


def _print(call: Call, tables: Sequence[Handed], *, written: bool) -> None:
    call.out.document("export-golang-migrate", {
        "tables": [
            {
                "domain": t.domain, "table": ".".join(t.place), "version": t.row.version, "dirty": t.row.dirty,
                "folder": t.folder, "statements": list(t.statements), "migrate": t.words,
            }
            for t in tables
        ],
        "written": written,
    })  # fmt: skip
    if written:
        for t in tables:
            call.out.line(f"{'.'.join(t.place)} says {t.row}")
        return
    call.out.line("BEGIN;")
    for t in tables:
        call.out.line(f"-- {t.domain}: {t.row}; migrate {t.words} up")
        for statement in t.statements:
            call.out.line(f"{statement};")
    call.out.line("COMMIT;")


export.add_command(golang_migrate)
