"""`repair`: corrections of what is recorded."""

from __future__ import annotations

from typing import Any

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import Slashed, command, option
from bgce_migrate.commands.runs import limits_of
from bgce_migrate.errors import UsageError


@command("repair")
@option("--forget-journal", type=Slashed(), metavar="DOMAIN/VERSION", scope="repair",
        help="Forget how far this journaled file has come; its next run begins at its first statement.")
@option("--accept-cluster", metavar="REASON", scope="repair",
        help="This is the right database, though another one is on record (after pg_upgrade or a restore).")
@option("--accept-rewind", metavar="REASON", scope="repair",
        help="Go on although an older state was brought back.")
@option("--accept-environment", metavar="REASON", scope="repair",
        help="This database is the environment of --env now, though another one is on record.")
@option("--lock-wait", type=click.FloatRange(0), metavar="S", help="Seconds to wait for another run (60).")
def repair(call: Call, **said: Any) -> int:
    """Correct what is recorded. Every correction is a row of its own; no old row changes."""  # fmt: skip
    asked = {name: said[name] for name in ("forget_journal", "accept_cluster", "accept_rewind")}
    reason = said["accept_environment"]
    if all(value is None for value in (*asked.values(), reason)):
        raise UsageError(
            "repair needs to be told what",
            hint="--forget-journal DOMAIN/VERSION, or --accept-cluster, --accept-rewind, --accept-environment REASON",
        )
    if reason is not None and call.options["env"] is None:
        raise UsageError("--accept-environment needs to be told which", hint="--env NAME")
    for name, value in {**asked, "accept_environment": reason}.items():
        if value is not None and not value.strip():
            raise UsageError(f"--{name.replace('_', '-')} needs a reason that says something")
    info = call.run_info("repair")
    with call.target(check=False) as target:
        done = list(call.desk.repair(target, info, limits_of(call, said), **asked))
        if reason is not None:
            from bgce_migrate.apply.environments import record_environment

            name = call.options["env"]
            new = record_environment(target, info, limits_of(call, said), name, reason=reason)
            done.append(f"accept-environment: {'this is' if new else 'was already'} {name}")
    call.out.document("repair", {"done": done})
    for line in done:
        call.out.line(line)
    return 0
