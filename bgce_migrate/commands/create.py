"""`create`: golang-migrate's way to write the next migration."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, domain_option, option
from bgce_migrate.errors import UsageError

if TYPE_CHECKING:
    from bgce_migrate.config import Project


@command("create")
@click.argument("name")
@domain_option(scope="create", help="The domain, where there are several.")
@option("--dir", "directory", type=click.Path(path_type=Path), metavar="DIR", scope="create",
        help="A folder of plain files instead of a domain.")
@option("--ext", default="sql", scope="create", help="sql, the only one there is.")
@option("--seq", is_flag=True, scope="create", help="Taken for golang-migrate's sake: the folder's own numbering goes on.")
@click.option("--digits", type=int, hidden=True)
@click.option("--format", "form", hidden=True)
@click.option("--tz", hidden=True)
def create(
    call: Call, name: str, domain: str | None, directory: Path | None, ext: str,
    seq: bool, digits: int | None, form: str | None, tz: str | None,
) -> int:
    """Write the next up and down file, numbered as the folder numbers its own."""  # fmt: skip
    from bgce_migrate import scaffold

    if ext.lstrip(".") != "sql":
        raise UsageError(f"-ext {ext} is not written here", hint="migrations are .sql files")
    if directory is not None:
        if domain is not None:
            raise UsageError("--dir and --domain name two places", hint="say one of them")
        project = _plain(directory)
        domain = project.domains[0].name
    else:
        project = call.project
        domain = call.one_domain(f"create {name}", domain)
    call.show_files("create", scaffold.new_migration(project, domain, name))
    return 0


def _plain(directory: Path) -> Project:
    """The folder as a domain; it may be empty yet."""
    from bgce_migrate.config import Project
    from bgce_migrate.domain import Domain
    from bgce_migrate.registry import build

    directory = directory.absolute()
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise UsageError(f"{directory} cannot be made: {error.strerror or error}") from None
    domain = Domain(directory.name, directory, declared=False)
    return Project(directory, directory.name, (domain,), build((domain,)), directory / "bgce.lock")
