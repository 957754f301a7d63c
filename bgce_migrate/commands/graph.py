"""`graph`: the domains and what they need of each other."""

from __future__ import annotations

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, option
from bgce_migrate.errors import UsageError


@command("graph")
@option("--format", "form", type=click.Choice(["text", "mermaid", "dot"]), default="text", scope="graph",
        help="text, mermaid (for Markdown) or dot (for Graphviz).")
@option("--migrations-too", is_flag=True, scope="graph", help="Draw every migration, not only domains.")
@option("--ownership", is_flag=True, scope="graph", help="Draw who owns, writes and reads which tables instead.")
def graph(call: Call, form: str, migrations_too: bool, ownership: bool) -> int:
    """Draw the domains and what the SQL of each needs of others. Needs no database."""  # fmt: skip
    if ownership:
        if migrations_too:
            raise UsageError("--ownership is about tables, --migrations-too about migrations", hint="give one of them")
        return _owners(call, form)
    from bgce_migrate.report import graph as drawing

    view = call.desk.plan(None, allow_unlocked=True)
    drawn = drawing.Graph.of(call.project.domains, view)
    call.out.document("graph", drawing.graph_value(drawn))
    draw = {"text": drawing.tree, "mermaid": drawing.mermaid, "dot": drawing.dot}[form]
    for line in draw(drawn, migrations=migrations_too):
        call.out.line(line)
    return 0


def _owners(call: Call, form: str) -> int:
    from bgce_migrate.report import ownership

    owners = ownership.Owners.of(call.declarations.project.registry)
    call.out.document("graph-ownership", ownership.ownership_value(owners))
    draw = {"text": ownership.tree, "mermaid": ownership.mermaid, "dot": ownership.dot}[form]
    for line in draw(owners):
        call.out.line(line)
    return 0
