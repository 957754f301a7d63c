"""`lock`: record the order of new migrations."""

from __future__ import annotations

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, option
from bgce_migrate.errors import Refused
from bgce_migrate.report.faults import problem_lines, problem_value
from bgce_migrate.report.listings import print_findings
from bgce_migrate.report.values import migration_value


@command("lock")
@option("--check", is_flag=True, scope="lock", help="Write nothing; exit 1 when something is not recorded.")
@option("--accept-edited", is_flag=True, scope="lock",
        help="Take locked files that were edited as they are now; only while nobody has applied them.")  # fmt: skip
@option("--fail-if-changed", is_flag=True, scope="lock",
        help="Exit 1 when the file was written: for hooks, whose commit must have it too.")  # fmt: skip
def lock(call: Call, check: bool, accept_edited: bool, fail_if_changed: bool) -> int:
    """Append new migrations to bgce.lock, in the order found from their SQL. Needs no database."""
    from bgce_migrate.config.paths import shown

    # A hook's environment has no plugins; a domain that only they deliver keeps its lines as they are.
    desk = call.declarations if fail_if_changed else call.desk
    before = desk.project.lock_path.read_bytes() if desk.project.lock_path.is_file() else b""
    result = desk.lock(check=check, accept_edited=accept_edited)
    path = shown(result.path)
    call.out.document(
        "lock",
        {
            "path": path,
            "added": [migration_value(i) for i in result.added],
            "problems": [problem_value(p) for p in result.problems],
            "written": bool(result.added) and not check and not result.problems,
        },
    )
    print_findings(call.out, result.findings)
    if result.problems and not check:
        raise Refused(f"{path} was not changed", problems=result.problems)
    for line in problem_lines(result.problems):
        call.out.line(line)
    for migration in result.added:
        call.out.line(str(migration))
    count = len(result.added)
    if count:
        call.out.line(f"{count} not recorded in {path}" if check else f"{count} recorded in {path}")
    elif not result.problems:
        call.out.line(f"nothing to do: {path} has every migration")
    if fail_if_changed and not check and result.path.read_bytes() != before:
        call.out.note(f"hint: {path} was written; git add {path}, then commit again")
        return 1
    return 1 if check and (result.added or result.problems) else 0
