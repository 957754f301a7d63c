"""Verdicts -> findings."""

from __future__ import annotations

from collections.abc import Iterator

from bgce_migrate.errors import Where
from bgce_migrate.migration import Finding, Severity, SourceFile
from bgce_migrate.style.verdict import Verdict

NOT_CHECKED = "style-not-checked"


def not_installed() -> Finding:
    """Style was asked for, and sqlfluff is not there."""
    return Finding(
        NOT_CHECKED, Severity.NOTE, "not style-checked: sqlfluff is not installed", hint="pip install 'bgce-migrate[lint]'"
    )


def findings_of(source: SourceFile, verdict: Verdict) -> Iterator[Finding]:
    """The findings about one file."""
    if verdict.fault:
        if _is_sql(source.text):
            where = Where(source.path, verdict.line or None)
            yield Finding(NOT_CHECKED, Severity.NOTE, f"not style-checked: {verdict.fault}", where)
        return
    for remark in verdict.remarks:
        severity = Severity.NOTE if remark.weak else Severity.WARNING
        hint = f"{remark.name}: `sqlfluff fix --rules {remark.code}` may mend it; .sqlfluff or `-- noqa: {remark.code}` allows it"
        where = Where(source.path, remark.line, remark.column)
        yield Finding(f"style-{remark.code}", severity, remark.message, where, hint)


def _is_sql(text: str) -> bool:
    """Whether PostgreSQL's own grammar takes it."""
    from bgce_migrate.sqlparse import SqlSyntaxError, parse

    try:
        parse(text)
    except SqlSyntaxError:
        return False
    return True
