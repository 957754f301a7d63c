"""`explain`: the page of a rule."""

from __future__ import annotations

import click
from msgspec.structs import asdict

from bgce_migrate.commands.call import Call
from bgce_migrate.commands.options import command


@command("explain")
@click.argument("rule", required=False)
def explain(call: Call, rule: str | None) -> int:
    """Show what a rule of lint is about: why, and what to write instead. Without RULE, list all rules."""
    from bgce_migrate.linting.explaining import page_of, pages
    from bgce_migrate.report.table import Column

    if rule is None:
        listed = sorted(pages(), key=lambda p: (p.source, p.code or p.rule))
        call.out.document("explain", {"rules": [asdict(page) for page in listed]})
        columns = (Column("rule"), Column("code"), Column("severity", colours=True), Column("title"))
        call.out.table(columns, [(p.rule, p.code, p.severity, p.title) for p in listed])
        return 0
    page = page_of(rule)
    call.out.document("explain", {"rules": [asdict(page)]})
    code = f" ({page.code})" if page.code else ""
    fixable = ", fixable" if page.fixable else ""
    call.out.line(f"{page.rule}{code}, {page.severity}, {page.source}{fixable}: {page.title}")
    if page.text:
        call.out.line()
        call.out.line(page.text)
    return 0
