"""Every rule's page: it has all its parts, its bad SQL is reported and its good SQL is not."""

from __future__ import annotations

import re

import pytest

from bgce_migrate.lint import Rule
from bgce_migrate.lint.pages import page_of
from bgce_migrate.lint.rules import RULES
from tests.unit.lint.pages import lint, rules_of

EFFECT = re.compile(
    r"rewrite|index rebuild|none|error [0-9A-Z]{5}|scan under [A-Z ]+|lock [A-Z ]+ on [\w.]+|drops [\w.]+"
)


def target(rule: Rule) -> int:
    return max(rule.since, min(rule.until, 16), 14)


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.id)
def test_a_page_is_whole(rule: Rule) -> None:
    page = page_of(rule)
    assert page.title.endswith(".") and len(page.title) < 110
    assert page.why and page.instead
    assert EFFECT.fullmatch(page.effect), page.effect
    assert page.bad and page.good


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.id)
def test_the_bad_example_is_reported(rule: Rule) -> None:
    page = page_of(rule)
    for bad in page.bad:
        found = lint(bad, setup=page.setup, target=target(rule))
        assert rule.id in rules_of(found), [str(f) for f in found]


@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.id)
def test_the_good_example_is_not(rule: Rule) -> None:
    page = page_of(rule)
    found = lint(page.good, setup=page.setup, target=target(rule))
    assert rule.id not in rules_of(found), [f.message for f in found if f.rule == rule.id]


def test_ids_and_codes_are_unique() -> None:
    ids = [rule.id for rule in RULES]
    assert len(ids) == len(set(ids))
    assert all(re.fullmatch(r"[a-z][a-z0-9-]+", name) for name in ids)
    codes = [rule.code for rule in RULES if rule.code]
    assert len(codes) == len(set(codes))
