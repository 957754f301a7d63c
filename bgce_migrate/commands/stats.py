"""`stats export`: the sizes of a database's tables, for `plan --measure` where that database cannot be reached."""

from __future__ import annotations

from pathlib import Path

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, option
from bgce_migrate.errors import UsageError


@click.group("stats", context_settings={"help_option_names": ["-h", "--help"]})
def stats() -> None:
    """Sizes of tables, without any value of the data."""


@command("export")
@option("--output", type=click.Path(path_type=Path, dir_okay=False), metavar="FILE", scope="stats",
        help="Write it there instead of to standard output.")
def export(call: Call, output: Path | None) -> int:
    """Write estimated rows and sizes of all tables as JSON, for `plan --measure --stats FILE`.

    Read from the server's own counters: no table is locked or read, and CONNECT is right enough.
    """  # fmt: skip
    from bgce_migrate.measure.sizes import read_sizes, write

    with call.target(check=False) as target:
        content = write(read_sizes(target.control, target.facts.database))
    text = call.out.document_text("stats", content)
    if output is None:
        call.out.document("stats", content)
        call.out.line(text)
        return 0
    try:
        output.write_text(text + "\n", encoding="utf-8")
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror or error}") from None
    call.show_files("stats", [output])
    return 0


stats.add_command(export)
