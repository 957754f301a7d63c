"""`deploy [-- COMMAND]`, `deploy begin`, `deploy finish`: apply, run a command, and undo where it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, domain_option, option, run_options
from bgce_migrate.commands.telling import environment_of, tell_deployment
from bgce_migrate.errors import UsageError

if TYPE_CHECKING:
    from bgce_migrate.apply.context import RunInfo, Stop
    from bgce_migrate.apply.losses import Loss
    from bgce_migrate.apply.target import Target
    from bgce_migrate.deploying.choosing import Choice
    from bgce_migrate.deploying.course import Course
    from bgce_migrate.deploying.model import DeployReport
    from bgce_migrate.domain import Domain
    from bgce_migrate.outcome import RunReport

_CHOICES = ("breaking", "all", "none")
_all_domains = option("--all-domains", is_flag=True, scope="deploy", help="All domains in one deployment.")
_undo = option("--undo", type=click.Choice(_CHOICES), default="breaking", scope="deploy",
               help="What is undone on failure: what programs of before cannot live with (default), all, or none.")  # fmt: skip
_loss = option("--accept-data-loss", "accept_loss", is_flag=True, scope="deploy",
               help="Undo also what loses live data now.")  # fmt: skip


class Deploys(click.Group):
    """A group whose usual command need not be named: what follows `deploy` are its options and `-- COMMAND`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """As click, with `run` put before what names no command."""
        named = args[:1] and (args[0] in self.commands or args[0] in ("-h", "--help"))
        return super().parse_args(ctx, args if named else ["run", *args])


@click.group("deploy", cls=Deploys, context_settings={"help_option_names": ["-h", "--help"]})
def deploy() -> None:
    """Apply, run a command and ask for its health; where one fails, undo what this deployment applied.

    \b
    deploy [run] --domain NAME [--health CMD] -- ./deploy.sh
    deploy begin ID, then runs with --deployment ID, then deploy finish ID --ok|--failed
    """  # fmt: skip


@command("run")
@click.argument("words", nargs=-1, required=True, type=click.UNPROCESSED, metavar="-- COMMAND...")
@domain_option(scope="deploy", help="This domain, and what it needs of others.")
@_all_domains
@option("--deployment", metavar="ID", help="Joins it with other runs of this ID (the commit that is checked out).")
@option("--health", metavar="CMD", scope="deploy", help="A line for the shell, asked every second until it exits 0.")
@option("--timeout", type=click.FloatRange(0, min_open=True), default=600.0, metavar="S", scope="deploy",
        help="Seconds for the command, and as many for its health (600).")
@_undo
@_loss
@option("--resume", is_flag=True, scope="deploy", help="Go on with one that was stopped on its way.")
@option("--allow-unlocked", is_flag=True, help="Run migrations that bgce.lock does not have.")
@run_options
def run(call: Call, words: tuple[str, ...], deployment: str | None, **said: Any) -> int:
    """Apply a domain's steps and what they need, run COMMAND, ask for health.

    No lock and no connection is held while COMMAND runs. Where a step, COMMAND or health fails, what this deployment
    applied is undone, newest first: by default what running programs cannot live with, so that expanding steps stay.
    """  # fmt: skip
    scope = _scope(call, said)
    given = deployment or call.run_info("deploy").git_commit
    if given is None:
        raise UsageError("no commit is checked out here to name the deployment after", hint="say --deployment ID")
    hands, course = _course(call, _id(given), scope, said, words)
    return _done(call, said, hands, course.deploy)


@command("begin")
@click.argument("deployment", metavar="ID")
@domain_option(scope="deploy", help="The deployment of this domain.")
@_all_domains
def begin(call: Call, deployment: str, **said: Any) -> int:
    """Record that a deployment begins, whose runs and programs are started elsewhere."""
    hands, course = _course(call, _id(deployment), _scope(call, said), said)
    return _done(call, said, hands, course.begin)


@command("finish")
@click.argument("deployment", metavar="ID")
@option("--ok", is_flag=True, scope="deploy", help="It went well: what it applied stays.")
@option("--failed", is_flag=True, scope="deploy", help="It failed: undo what it applied.")
@domain_option(scope="deploy", help="The deployment of this domain (the one that is open).")
@_all_domains
@_undo
@_loss
@run_options
def finish(call: Call, deployment: str, ok: bool, failed: bool, **said: Any) -> int:
    """End a deployment: for good, or by undoing what all runs under its ID applied."""
    if ok == failed:
        raise UsageError("how the deployment ended is not said", hint="say --ok or --failed")
    from bgce_migrate.deploying.course import scope_of
    from bgce_migrate.deploying.record import read_events, standings

    named = said["domain"] or said["all_domains"]
    with call.target() as target:
        scope = scope_of(standings(read_events(target, deployment)), deployment, _scope(call, said) if named else None)
    hands, course = _course(call, _id(deployment), scope, said)
    return _done(call, said, hands, lambda: course.finish(well=ok))


for _inner in (run, begin, finish):
    deploy.add_command(_inner)


