"""`lint`: everything there is to say about migrations before they run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, option
from bgce_migrate.errors import UsageError
from bgce_migrate.finding import Severity

if TYPE_CHECKING:
    from bgce_migrate.linting import Loaded, Request, Result
    from bgce_migrate.linting.fixing import Fixed

FORMATS = ("terminal", "json", "github", "sarif", "gcc")
_LEVELS = [severity.value for severity in Severity]


@command("lint")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@option("--all", "everything", is_flag=True, scope="lint", help="Judge what is on the target branch, too.")
@option("--changed", is_flag=True, scope="lint", help="Only findings about files that differ from the target branch.")
@option("--base", metavar="REF", scope="lint", help="The branch or commit to compare with (found by itself).")
@option("--stdin-filename", metavar="PATH", type=click.Path(path_type=Path), scope="lint",
        help="Read one file's text from standard input and judge it under this name.")
@option("--fix", is_flag=True, scope="lint", help="Rewrite new files where the rewrite is certain, and show it.")
@option("--format", "form", type=click.Choice(FORMATS), default="terminal", scope="lint", help="How to say it (terminal).")
@option("--fail-on", type=click.Choice(_LEVELS), scope="lint", help="From this severity on exit 1 (error).")
@option("--target", type=click.IntRange(14, 18), metavar="14..18", scope="lint",
        help="The oldest major version of PostgreSQL the files must run on.")
@option("--style/--no-style", default=None, scope="lint", help="Also sqlfluff, on the judged files (where installed).")
@option("--client", "clients", multiple=True, metavar="[SERVICE=]FILE", scope="lint",
        help="Also prepare the statements in this file on a throw-away server before and after the new steps (repeatable).")
def lint(call: Call, files: tuple[Path, ...], form: str, fail_on: str | None, fix: bool, **said: Any) -> int:
    """Judge new migrations: declarations, order, git, ownership, hazards, style. Needs no database.

    FILES restrict what is shown; all migrations are read all the same, because what a statement does depends on
    what was there before. Exits 1 when something weighs as much as --fail-on says.
    """  # fmt: skip
    import gc

    from bgce_migrate.linting.selection import changed_files

    # Many small values that live until the end: looking for circles among them takes a third of the time.
    gc.disable()
    if call.out.json:
        form = "json"
    call.out.json = form == "json"
    if fix and said["stdin_filename"] is not None:
        raise UsageError("--fix rewrites files; standard input is none", hint="leave one of the two out")
    loaded = _load(call, said["stdin_filename"])
    request = _request(files, said)
    if said["stdin_filename"] is not None:
        request = _about(request, said["stdin_filename"])
    elif said["changed"]:
        request = changed_files(loaded, request)
    from bgce_migrate.linting import lint as run

    result = run(loaded, request)
    done: tuple[Fixed, ...] = ()
    if fix:
        from bgce_migrate.linting.fixing import fix as rewrite

        result, done = rewrite(result, lambda: run(_load(call, None), request))
    if said["clients"] and loaded.tree is not None:
        result = _with_clients(call, result, said["clients"], request.base)
    level = Severity(fail_on) if fail_on else loaded.project.lint.fail_on if loaded.project else Severity.ERROR
    failed = any(_LEVELS.index(f.severity.value) <= _LEVELS.index(level.value) for f in result.findings)
    _print(call, form, result, done, passed=not failed)
    if loaded.tree is None:
        return 2
    return 1 if failed else 0


def _with_clients(call: Call, result: Result, files: tuple[str, ...], base: str | None) -> Result:
    """What breaks a service, beside the rest; why that could not be seen is a finding, too."""
    from msgspec.structs import replace

    from bgce_migrate.clients.findings import RULE, findings
    from bgce_migrate.commands.clients import check_clients
    from bgce_migrate.errors import BgceError
    from bgce_migrate.finding import Finding
    from bgce_migrate.linting.kept import in_order

    try:
        checked = check_clients(call, files, base=base)
    except UsageError:
        raise
    except BgceError as error:
        more: tuple[Finding, ...] = (Finding(RULE, Severity.ERROR, f"not looked at: {error.message}", error.where, error.hint),)
    else:
        more = findings(checked, call.declarations.tree)
    return replace(result, findings=in_order((*result.findings, *more)))


def _load(call: Call, stdin: Path | None) -> Loaded:
    from bgce_migrate.linting import load

    o = call.options
    loaded = load(call.folder, config=o["config"], migrations=o["migrations"], no_plugins=o["no_plugins"])
    if stdin is not None:
        from bgce_migrate.linting.standing_in import stand_in

        stand_in(loaded, stdin, _standard_input())
    return loaded


def _standard_input() -> bytes:
    import sys

    return sys.stdin.buffer.read()


def _request(files: tuple[Path, ...], said: dict[str, Any]) -> Request:
    from datetime import date

    from bgce_migrate.linting import Request

    return Request(
        files=files,
        everything=said["everything"],
        base=said["base"],
        target=said["target"],
        style=said["style"],
        today=date.today().isoformat(),
        environment=os.environ,
    )


def _about(request: Request, file: Path) -> Request:
    from msgspec.structs import replace

    return replace(request, files=(file,), cache=False)


def _print(call: Call, form: str, result: Result, done: tuple[Fixed, ...], *, passed: bool) -> None:
    findings = result.findings
    if form == "json":
        from bgce_migrate.report.lint_json import print_json

        print_json(
            call.out, findings, judged=result.judged, migrations=result.migrations, fixable=result.fixable,
            fixed=[f.path for f in done], passed=passed,
        )  # fmt: skip
    elif form == "github":
        from bgce_migrate.report.lint_github import print_github

        print_github(call.out, findings)
    elif form == "sarif":
        from bgce_migrate.linting.explaining import title_and_text
        from bgce_migrate.report.lint_sarif import print_sarif

        print_sarif(call.out, findings, result.statements, title_and_text)
    else:
        _print_text(call, form, result, done)


def _print_text(call: Call, form: str, result: Result, done: tuple[Fixed, ...]) -> None:
    from bgce_migrate.report.lint_json import is_fixable
    from bgce_migrate.report.lint_text import print_gcc, print_terminal, summary_of

    for file in done:
        call.out.line(file.diff)
        call.out.note(f"fixed {file.path}: {', '.join(file.rules)}")
    if form == "gcc":
        print_gcc(call.out, result.findings)
        return
    count = sum(is_fixable(f, result.fixable) for f in result.findings)
    hint = f"{count} can be fixed: bgce-migrate lint --fix" if count else ""
    summary = summary_of(result.findings, result.judged, result.migrations)
    print_terminal(call.out, result.findings, result.sources, summary=summary, hint=hint)
