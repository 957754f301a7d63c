"""Every ownership rule's page: its bad SQL is reported under that rule, its good SQL under none."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator

import pytest

from bgce_migrate.lint.ownership import OWNERSHIP_RULES
from bgce_migrate.lint.ownership.values import OwnershipRule
from tests.lint_cases.scene import TOML, Judge, project

OWNERSHIP = {rule.id for rule in OWNERSHIP_RULES}


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    yield Judge(project(tmp_path_factory.mktemp("shop"), {"bgce.toml": TOML + 'hot = ["crm:people"]\n'}))


@pytest.mark.parametrize("rule", OWNERSHIP_RULES, ids=lambda r: r.code)
def test_page(judge: Judge, rule: OwnershipRule) -> None:
    page = sys.modules[rule.module].__doc__ or ""
    assert page.split("\n", 2)[1] == "" and "\n## Why\n\n" in page and "\n## Instead\n\n" in page
    (bad,) = re.findall(r"```sql bad\n(.*?)```", page, re.DOTALL)
    (good,) = re.findall(r"```sql good\n(.*?)```", page, re.DOTALL)
    assert rule.id in judge.rules(bad)
    assert rule.id not in judge.rules(good)
    # A key inside CREATE TABLE to a busy table is no good example of anything else.
    assert judge.rules(good) & OWNERSHIP <= {"hot-parent"}


def test_codes_are_the_catalogue() -> None:
    assert [rule.code for rule in OWNERSHIP_RULES] == [f"X{n:02d}" for n in range(1, 35) if n != 33]
