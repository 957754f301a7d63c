"""Statements that cross a border are caught by the rule that says it, with everything a person needs."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bgce_migrate.lint.ownership import OWNERSHIP_RULES
from bgce_migrate.migration import Severity
from tests.lint_cases.hostile import HOSTILE
from tests.lint_cases.scene import Judge, project


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    yield Judge(project(tmp_path_factory.mktemp("shop")))


def test_there_are_enough() -> None:
    assert len(HOSTILE) >= 80
    assert {rule for rule, _ in HOSTILE} == {rule.id for rule in OWNERSHIP_RULES} - {"hot-parent"}


@pytest.mark.parametrize(("rule", "sql"), HOSTILE, ids=[f"{r}-{n}" for n, (r, _) in enumerate(HOSTILE)])
def test_hostile(judge: Judge, rule: str, sql: str) -> None:
    found = [f for f in judge(sql) if f.severity is not Severity.NOTE]
    assert rule in {f.rule for f in found}, [(f.rule, f.message) for f in found]
    for finding in found:
        if finding.rule == rule:
            assert finding.message and finding.hint and finding.domain == "orders"
            assert finding.where is not None and finding.where.line is not None


def test_names_everybody(judge: Judge, tmp_path: Path) -> None:
    (found,) = [f for f in judge("ALTER TABLE billing.invoices ADD COLUMN z integer;") if f.rule == "foreign-change"]
    assert "orders" in found.message and "billing.invoices" in found.message
    assert "domain billing (team finance)" in found.message and "team finance" in (found.hint or "")
    (found,) = [f for f in judge("SELECT 1 FROM hr.staff;") if f.rule == "undeclared-read"]
    assert found.hint == 'write `requires = ["crm", "hr"]` in the domain.toml of orders'
