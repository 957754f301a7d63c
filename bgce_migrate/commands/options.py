"""Options: the ones that every command takes, and the rule by which each has an environment variable."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

PREFIX = "BGCE_"
_DURATION = re.compile(r"(?:0|[1-9][0-9]{0,8}(?:us|ms|s|min|h|d))\Z")


def option(*names: str, scope: str = "", **settings: Any) -> Callable[[F], F]:
    """A click option whose variable is `BGCE_` and its long name, e.g. `BGCE_LOCK_WAIT`.

    Args:
        scope: the command, for options that choose what is undone or rewritten: their variable carries its
            name (`BGCE_DOWN_TO`), so that no variable meant for another command can choose it.
    """
    settings.setdefault("envvar", variable(names, scope))
    return click.option(*names, **settings)


def variable(names: tuple[str, ...], scope: str = "") -> str:
    """The environment variable of an option."""
    long = next(name for name in names if name.startswith("--"))
    long = long.partition("/")[0]  # --style/--no-style is one option
    words = f"{scope}-{long[2:]}" if scope else long[2:]
    return PREFIX + words.replace("-", "_").upper()


class Duration(click.ParamType):  # type: ignore[type-arg]  # generic since click 8.4 only
    """PostgreSQL's durations, with their unit: a bare number would be milliseconds and is never meant so."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The duration as PostgreSQL takes it."""
        text = str(value).strip().lower()
        if not _DURATION.match(text):
            self.fail(f"'{value}' is not a duration: say a number and ms, s, min or h, e.g. 300ms", param, ctx)
        return text


class Slashed(click.ParamType):  # type: ignore[type-arg]  # as above
    """`domain/version`; the domain may be left out where there is one."""

    name = "domain/version"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text, checked for its form only."""
        if not re.match(r"(?:[^/\s]+/)?[0-9]{1,18}(?:_[^/\s]*)?\Z", str(value)):
            self.fail(f"'{value}' is not of the form domain/version, e.g. cortex/000003", param, ctx)
        return str(value)


def shared_options() -> list[click.Option]:
    """The options that stand before or after a command's name."""
    rows: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
        (("-d", "--database-url"), {"metavar": "URL", "help": "The database: a URL or libpq's key=value pairs."}),
        (("--env",), {"metavar": "NAME", "help": "An environment of bgce.toml."}),
        (("--embedded",), {"is_flag": True, "help": "Use the embedded server of this project."}),
        (("--migrations",), {"metavar": "DIR", "type": click.Path(path_type=Path),
                             "help": "A folder of plain golang-migrate files instead of a project."}),
        (("--config",), {"metavar": "FILE", "type": click.Path(path_type=Path),
                         "help": "bgce.toml itself, instead of looking upwards."}),
        (("--no-plugin", "no_plugins"), {"metavar": "NAME", "multiple": True, "help": "Leave a plugin out."}),
        (("--json",), {"is_flag": True, "help": "Print the result as a JSON document."}),
        (("--log-format",), {"type": click.Choice(["text", "json"]),
                             "help": "Progress and errors as sentences (default), or as JSON, one object a line."}),
        (("--no-input",), {"is_flag": True, "help": "Never ask."}),
        (("-v", "--verbose"), {"is_flag": True, "help": "Say more."}),
    )  # fmt: skip
    return [click.Option(names, **settings) for names, settings in rows]


SHARED = tuple(param.name for param in shared_options() if param.name)


class SharedCommand(click.Command):
    """A command that takes the shared options too and gets them, merged, as its first argument `call`."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.own = list(self.params)
        # A command may mean something else by a shared option's name; the shared one then stands before it only.
        taken = {name for param in self.own for name in param.opts}
        self.params = [*self.params, *(o for o in shared_options() if taken.isdisjoint(o.opts))]

    def invoke(self, ctx: click.Context) -> Any:
        """Run the function, with a `Call` made of the options before and after the command's name."""
        from bgce_migrate.commands.call import Call

        after = {name: ctx.params.pop(name, None) for name in SHARED}
        ctx.params["call"] = Call.merged(ctx.find_root().obj, after)
        return super().invoke(ctx)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The command's own options first."""
        shared = [p.get_help_record(ctx) for p in self.get_params(ctx) if p not in self.own]
        own = [record for p in self.own if (record := p.get_help_record(ctx))]
        for title, records in (("Options", own), ("Options of every command", [r for r in shared if r])):
            if records:
                with formatter.section(title):
                    formatter.write_dl(records)


def command(name: str, **settings: Any) -> Callable[[Callable[..., Any]], SharedCommand]:
    """A command whose function gets a `Call` as `call`, and returns its exit code or None."""
    settings.setdefault("context_settings", {})["help_option_names"] = ["-h", "--help"]
    return click.command(name, cls=SharedCommand, **settings)


def domain_option(**settings: Any) -> Callable[[F], F]:
    """`--domain NAME`."""
    settings.setdefault("help", "Only this domain.")
    return option("--domain", metavar="NAME", **settings)


def run_options(function: F) -> F:
    """What every command that runs steps takes."""
    for wrap in reversed(_RUN_OPTIONS):
        function = wrap(function)
    return function


_RUN_OPTIONS = (
    option("--jobs", type=click.IntRange(1, 64), metavar="N", help="Lanes that run at once (1; up to 4 where nothing is applied yet)."),
    option("--lock-wait", type=click.FloatRange(0), metavar="S", help="Seconds to wait for another run (60)."),
    option("--retry-for", type=click.FloatRange(0), metavar="S", default=30.0,
           help="Seconds in which a step that met a lock is tried again (30)."),
    option("--lock-timeout", type=Duration(), default="300ms", metavar="D",
           help="How long a statement waits for a lock (300ms)."),
    option("--statement-timeout", type=Duration(), default="0", metavar="D",
           help="How long a statement may run (0: no limit)."),
    option("--report", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE",
           help="Write the receipt there too."),
)  # fmt: skip
