"""`version`: the applied version of each domain."""

from __future__ import annotations

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, domain_option
from bgce_migrate.report.table import Column


@command("version")
@domain_option(help="Print the number of this domain alone.")
def version(call: Call, domain: str | None) -> int:
    """Print the highest applied version of each domain; of one domain the bare number."""
    desk = call.desk
    with call.target() as target:
        versions = desk.version(target, domain)
    call.out.document("version", {"versions": versions})
    if len(versions) == 1:
        number = next(iter(versions.values()))
        if number is None:
            call.out.note("no migration is applied")
        else:
            call.out.line(str(number))
        return 0
    rows = [(name, "none" if number is None else str(number)) for name, number in versions.items()]
    call.out.table((Column("domain"), Column("version", right=True)), rows)
    return 0
