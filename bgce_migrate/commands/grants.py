"""`grants plan|apply|check|show|password`: who may do what, as declared, as found, and the one made the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import Duration, command, option
from bgce_migrate.commands.password import password
from bgce_migrate.errors import UsageError

if TYPE_CHECKING:
    from bgce_migrate.apply.target import Target
    from bgce_migrate.grants.scope import Mode, Scope

F = TypeVar("F", bound=Callable[..., Any])
_MODES = ("observe", "additive", "authoritative")
_ABSENT = ("schema-create", "temporary", "functions", "connect", "none")


@click.group("grants", context_settings={"help_option_names": ["-h", "--help"]})
def grants() -> None:
    """Rights as code: what the declarations give, what the database has, and the difference."""


def _policy(function: F) -> F:
    mode = option("--mode", type=click.Choice(_MODES), default="authoritative", scope="grants",
                  help="observe: change nothing; additive: take nothing away; authoritative: all as declared (default).")  # fmt: skip
    absent = option("--ensure-absent", "absent", type=click.Choice(_ABSENT), multiple=True, scope="grants",
                    help="What everybody is not to have (repeatable; schema-create, temporary, functions; or none).")  # fmt: skip
    return mode(absent(function))


@command("plan")
@_policy
def plan(call: Call, mode: str, absent: tuple[str, ...]) -> int:
    """Show the statements that `grants apply` would run, each with its reason."""
    from bgce_migrate import rights
    from bgce_migrate.report.grants import print_plan

    with _opened(call, absent, changing=False) as (scope, target):
        print_plan(call.out, rights.compare(scope, target, _mode(mode)), target.describe())
    return 0


@command("apply")
@_policy
@option("--lock-wait", type=click.FloatRange(0), metavar="S", help="Seconds to wait for another run (60).")
@option("--lock-timeout", type=Duration(), default="300ms", metavar="D",
        help="How long a statement waits for a lock (300ms).")
def apply(call: Call, mode: str, absent: tuple[str, ...], **said: Any) -> int:
    """Make rights as declared: in one transaction, under the run's lock, as each object's owner.

    With nothing to do it takes no lock. What this login may not do is left, with its SQL, for an administrator: exit 3.
    """  # fmt: skip
    from bgce_migrate import rights
    from bgce_migrate.apply.context import Options, Stop
    from bgce_migrate.commands.runs import limits_of
    from bgce_migrate.commands.signals import stop_on_signals
    from bgce_migrate.report.grants import print_applied
    from bgce_migrate.report.progress import progress

    stop = Stop()
    stop_on_signals(stop)
    with _opened(call, absent, changing=True) as (scope, target), progress(call.out) as told:
        options = Options(limits=limits_of(call, said), progress=told, stop=stop)
        found = rights.apply(scope, target, call.run_info("grants apply"), options, _mode(mode))
        print_applied(call.out, found, target.describe(), changed=mode != "observe")
    return 3 if found.left and mode != "observe" else 0


@command("check")
@_policy
def check(call: Call, mode: str, absent: tuple[str, ...]) -> int:
    """Exit 1 on drift; says of each what led to it and what mends it."""
    from bgce_migrate import rights
    from bgce_migrate.report.grants import print_drift

    with _opened(call, absent, changing=False) as (scope, target):
        found = rights.compare(scope, target, _mode(mode))
        print_drift(call.out, found, target.describe())
    return 1 if found.difference.changes else 0


@command("show")
@option("--service", metavar="NAME", scope="grants-show", help="What this service can do, through whatever.")
@option("--who", metavar="TABLE[.COLUMN]", scope="grants-show", help="Who can do what to it, through whatever.")
@option("--why", metavar="TABLE", scope="grants-show",
        help="With --service: the columns it may read, and the view to use where a program wants SELECT *.")
def show(call: Call, service: str | None, who: str | None, why: str | None) -> int:
    """List what every service is given, wildcards expanded; or what can really be done, and through what."""  # fmt: skip
    from bgce_migrate import rights
    from bgce_migrate.report import grants as report

    if (why is not None and service is None) or (who is not None and service is not None):
        raise UsageError("--why goes with --service, --who stands alone", hint="bgce-migrate grants show --help")
    with _opened(call, (), changing=False) as (scope, target):
        if service is not None and why is not None:
            report.print_why(call.out, rights.why(scope, target, service, why))
        elif service is not None:
            report.print_lines(call.out, rights.lines_of_service(scope, target, service))
        elif who is not None:
            report.print_lines(call.out, rights.lines_of_object(scope, target, who))
        else:
            report.print_lines(call.out, rights.declared_lines(scope, target))
    return 0


for _command in (plan, apply, check, show, password):
    grants.add_command(_command)


def _mode(word: str) -> Mode:
    from bgce_migrate.grants.scope import Mode

    return Mode(word)


@contextmanager
def _opened(call: Call, absent: tuple[str, ...], *, changing: bool) -> Iterator[tuple[Scope, Target]]:
    """The database and what grants are about there."""
    from bgce_migrate import rights
    from bgce_migrate.grants.scope import ABSENT, Absent

    if "none" in absent and len(absent) > 1:
        raise UsageError("--ensure-absent none goes with no other")
    policy = frozenset(Absent(word) for word in absent if word != "none") if absent else ABSENT
    desk = call.desk
    with rights.opened(call.address(), changing=changing) as target:
        if changing and call.options["env"] is not None:
            rights.require_environment(target, call.options["env"])
        yield rights.scope_of(desk.project, desk.host, target, policy), target
