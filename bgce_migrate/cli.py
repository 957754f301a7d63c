"""The command line: commands loaded when they are called, and the one place where errors end."""

from __future__ import annotations

import contextlib
import difflib
import gc
import os
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any, NoReturn

import click

from bgce_migrate import __version__
from bgce_migrate.commands import COMMANDS
from bgce_migrate.commands.call import Given
from bgce_migrate.commands.options import SHARED, shared_options, variable
from bgce_migrate.commands.signals import ignore_signals, interrupt_on_term
from bgce_migrate.commands.spelling import respell
from bgce_migrate.errors import BgceError, Interrupted, UsageError
from bgce_migrate.report.faults import error_value, print_error
from bgce_migrate.report.output import Output

PROGRAM = "bgce-migrate"
_EPILOG = """\b
Exit codes: 0 done or nothing to do; 1 the answer is no (--check); 2 usage,
configuration or a file that is not SQL; 3 refused, nothing changed; 4 database
or lock not available, safe to retry; 5 a step failed and left nothing; 6 a
person must look; 70 our bug; 130 interrupted.

\b
Every option has an environment variable: BGCE_ and its name, for example
BGCE_DATABASE_URL, BGCE_LOCK_WAIT. Completion for bash, zsh and fish:
eval "$(_BGCE_MIGRATE_COMPLETE=bash_source bgce-migrate)"
"""


