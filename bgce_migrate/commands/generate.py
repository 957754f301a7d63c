"""`adopt --generate`: initial migrations of a database that has none, proven before a file is written."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from bgce_migrate.commands.call import Call
from bgce_migrate.errors import Refused, UsageError

if TYPE_CHECKING:
    from bgce_migrate.config import Project


def generate(call: Call, said: dict[str, Any]) -> int:
    """Propose, ask, prove, write.

    Raises:
        Refused: what is there cannot be written, or nobody has agreed to the proposal; nothing was written.
    """
    from bgce_migrate.adopt import generating
    from bgce_migrate.report.adopt import print_proposal, print_written

    project, into = _project(call, said["into"])
    generating.require_empty(project, here=into is None)
    root = project.root if into is None else into
    assigned = tuple((left, right) for left, right in _pairs(said["assign"]))
    with call.target() as target:
        proposal = generating.propose(project, target, assigned, tuple(said["ignored"]), here=into is None)
        print_proposal(call.out, proposal, generating.proposed_tables(proposal))
        if not said["yes"] and not (call.asks and call.agree("write migrations of this?")):
            print_written(call.out, proposal, generating.proposed_tables(proposal))
            if call.asks:
                raise Refused("no file was written", hint="say otherwise whose tables are: --assign TABLES=DOMAIN")
            call.out.note("no file was written; to write them: --yes")
            return 0
        proven = generating.prove(proposal, project, said["provider"], call.out.detail)
    files = () if proven.differences else generating.place(proven, proposal, root)
    refused = generating.unwritten(proven.differences) if proven.differences else None
    print_written(call.out, proposal, generating.proposed_tables(proposal), proven, files, refused)
    if refused is not None and not call.out.json:
        raise refused
    return refused.exit_code if refused is not None else 0


def _project(call: Call, into: Path | None) -> tuple[Project, Path | None]:
    """The project that is here, or an empty one; and where a project is written, if one is."""
    from bgce_migrate.desk import Desk
    from bgce_migrate.host import Host
    from bgce_migrate.registry import build
    from bgce_migrate.tree import Tree

    try:
        project = call.desk.project
    except UsageError:
        if call.options["migrations"] is not None or call.options["config"] is not None:
            raise
        from bgce_migrate.config import Project as Empty

        project = Empty(call.folder, call.folder.name, (), build(()), call.folder / "bgce.lock")
        call.desk = Desk(project, Host(), Tree.read(project))
    if into is None and not (project.declared and project.domains):
        into = call.folder
    return project, into.absolute() if into is not None else None


def _pairs(words: tuple[str, ...]) -> list[tuple[str, str]]:
    from bgce_migrate.commands.adopt import pairs

    return list(pairs(words, "--assign").items())
