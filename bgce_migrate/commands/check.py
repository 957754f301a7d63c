"""`check`: the project as a whole, without a database and without reading SQL for hazards."""

from __future__ import annotations

import os

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, option
from bgce_migrate.finding import Severity


@command("check")
@option("--base", metavar="REF", scope="check", help="The branch or commit to compare with (found by itself).")
@option("--fail-on", type=click.Choice([s.value for s in Severity]), default=Severity.WARNING.value, scope="check",
        help="The weight of a finding from which the answer is no (warning).")
def check(call: Call, base: str | None, fail_on: str) -> int:
    """Check declarations, order, lock file, and that nothing on the target branch was changed.

    Needs no database, and no plugin to be installed. Exits 1 when there is a finding.
    """  # fmt: skip
    from bgce_migrate import checking
    from bgce_migrate.commands.surroundings import look_around
    from bgce_migrate.report.listings import list_findings
    from bgce_migrate.report.values import finding_value

    desk = call.declarations
    around = look_around(desk.project, base, os.environ)
    found = checking.check(desk.tree, around.repository, around.base)
    weights = list(Severity)
    worst = weights.index(Severity(fail_on))
    against = [f for f in found if weights.index(f.severity) <= worst]
    call.out.document(
        "check",
        {
            "base": {"branch": around.base.branch or None, "commit": around.base.commit},
            "findings": [finding_value(f) for f in (*desk.notes, *found)],
            "passed": not against,
        },
    )
    list_findings(call.out, found)
    count = len(desk.tree.migrations)
    compared = f", compared with {around.base.branch} at {around.base.short}" if around.base.commit else ""
    if not against:
        call.out.line(f"{count} migrations of {len(desk.project.domains)} domains are in order{compared}")
    else:
        call.out.line(f"{len(against)} to mend{compared}")
    return 1 if against else 0
