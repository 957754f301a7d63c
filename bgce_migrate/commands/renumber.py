"""`renumber`: new numbers for migrations whose number another branch took first."""

from __future__ import annotations

import os

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, option
from bgce_migrate.errors import UsageError


@command("renumber")
@click.argument("domain", required=False)
@option("--base", metavar="REF", scope="renumber", help="The branch whose migrations keep their numbers (found by itself).")
@option("--move", metavar="ID", scope="renumber", help="The one that moves, e.g. cortex/000003_add_age, where nothing else decides.")
@option("--check", is_flag=True, scope="renumber", help="Change nothing; exit 1 when a number is taken twice.")
def renumber(call: Call, domain: str | None, base: str | None, move: str | None, check: bool) -> int:
    """Give migrations that are not on the target branch the next free numbers where theirs are taken.

    Files are moved as `git mv` does; `-- bgce: requires` in other new files and the lines of bgce.lock follow.
    """
    from bgce_migrate.commands.surroundings import look_around
    from bgce_migrate.config.paths import shown
    from bgce_migrate.migration import MigrationId
    from bgce_migrate.naming import require_domain
    from bgce_migrate.opening import load_project
    from bgce_migrate.renumbering import carry_out, find_moves
    from bgce_migrate.renumbering.lock_text import LockText
    from bgce_migrate.report.values import migration_value

    options = call.options
    project, _ = load_project(
        call.folder, options["config"], options["migrations"], options["no_plugins"], plugins_required=False
    )
    require_domain(project, domain)
    mover = MigrationId.parse(move) if move else None
    if move and (mover is None or not mover.name):
        raise UsageError(f"--move {move} is not of the form domain/version_name, e.g. cortex/000003_add_age")
    around = look_around(project, base, os.environ)
    lock = LockText.read(project.lock_path)
    moves = find_moves(project, around.repository, around.base, lock, domain=domain, mover=mover)
    changed = () if check else carry_out(project, around.repository, around.base, lock, moves)
    call.out.document(
        "renumber",
        {
            "moves": [{"from": migration_value(m.old), "to": migration_value(m.new)} for m in moves],
            "changed": [shown(path) for path in changed],
            "written": bool(moves) and not check,
        },
    )
    for one in moves:
        call.out.line(f"{one.old} -> {one.new}")
    for path in changed:
        call.out.line(f"changed: {shown(path)}")
    if not moves:
        call.out.line("nothing to do: every number is taken once")
    elif not check:
        call.out.note("note: a database that has one under its old number keeps it there: undo it there first")
        call.out.note("hint: bgce-migrate lock, then git add the files")
    return 1 if check and moves else 0
