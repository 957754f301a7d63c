"""`hook`: a plain git hook for teams without pre-commit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from bgce_migrate.commands.call import Call, Given
from bgce_migrate.commands.options import command, option
from bgce_migrate.errors import UsageError

if TYPE_CHECKING:
    from bgce_migrate.repository import Repository

#: What a project is made of; a commit of other files has nothing to do with it.
_OURS = (".sql", ".toml", ".lock")


@click.group("hook", context_settings={"help_option_names": ["-h", "--help"]})
def hook() -> None:
    """Check migrations before every commit."""


@command("install")
@option("--uninstall", is_flag=True, scope="hook", help="Take it away and put back what was there before.")
def install(call: Call, uninstall: bool) -> int:
    """Write git's pre-commit hook, where core.hooksPath says; a hook that is there is kept and runs first."""
    from bgce_migrate.config.paths import shown
    from bgce_migrate.scaffold.git_hook import BACKUP, NAME, install_hook, uninstall_hook

    repository = _repository(call)
    folder = repository.hooks
    changed = uninstall_hook(folder) if uninstall else install_hook(folder)
    path = shown(folder / NAME)
    kept = (folder / BACKUP).exists()
    call.out.document(
        "hook",
        {"file": path, "changed": changed, "installed": not uninstall, "runs_first": shown(folder / BACKUP) if kept else None},
    )
    if uninstall:
        call.out.line(f"removed: {path}" if changed else "nothing to do: it is not installed")
        return 0
    call.out.line(path if changed else f"nothing to do: {path} is up to date")
    if kept:
        call.out.line(f"runs first: {shown(folder / BACKUP)}, the hook that was there before")
    if repository.hooks_are_shared:
        call.out.note("note: core.hooksPath is set for all your repositories; where there is no bgce.toml the hook does nothing")
    elif repository.inside(folder) is not None:
        call.out.note(f"note: {path} is inside the work tree: commit it if the team shares its hooks")
    return 0


@command("run", hidden=True)
def run(call: Call) -> int:
    """What the hook calls: `check` and `lint` for the projects that the staged files belong to."""
    from bgce_migrate.config import find
    from bgce_migrate.config.paths import shown

    repository = _repository(call)
    staged = [p for p in repository.staged(deleted=True) if p.suffix in _OURS]
    projects = {config for path in staged if (config := find(_standing(path)))}
    codes = [0]
    for config in sorted(projects):
        codes.append(_call(call, config, "check", []))
        files = [p for p in staged if p.suffix == ".sql" and p.is_file() and find(p.parent) == config]
        if files:
            codes.append(_call(call, config, "lint", [str(p) for p in files]))
    unstaged = set(repository.unstaged())
    for path in (p for p in staged if p in unstaged and projects):
        call.out.note(f"note: {shown(path)} has changes that are not staged; it was checked as it is on disk")
    if max(codes):
        call.out.note("hint: git commit --no-verify leaves this check out, once")
    return max(codes)


def _call(call: Call, config: Path, name: str, words: list[str]) -> int:
    """Another command on one of the projects, in this process: starting one costs more than most checks."""
    from importlib import import_module

    from bgce_migrate.commands import COMMANDS

    place = next((group[name][0] for group in COMMANDS.values() if name in group), None)
    if place is None:
        return 0
    module, _, function = place.partition(":")
    found = getattr(import_module(f"bgce_migrate.commands.{module}"), function)
    options: dict[str, Any] = {**call.options, "config": config}
    answer = found.main(["--", *words], f"bgce-migrate {name}", standalone_mode=False, obj=Given(options, call.out))
    return answer if isinstance(answer, int) else 0


def _standing(path: Path) -> Path:
    """The nearest folder of a file that is still there."""
    folder = path.parent
    while not folder.is_dir():
        folder = folder.parent
    return folder


def _repository(call: Call) -> Repository:
    from bgce_migrate.repository import open_repository

    found = open_repository(call.folder)
    if found is None:
        raise UsageError(f"{call.folder} is in no git repository", hint="git init")
    return found


hook.add_command(install)
hook.add_command(run)
