"""Rule pages taken apart, and files for the linter made of SQL texts."""

from __future__ import annotations

import inspect
import re
from collections.abc import Sequence
from dataclasses import dataclass

from bgce_migrate.lint import LintConfig, LintInput, Rule, check
from bgce_migrate.lint.facts.dispatch import read
from bgce_migrate.migration import Direction, Finding, MigrationId, Mode
from bgce_migrate.sqlfile import read_script, read_source

_FENCE = re.compile(r"^```sql (setup|bad|good)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Page:
    """A rule's docstring: its title, stated effect and SQL."""

    title: str
    text: str
    effect: str
    servers: tuple[int, ...]
    setup: tuple[str, ...]
    bad: tuple[str, ...]
    good: tuple[str, ...]


def page_of(rule: Rule) -> Page:
    """The page of a rule, from the docstring of its module."""
    module = inspect.getmodule(rule.check)
    text = inspect.cleandoc(module.__doc__ or "") if module else ""
    found: dict[str, list[str]] = {"setup": [], "bad": [], "good": []}
    for kind, sql in _FENCE.findall(text):
        found[kind].append(sql)
    effect = re.search(r"^effect: (.+)$", text, re.MULTILINE)
    servers = re.search(r"^servers: (.+)$", text, re.MULTILINE)
    majors = tuple(int(part) for part in servers[1].split(",")) if servers else (18, 16)
    return Page(
        text.split("\n", 1)[0],
        text,
        effect[1].strip() if effect else "",
        majors,
        tuple(found["setup"]),
        tuple(found["bad"]),
        tuple(found["good"]),
    )


def file(sql: str, version: int, *, judged: bool = True, domain: str = "shop", declared: bool = False, **more: object) -> LintInput:
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


def lint(
    judged: str | Sequence[str], *, setup: str | Sequence[str] = (), config: LintConfig | None = None, target: int = 16
) -> tuple[Finding, ...]:
    """Findings for new migrations on top of deployed ones."""
    past = (setup,) if isinstance(setup, str) else tuple(setup)
    new = (judged,) if isinstance(judged, str) else tuple(judged)
    files = [file(sql, number, judged=False) for number, sql in enumerate(past, 1)]
    files += [file(sql, number) for number, sql in enumerate(new, len(past) + 1)]
    return check(files, config or LintConfig(target=target))


def rules_of(findings: Sequence[Finding]) -> set[str]:
    """The rule ids of findings."""
    return {finding.rule for finding in findings}
