"""`init`: a repository made ready."""

from __future__ import annotations

from pathlib import Path

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command


@command("init")
@click.argument("directory", type=click.Path(path_type=Path), required=False)
def init(call: Call, directory: Path | None) -> int:
    """Write bgce.toml, migrations/ and the lines git needs; what is there stays as it is."""
    from bgce_migrate import scaffold

    written = scaffold.init(directory or call.folder)
    call.show_files("init", written, nothing="nothing to do: everything is here")
    if written:
        call.out.note("next: bgce-migrate new domain NAME")
    return 0
