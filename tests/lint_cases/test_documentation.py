"""docs/reference/lint.md lists every rule of ours and says of every case what lint says."""

from __future__ import annotations

import ast
import re
import sys
from pathlib import Path

import pytest

from bgce_migrate.lint.ownership import OWNERSHIP_RULES
from bgce_migrate.linting.explaining import page_of, pages
from bgce_migrate.linting.pages import PAGES
from bgce_migrate.migration import Severity
from tests.lint_cases.evaluation import Evaluation, evaluations, findings

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "reference" / "lint.md").read_text(encoding="utf-8")


def test_lists_every_rule() -> None:
    for rule in OWNERSHIP_RULES:
        title = (sys.modules[rule.module].__doc__ or "").split("\n")[0].rstrip(".")
        assert f"| {rule.code} | `{rule.id}` | {rule.severity.value} | {title} |" in PAGE
    for name, (severity, page) in PAGES.items():
        assert f"| `{name}` | {severity} | {page.splitlines()[0].rstrip('.')} |" in PAGE


@pytest.mark.parametrize("case", list(evaluations()), ids=lambda c: c.number)
def test_says_what_lint_says(case: Evaluation, tmp_path: Path) -> None:
    row = next(line for line in PAGE.splitlines() if line.startswith(f"| {case.number} | `"))
    said = re.split(r"(?<!\\) \| ", row)[3]
    rules = [f.rule for f in findings(case, tmp_path) if f.severity is not Severity.NOTE]
    assert said == (", ".join(dict.fromkeys(rules)) or "-")


def test_every_rule_that_can_speak_has_a_page() -> None:
    """Rule ids that stand as constants in calls that make findings."""
    known = {page.rule for page in pages()}
    found: set[str] = set()
    for folder in ("config", "order", "sqlfile", "repository", "linting"):
        for path in (ROOT / "bgce_migrate" / folder).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and node.args and isinstance(node.args[0], ast.Constant):
                    name = getattr(node.func, "id", getattr(node.func, "attr", ""))
                    if name in ("Finding", "finding", "_finding", "note") and isinstance(node.args[0].value, str):
                        found.add(node.args[0].value)
    assert len(found) > 15
    assert found - known == set()
    assert page_of("style-LT01").source == "style"
