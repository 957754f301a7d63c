"""Fixes: the text still parses, a second run changes nothing, and the same catalog comes out."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from bgce_migrate.lint import LintInput, Rule
from bgce_migrate.lint.catalog import Catalog, apply_all
from bgce_migrate.lint.facts.dispatch import read
from bgce_migrate.lint.fixes import apply_edits, fixed, parts_of
from bgce_migrate.lint.pages import page_of
from bgce_migrate.lint.rules import RULES
from bgce_migrate.migration import Edit, Finding
from tests.unit.lint.pages import file, lint, rules_of

FIXABLE = [rule for rule in RULES if rule.fixable]
#: What a fix is meant to change in the catalog.
MEANT = {
    "add-check": {"valid"},
    "add-foreign-key": {"valid"},
    "default-dropped-at-once": {"default"},
    "json-column": {"type"},
    "padded-char": {"type"},
    "small-primary-key": {"type", "identity", "default"},
    "timestamp-without-zone": {"type"},
}
#: SQL for rules whose page shows a case that only a person can mend.
OTHER = {"drop-cascade": "DROP VIEW order_totals CASCADE;"}


def plain(value: Any) -> Any:
    """A value with all values in it as dictionaries by field."""
    if isinstance(value, msgspec.Struct):
        return {name: plain(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def catalog_after(files: Sequence[LintInput], leave_out: set[str]) -> dict[str, Any]:
    catalog = Catalog()
    for item in files:
        catalog.begin(item.migration, item.schema)
        apply_all(catalog, item.facts)
    tables = {key: plain(table) for key, table in catalog.relations.items()}
    for table in tables.values():
        for column in table["columns"].values():
            for name in leave_out:
                column.pop(name, None)
        for constraint in table["constraints"].values():
            constraint.pop("fact")
            for name in leave_out:
                constraint.pop(name, None)
    return {"tables": tables, "indexes": {key: plain(index) for key, index in catalog.indexes.items()}}


def bad_sql(rule: Rule) -> str:
    return OTHER.get(rule.id) or page_of(rule).bad[0]


def of_rule(rule: Rule, findings: Sequence[Finding]) -> list[Finding]:
    return [finding for finding in findings if finding.rule == rule.id]


def test_there_are_at_least_twelve() -> None:
    assert len(FIXABLE) >= 12


@pytest.mark.parametrize("rule", FIXABLE, ids=lambda r: r.id)
def test_a_fix_mends_what_was_found_and_nothing_else(rule: Rule) -> None:
    page, sql = page_of(rule), bad_sql(rule)
    found = of_rule(rule, lint(sql, setup=page.setup))
    assert found and found[0].fix
    mended, done = fixed(sql, found)
    assert done and mended != sql
    read(mended)
    again = of_rule(rule, lint(mended, setup=page.setup))
    assert not again, mended
    assert fixed(mended, again)[0] == mended
    past = [file(text, number) for number, text in enumerate(page.setup, 1)]
    left_out = MEANT.get(rule.id, set())
    before = catalog_after([*past, file(sql, 9)], left_out)
    after = catalog_after([*past, file(mended, 9)], left_out)
    assert before == after


@pytest.mark.parametrize("rule", FIXABLE, ids=lambda r: r.id)
def test_a_fix_survives_comments_and_lower_case(rule: Rule) -> None:
    page = page_of(rule)
    header, _, body = bad_sql(rule).rpartition("-- bgce: phase contract\n")
    sql = f"{header}-- Überschrift\n/* BEGIN; */ {body.lower()}"
    found = of_rule(rule, lint(sql, setup=[text.lower() for text in page.setup]))
    mended, _ = fixed(sql, found)
    read(mended)
    assert rule.id not in rules_of(lint(mended, setup=[text.lower() for text in page.setup]))


def test_nothing_inside_a_do_block_is_fixed() -> None:
    found = lint("DO $$ BEGIN CREATE TABLE t (id bigint PRIMARY KEY, a timestamp); END $$;")
    assert [f.fix for f in found if f.rule == "timestamp-without-zone"] == [()]


def test_a_proof_is_moved_into_a_statement_of_its_own() -> None:
    sql = (
        "ALTER TABLE ONLY public.t ALTER x SET NOT NULL, DROP CONSTRAINT x_nn, ADD COLUMN y numeric(3, 2);\n"
    )
    setup = "CREATE TABLE t (id bigint PRIMARY KEY, x int, CONSTRAINT x_nn CHECK (x IS NOT NULL));"
    mended, _ = fixed(sql, [f for f in lint(sql, setup=setup) if f.rule == "not-null-proof-dropped"])
    assert mended == (
        "ALTER TABLE ONLY public.t ALTER x SET NOT NULL, ADD COLUMN y numeric(3, 2);\n"
        "ALTER TABLE ONLY public.t DROP CONSTRAINT x_nn;\n"
    )


def test_words_in_comments_and_strings_are_left_alone() -> None:
    sql = "CREATE /* INDEX */ INDEX i ON t ((a || 'INDEX'));"
    mended, _ = fixed(
        sql, [f for f in lint(sql, setup="CREATE TABLE t (a text);") if f.rule == "index-not-concurrent"]
    )
    assert mended == "-- bgce: no-transaction\nCREATE /* INDEX */ INDEX CONCURRENTLY i ON t ((a || 'INDEX'));"


def test_edits_that_overlap_are_made_once() -> None:
    assert apply_edits("abcdef", [Edit(1, 2, "X"), Edit(2, 2, "Y"), Edit(5, 1, "")]) == "aXde"
    assert apply_edits("ab", [Edit(0, 0, "-"), Edit(0, 0, "-"), Edit(2, 0, ".")]) == "-ab."


def test_parts_are_cut_at_commas_outside_of_brackets() -> None:
    text = "ALTER TABLE t ADD a numeric(1, 2) /* , */, DROP b , ADD CHECK (a IN (1, 2))"
    assert [text[a:b] for a, b in parts_of(text)][1:] == ["DROP b", "ADD CHECK (a IN (1, 2))"]


def test_fixes_of_one_statement_do_not_touch_each_other() -> None:
    sql = (
        "ALTER TABLE t ALTER x SET NOT NULL, DROP CONSTRAINT x_nn,"
        " ADD CONSTRAINT f FOREIGN KEY (x) REFERENCES t (id);"
    )
    setup = "CREATE TABLE t (id bigint PRIMARY KEY, x bigint, CONSTRAINT x_nn CHECK (x IS NOT NULL));"
    mended, done = fixed(sql, lint(sql, setup=setup))
    assert len(done) == 1
    read(mended)
    again, done = fixed(mended, lint(mended, setup=setup))
    assert len(done) == 1
    assert "NOT VALID" in again
    read(again)
