"""Lint: facts of every file, a shadow catalog replayed from them, and rules that look at both."""

from __future__ import annotations

from collections.abc import Sequence

from bgce_migrate.lint.rule import Declarations, LintConfig, LintInput, NoDeclarations, Rule, State, WholeFile
from bgce_migrate.migration import Finding

__all__ = [
    "Declarations",
    "LintConfig",
    "LintInput",
    "NoDeclarations",
    "Rule",
    "State",
    "WholeFile",
    "check",
    "rule_ids",
]


def check(
    files: Sequence[LintInput], config: LintConfig | None = None, rules: Sequence[Rule] | None = None
) -> tuple[Finding, ...]:
    """Replay all files in the given order and judge those with `judged=True`.

    Args:
        rules: other rules than `lint.rules.RULES`.

    Returns:
        Findings by file (in the order given), line and column; with `config.today` after waivers.
    """
    from bgce_migrate.lint.allow import waive
    from bgce_migrate.lint.judge import judge
    from bgce_migrate.lint.weight import weighed

    config = config or LintConfig()
    if rules is None:
        from bgce_migrate.lint.rules import RULES

        rules = RULES
    found = weighed(judge(files, config, rules), config.severities)
    if not config.today:
        return found
    return waive(found, files, config.today, {rule.id for rule in rules} | rule_ids())


def rule_ids() -> frozenset[str]:
    """The ids of all rules of the linter and of waivers."""
    from bgce_migrate.lint import allow
    from bgce_migrate.lint.rules import RULES

    return frozenset(rule.id for rule in RULES) | frozenset(allow.RULES)
