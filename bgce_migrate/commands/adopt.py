"""`adopt`: take over a database that another tool, or none, has made."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, option
from bgce_migrate.commands.runs import limits_of
from bgce_migrate.errors import Refused, UsageError

if TYPE_CHECKING:
    from bgce_migrate.adopt.examine import Wish
    from bgce_migrate.migration import MigrationId

_PROVIDER = click.Choice(["embedded", "local"])


@command("adopt")
@option("--generate", is_flag=True, scope="adopt",
        help="Write the initial migrations of what is there, proven by a replay; nothing is recorded.")
@option("--into", type=click.Path(file_okay=False, path_type=Path), metavar="DIR", scope="adopt",
        help="With --generate: a new folder for the project that is written.")
@option("--assign", multiple=True, metavar="TABLES=DOMAIN", scope="adopt",
        help="With --generate: whose these tables are; * stands for any letters (repeatable).")
@option("--from", "said", multiple=True, metavar="TABLE=DOMAIN", scope="adopt",
        help="Whose version table this is, where its name does not say it (repeatable).")
@option("--except", "ignored", multiple=True, metavar="NAME", scope="adopt",
        help="Leave out a schema or schema.table that is no domain's; * stands for any letters (repeatable).")
@option("--provider", type=_PROVIDER, scope="adopt", help="Where the throw-away server comes from (by what the SQL needs).")
@option("--lock-wait", type=click.FloatRange(0), metavar="S", help="Seconds to wait for another run (60).")
@option("--yes", is_flag=True, scope="adopt", help="Do not ask: record it, or with --generate write the files.")
def adopt(call: Call, **said: Any) -> int:
    """Take over a database that exists: record its migrations as applied, if they made it.

    Reads the version tables of golang-migrate, goose, dbmate, Flyway, Alembic, Django, yoyo and sqitch, replays
    what they claim on a throw-away server, and compares the catalog with the live one. Only if both are equal
    are the migrations recorded; else every difference is listed and nothing is written (exit 3). The other
    tools' tables stay as they are.
    """  # fmt: skip
    if said["generate"]:
        from bgce_migrate.commands.generate import generate

        return generate(call, said)
    if said["into"] is not None or said["assign"]:
        raise UsageError("--into and --assign go with --generate")
    from bgce_migrate.adopt.examine import Wish

    return take_over(call, "adopt", Wish(pairs(said["said"], "--from"), tuple(said["ignored"]), None, said["provider"]), said)


def take_over(call: Call, name: str, wish: Wish, said: dict[str, Any], *, despite: str | None = None) -> int:
    """Examine, show, ask, record: what `adopt` and `baseline` share.

    Raises:
        Refused: there are differences (exit 3); nothing was written.
    """
    from bgce_migrate.adopt.examine import examine, require_unchanged
    from bgce_migrate.adopt.record import record
    from bgce_migrate.report.adopt import print_adoption, print_recorded

    desk = call.desk
    with call.target() as target:
        adoption = examine(desk.tree, desk.host, target, wish, call.out.detail)
        print_adoption(call.out, adoption)
        blocked = bool(adoption.differences) and despite is None
        asked = bool(adoption.found) and not blocked and not said["yes"] and call.asks
        marked: tuple[MigrationId, ...] = ()
        if adoption.found and not blocked and (said["yes"] or (asked and call.agree("record them as applied?"))):
            marked = record(
                desk.tree, target, call.run_info(name), limits_of(call, said), adoption, what=name, despite=despite,
                check=lambda: require_unchanged(desk.tree, target, wish, adoption),
            )  # fmt: skip
        count = len(adoption.differences)
        refused = Refused(
            f"database {target.facts.database} is not what its migrations make: {count} difference{'' if count == 1 else 's'}",
            hint="nothing was written; mend them on one side, or write migrations of what is there:"
            " bgce-migrate adopt --generate --into DIR",
        )
        print_recorded(call.out, name, adoption, marked, asked=asked, refused=refused if blocked else None)
    if blocked and not call.out.json:
        raise refused
    return refused.exit_code if blocked else 0


def pairs(said: tuple[str, ...], option_name: str) -> dict[str, str]:
    """`LEFT=RIGHT` words by their left side.

    Raises:
        UsageError: one has another form.
    """
    out = {}
    for word in said:
        left, equals, right = word.rpartition("=")
        if not equals or not left.strip() or not right.strip():
            raise UsageError(f"{option_name} {word} is not of the form TABLE=DOMAIN")
        out[left.strip()] = right.strip()
    return out