class LazyGroup(click.Group):
    """Lists commands from the table; imports one only when it is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names, in the order of the table."""
        return [name for group in COMMANDS.values() for name in group]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the module of a command."""
        for group in COMMANDS.values():
            if cmd_name in group:
                module, _, function = group[cmd_name][0].partition(":")
                found = getattr(import_module(f"bgce_migrate.commands.{module}"), function)
                assert isinstance(found, click.Command)
                return found
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click, with what may have been meant."""
        name = args[0]
        if self.get_command(ctx, name) is None:
            near = difflib.get_close_matches(name, self.list_commands(ctx), n=1)
            hint = f"did you mean {near[0]}?" if near else f"{PROGRAM} --help lists the commands"
            raise UsageError(f"there is no command '{name}'", hint=hint)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The table, group by group; nothing is imported."""
        for title, group in COMMANDS.items():
            with formatter.section(title):
                formatter.write_dl([(name, line) for name, (_, line) in group.items()])


def _main_options() -> list[click.Parameter]:
    options: list[click.Parameter] = []
    for option in shared_options():
        option.envvar = variable(tuple(option.opts))
        options.append(option)
    # golang-migrate's, which stand before the command; see `spelling`.
    options.append(click.Option(["--golang-lock-timeout"], type=click.FloatRange(0), hidden=True))
    options.append(click.Option(["--golang-prefetch"], type=int, hidden=True))
    return options


@click.group(
    cls=LazyGroup,
    params=_main_options(),
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    no_args_is_help=False,
)
@click.version_option(__version__, "--version", prog_name=PROGRAM, message="%(prog)s %(version)s")
@click.pass_context
def main(ctx: click.Context, /, golang_lock_timeout: float | None, golang_prefetch: int | None, **shared: Any) -> None:
    """One safe order, one owner a table and one history for many services on one PostgreSQL."""
    out: Output = ctx.obj
    # An empty variable is a missing secret, which click takes for one that is not set.
    if shared["database_url"] is None and os.environ.get(variable(("--database-url",))) == "":
        shared["database_url"] = ""
    ctx.obj = Given({name: shared[name] for name in SHARED}, out, golang_lock_timeout)


def execute(arguments: Sequence[str]) -> int:
    """Run one command line and return its exit code; never raises."""
    out = Output(as_json=_wants_json(arguments), json_log=_wants_json_log(arguments))
    out.secrets.add(os.environ.get("PGPASSWORD"))
    out.secrets.add_conninfo(os.environ.get("DATABASE_URL"))
    unfollow = _follow(out)
    try:
        interrupt_on_term()
        code = _answer(arguments, out)
    except KeyboardInterrupt:
        code = _fail(out, _interrupted())
    except BgceError as error:
        code = _fail(out, error)
    except click.UsageError as error:
        code = _fail(out, _usage(error))
    except click.Abort:
        code = _fail(out, _interrupted())
    except Exception as error:  # whatever it is, nobody gets a traceback
        code = _bug(out, error)
    ignore_signals()
    unfollow()
    out.finish()
    if out.fault is not None:
        out.note(f"error: the result could not be written: {out.fault}")
        code = code or 2
    return code


def run() -> NoReturn:
    """The console script."""
    # Values of a plan live until the end: looking for circles among them at every 700th costs a third of the time.
    gc.set_threshold(100_000, 50, 100)
    _open_closed_streams()
    code = execute(sys.argv[1:])
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # `execute` has told it already
            stream.flush()
    # Nothing is left to be done, and taking every module apart takes longer than a query.
    os._exit(code)


def _open_closed_streams() -> None:
    """Started with `>&-`, the numbers 0 to 2 would go to the next file or socket, and our words into it."""
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        try:
            os.fstat(number)
        except OSError:
            # The lowest free number is what open takes.
            opened = os.open(os.devnull, os.O_RDWR)
            setattr(sys, name, os.fdopen(opened, "r" if number == 0 else "w", encoding="utf-8"))


def _answer(arguments: Sequence[str], out: Output) -> int:
    words = respell(arguments)
    if not words and "_BGCE_MIGRATE_COMPLETE" not in os.environ:
        words = ["--help"]
    answer = main.main(words, PROGRAM, standalone_mode=False, obj=out)
    return answer if isinstance(answer, int) else 0


def _wants_json(arguments: Sequence[str]) -> bool:
    """Known before the options are read, so that a wrong option is a document too."""
    said = os.environ.get(variable(("--json",)), "").strip().lower()
    words = list(arguments)
    ours = words[: words.index("--")] if "--" in words else words  # what follows is another program's
    return "--json" in ours or said in ("1", "true", "yes", "on", "t", "y")


def _follow(out: Output) -> Callable[[], None]:
    if not out.json_log:
        return lambda: None
    from bgce_migrate.report.log import follow

    return follow(out.note)


def _wants_json_log(arguments: Sequence[str]) -> bool:
    said = os.environ.get(variable(("--log-format",)))
    if not said and not any(word.startswith("--log-format") for word in arguments):
        return False
    from bgce_migrate.report.log import asked_for

    return asked_for(arguments, said)


def _fail(out: Output, error: BgceError) -> int:
    out.document("error", {"error": error_value(error)})
    print_error(out, error)
    return error.exit_code


def _interrupted() -> Interrupted:
    return Interrupted("interrupted", hint="bgce-migrate status shows what stands")


def _usage(error: click.UsageError) -> UsageError:
    message = error.format_message().rstrip(".")
    path = error.ctx.command_path if error.ctx is not None else PROGRAM
    return UsageError(message[:1].lower() + message[1:], hint=f"{path} --help")


def _bug(out: Output, error: Exception) -> int:
    import tempfile
    import traceback

    name = type(error).__name__
    try:
        descriptor, path = tempfile.mkstemp(prefix="bgce-migrate-", suffix=".log")
        text = f"bgce-migrate {__version__}, Python {sys.version}, {sys.platform}\n" + "".join(
            traceback.format_exception(type(error), error, error.__traceback__)
        )
        with os.fdopen(descriptor, "w", encoding="utf-8", errors="backslashreplace") as file:
            file.write(out.secrets.mask(text))
        hint = f"please report it with the file {path}"
    except OSError as fault:
        hint = f"please report it; its traceback could not be written: {fault.strerror or fault}"
    # The bare class has this code: none of the explained errors.
    return _fail(out, BgceError(f"unexpected {name}: this is a bug of bgce-migrate, not yours", hint=hint))
