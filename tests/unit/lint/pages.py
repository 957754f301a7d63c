"""Files for the linter made of SQL texts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from bgce_migrate.domain import ColumnClass
from bgce_migrate.lint import LintConfig, LintInput, NoDeclarations, check
from bgce_migrate.lint.facts.dispatch import read
from bgce_migrate.migration import Direction, Finding, MigrationId, Mode
from bgce_migrate.sqlfile import read_script, read_source


def file(
    sql: str,
    version: int,
    *,
    judged: bool = True,
    domain: str = "shop",
    declared: bool = False,
    **more: object,
) -> LintInput:
    """One migration of SQL."""
    source = read_source(f"migrations/{domain}/{version:06d}_x.up.sql", sql.encode())
    script = read_script(source, declared=False, direction=Direction.UP)
    return LintInput(
        MigrationId(domain, version),
        source.path,
        source.text,
        read(source.text),
        judged=judged,
        declared=declared,
        transactional=script.mode is not Mode.JOURNAL,
        directives=script.directives,
        **more,  # type: ignore[arg-type]
    )


class Declared(NoDeclarations):
    """One table with classes, for the pages that are about them."""

    def classes(self, table: str, schema: str | None = None) -> Mapping[str, ColumnClass] | None:
        return {"email": "contact", "nickname": "public"} if table == "customers" else None


def lint(
    judged: str | Sequence[str],
    *,
    setup: str | Sequence[str] = (),
    config: LintConfig | None = None,
    target: int = 16,
) -> tuple[Finding, ...]:
    """Findings for new migrations on top of deployed ones."""
    past = (setup,) if isinstance(setup, str) else tuple(setup)
    new = (judged,) if isinstance(judged, str) else tuple(judged)
    files = [file(sql, number, judged=False) for number, sql in enumerate(past, 1)]
    files += [file(sql, number) for number, sql in enumerate(new, len(past) + 1)]
    return check(files, config or LintConfig(target=target, declarations=Declared()))


def rules_of(findings: Sequence[Finding]) -> set[str]:
    """The rule ids of findings."""
    return {finding.rule for finding in findings}