class Hands:
    """What a deployment asks for, done by the desk."""

    def __init__(self, call: Call, said: dict[str, Any], scope: str, deployment: str, stop: Stop) -> None:
        self.call = call
        self.said = said
        self.scope = scope
        self.deployment = deployment
        self.stop = stop
        #: Which of the project's environments the database is, once it was seen.
        self.environment: str | None = call.options["env"]

    @property
    def domains(self) -> tuple[Domain, ...]:
        """Those of the project."""
        return tuple(self.call.project.domains)

    @contextmanager
    def open(self) -> Iterator[Target]:
        """The database, for one part of the course."""
        with self.call.target() as target:
            self.environment = self.environment or environment_of(self.call, target)
            yield target

    def info(self, command: str) -> RunInfo:
        """A run that belongs to the deployment."""
        return self.call.run_info(command, self.deployment)

    def up(self, target: Target, info: RunInfo) -> RunReport:
        """Apply what is pending."""
        from bgce_migrate.commands.up import of_environment
        from bgce_migrate.deploying.model import EVERYTHING

        domain = None if self.scope == EVERYTHING else self.scope
        with self._options() as options:
            unlocked = self.said.get("allow_unlocked", False)
            report = self.call.desk.up(target, info, options, domain=domain, allow_unlocked=unlocked)
            return of_environment(self.call, target, info, options, report)

    def down(self, target: Target, info: RunInfo, choice: Choice) -> RunReport:
        """Undo, with the texts of history."""
        from bgce_migrate.undoing import DownSelection

        selection = DownSelection(these=choice.these, along=choice.along)
        with self._options() as options:
            return self.call.desk.down(target, info, options, selection, consent=self._consent, source="history")

    def take_back(self, target: Target, info: RunInfo) -> tuple[str, ...]:
        """Rights that only steps had needed which did not come to be."""
        from bgce_migrate.commands.runs import limits_of
        from bgce_migrate.leftovers import leave_nothing_of_pending

        desk = self.call.desk
        return leave_nothing_of_pending(desk.tree, desk.host, target, info, limits_of(self.call, self.said))

    def tell(self, text: str) -> None:
        """A line of progress."""
        self.call.out.note(text)

    @property
    def heard(self) -> Callable[[str, str], None] | None:
        """Who gets what programs print: standard error as it is, but for a log of JSON lines."""
        out = self.call.out
        return (lambda what, line: out.event("output", program=what, message=line)) if out.json_log else None

    def _consent(self, losses: tuple[Loss, ...]) -> bool:
        from bgce_migrate.commands.runs import consent_of
        from bgce_migrate.errors import Refused

        if consent_of(self.call, yes=self.said["accept_loss"])(losses):
            return True
        raise Refused(f"undoing it would lose data: {'; '.join(loss.what for loss in losses)}", hint="say --accept-data-loss if that is wanted")

    @contextmanager
    def _options(self) -> Iterator[Any]:
        from bgce_migrate.apply.context import Options
        from bgce_migrate.commands.runs import limits_of, replicas_of
        from bgce_migrate.report.progress import progress

        with progress(self.call.out) as told:
            yield Options(
                limits=limits_of(self.call, self.said), jobs=self.said.get("jobs"), progress=told, stop=self.stop,
                replicas=replicas_of(self.call),
            )  # fmt: skip


def _course(call: Call, deployment: str, scope: str, said: dict[str, Any], words: tuple[str, ...] = ()) -> tuple[Hands, Course]:
    """The course of a deployment, and its hands; from here on signals stop it where it can be gone on with."""
    from bgce_migrate.apply.context import Stop
    from bgce_migrate.commands.runs import limits_of
    from bgce_migrate.commands.signals import stop_on_signals
    from bgce_migrate.deploying.course import Course
    from bgce_migrate.deploying.model import Orders

    orders = Orders(
        deployment, scope, said.get("undo", "breaking"), words, said.get("health"), said.get("timeout", 600.0),
        said.get("resume", False),
    )  # fmt: skip
    stop = Stop()
    stop_on_signals(stop)
    hands = Hands(call, said, scope, deployment, stop)
    return hands, Course(hands, orders, limits_of(call, said), stop)


def _scope(call: Call, said: dict[str, Any]) -> str:
    from bgce_migrate.deploying.model import EVERYTHING

    if said["all_domains"] and said["domain"]:
        raise UsageError("--domain and --all-domains are two answers to what is deployed", hint="say one of them")
    return EVERYTHING if said["all_domains"] else call.one_domain("deploy", said["domain"])


def _id(text: str) -> str:
    if not text or len(text) > 200 or not text.isprintable():
        raise UsageError("a deployment's ID is one line of up to 200 characters")
    return text


def _done(call: Call, said: dict[str, Any], hands: Hands, work: Callable[[], DeployReport]) -> int:
    """Do it, print what there is to say, keep the report; the exit code."""
    from bgce_migrate.commands.runs import require_writable, write_report
    from bgce_migrate.report.deploy import deploy_value, print_deploy

    file = said.get("report")
    if file is not None:
        require_writable(file)
    report = tell_deployment(call, hands, work)
    print_deploy(call.out, report)
    if file is not None:
        write_report(call, file, call.out.document_text("deploy", deploy_value(report)))
    return report.exit_code
