"""`graph`: the domains and what they need of each other."""

from __future__ import annotations

import click

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command, option


@command("graph")
@option("--format", "form", type=click.Choice(["text", "mermaid", "dot"]), default="text", scope="graph",
        help="text, mermaid (for Markdown) or dot (for Graphviz).")
@option("--migrations-too", is_flag=True, scope="graph", help="Draw every migration, not only domains.")
def graph(call: Call, form: str, migrations_too: bool) -> int:
    """Draw the domains and what the SQL of each needs of others. Needs no database."""  # fmt: skip
    from bgce_migrate.report import graph as drawing

    view = call.desk.plan(None, allow_unlocked=True)
    drawn = drawing.Graph.of(call.project.domains, view)
    call.out.document("graph", drawing.graph_value(drawn))
    draw = {"text": drawing.tree, "mermaid": drawing.mermaid, "dot": drawing.dot}[form]
    for line in draw(drawn, migrations=migrations_too):
        call.out.line(line)
    return 0
