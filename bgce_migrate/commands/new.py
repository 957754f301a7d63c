"""`new domain` and `new migration`."""

from __future__ import annotations

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, option


@click.group("new", context_settings={"help_option_names": ["-h", "--help"]})
def new() -> None:
    """Write a new domain or the next migration."""


@command("domain")
@click.argument("name")
@option("--plugin", is_flag=True, scope="new", help="An installable Python package that carries the domain.")
def new_domain(call: Call, name: str, plugin: bool) -> int:
    """Write migrations/NAME with its declaration and its first pair of files."""
    from bgce_migrate import scaffold

    call.show_files("new-domain", scaffold.new_domain(call.project, name, plugin=plugin))
    return 0


@command("migration")
@click.argument("domain")
@click.argument("slug")
def new_migration(call: Call, domain: str, slug: str) -> int:
    """Write the next up and down file of DOMAIN; SLUG says what it does, e.g. create_users_table."""
    from bgce_migrate import scaffold

    call.show_files("new-migration", scaffold.new_migration(call.project, domain, slug))
    return 0


new.add_command(new_domain)
new.add_command(new_migration)
