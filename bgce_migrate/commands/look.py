"""`look`: one page about any tree of migrations, with nothing prepared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, option
from bgce_migrate.errors import UsageError

if TYPE_CHECKING:
    from bgce_migrate.verify.model import Proof

#: So many proofs take a few seconds.
_EVERY = 50


@command("look")
@click.argument("directory", metavar="DIR", required=False, type=click.Path(path_type=Path))
@option("--verify/--no-verify", "verify", default=True, scope="look",
        help="Prove every down on a throw-away server (yes).")
@option("--format", "form", type=click.Choice(["terminal", "json", "markdown"]), default="terminal", scope="look",
        help="How to say it (terminal).")
def look(call: Call, directory: Path | None, verify: bool, form: str) -> int:
    """Look at any tree of golang-migrate style folders and print one page about it.

    DIR is the tree, or a folder above it (default: here). Nothing has to be declared, nothing in it is
    changed, no database is needed or touched. What cannot be read is told on the page. With -v nothing
    is shortened.
    """  # fmt: skip
    from bgce_migrate.looking.run import look as run

    if directory is not None and call.options["migrations"] is not None:
        raise UsageError("DIR and --migrations both name a tree", hint="give one of them")
    place = directory or call.options["migrations"] or Path(".")
    call.out.json = call.out.json or form == "json"
    progress = _Progress(call, verify)
    found = run(place, verify=verify, told=progress.proven, found=progress.begin)
    if call.out.json:
        from bgce_migrate.report.look_json import print_document

        print_document(call.out, found)
    elif form == "markdown":
        from bgce_migrate.report.look import print_markdown

        print_markdown(call.out, found)
    else:
        from bgce_migrate.report.look import print_page

        print_page(call.out, found)
    return 0


class _Progress:
    """Says on standard error how far the proofs are: they take a second or a minute."""

    def __init__(self, call: Call, verify: bool) -> None:
        self.call = call
        self.verify = verify
        self.total = self.done = 0

    def begin(self, domains: int, migrations: int) -> None:
        """How many there are."""
        self.total = migrations
        if self.verify and migrations:
            self.call.out.note(
                f"{migrations} migration{'' if migrations == 1 else 's'} in {domains} domain{'' if domains == 1 else 's'};"
                " proving the downs on a throw-away server (--no-verify leaves it out)"
            )

    def proven(self, _: Proof) -> None:
        """One more; some are proven twice, where all together could not be."""
        self.done += 1
        if self.done % _EVERY == 0 and self.done < self.total and self.call.out.progress_is_terminal:
            self.call.out.note(f"{self.done} of {self.total}")
