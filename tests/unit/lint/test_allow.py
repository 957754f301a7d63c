"""Waivers: what they silence, and what is wrong with them."""

from __future__ import annotations

import pytest

from bgce_migrate.lint import LintConfig, check, rule_ids
from bgce_migrate.lint.allow import waive
from bgce_migrate.migration import Severity
from tests.unit.lint.pages import file

PAST = file("CREATE TABLE t (id bigint PRIMARY KEY, a int);", 1, judged=False)
SQL = "ALTER TABLE t ALTER COLUMN a SET NOT NULL;"


def rules(sql: str, today: str = "2026-06-01") -> dict[str, int]:
    found = check([PAST, file(sql, 2)], LintConfig(target=16, today=today))
    return {finding.rule: finding.where.line or 0 for finding in found if finding.where}


def test_a_waiver_silences_its_rule_until_its_last_day() -> None:
    sql = f'-- bgce: allow set-not-null until 2026-06-01 reason="ten rows"\n{SQL}'
    assert rules(sql) == {}
    assert rules(sql, "2026-06-02") == {"set-not-null": 2, "allow-expired": 1}


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('allow set-not-null reason="for ever"', "allow-undated"),
        ('allow set-not-nul until 2027-01-01 reason="a slip"', "allow-unknown"),
        ('allow drop-table until 2027-01-01 reason="nothing is dropped"', "allow-unused"),
    ],
)
def test_waivers_that_silence_nothing_are_findings(line: str, found: str) -> None:
    assert rules(f"-- a file\n-- bgce: {line}\n{SQL}") == {"set-not-null": 3, found: 2}


def test_waivers_hold_for_findings_of_other_sources() -> None:
    item = file(f'-- bgce: allow git-edited until 2027-01-01 reason="a typo"\n{SQL}', 2)
    known = rule_ids() | {"git-edited"}
    plain = check([PAST, item], LintConfig(target=16))
    assert {f.rule for f in waive(plain, [PAST, item], "2026-06-01", known)} == {"set-not-null", "allow-unused"}


def test_waivers_of_locked_migrations_are_not_looked_at() -> None:
    old = file(f'-- bgce: allow set-not-null until 2020-01-01 reason="then"\n{SQL}', 2, judged=False)
    assert check([PAST, old], LintConfig(today="2026-06-01")) == ()


def test_severities_can_be_set_and_rules_switched_off() -> None:
    item = file(SQL, 2)
    softer = check([PAST, item], LintConfig(severities={"set-not-null": Severity.NOTE}))
    assert [f.severity for f in softer] == [Severity.NOTE]
    assert check([PAST, item], LintConfig(severities={"set-not-null": None})) == ()
