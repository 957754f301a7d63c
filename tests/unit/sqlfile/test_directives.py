"""The `-- bgce:` lines."""

from __future__ import annotations

import pytest

from bgce_migrate.errors import SqlFileError
from bgce_migrate.migration import Directives, Mode
from tests.unit.sqlfile.notation import script


def test_all_of_them_among_comments_and_blank_lines() -> None:
    found = script(
        """-- Licence
-- bgce: no-transaction
--bgce:requires cortex/2, postal/000003_create_posts

/* a /* nested */ comment */
-- bgce: requires ai/01
-- BGCE: irreversible reason="it's \\"gone\\""
-- bgce: phase contract
-- bgce: lock-timeout 2s
-- bgce: repeatable
-- bgce: done-when "select to_regclass('i') is not null"
-- bgce: row-security on
-- bgce: allow big-table until 2027-01-01 reason="agreed"
-- bgce: allow other reason="for ever"
SELECT 1"""
    ).directives
    assert found == Directives(
        no_transaction=True,
        requires=("cortex/000002", "postal/000003", "ai/000001"),
        irreversible='it\'s "gone"',
        phase="contract",
        lock_timeout="2s",
        repeatable=True,
        done_when="select to_regclass('i') is not null",
        row_security=True,
        allow=(("big-table", "2027-01-01", "agreed"), ("other", "", "for ever")),
    )


@pytest.mark.parametrize(
    "line",
    [
        "frobnicate",
        "no-transaction please",
        "requires",
        "requires cortex",
        "requires cortex/x",
        "irreversible",
        "irreversible reason=gone",
        'irreversible reason=" "',
        "phase later",
        "lock-timeout 0s",
        "lock-timeout soon",
        "done-when select 1",
        'done-when "drop table t"',
        'done-when "selec 1"',
        "row-security off",
        "opaque",
        "allow",
        'allow rule until tomorrow reason="x"',
        'allow rule until 2027-13-01 reason="x"',
        "allow rule until 2027-01-01",
        "phase expand\n-- bgce: phase contract",
    ],
)
@pytest.mark.parametrize("declared", [True, False])
def test_mistakes_are_refused_with_their_line(line: str, declared: bool) -> None:
    with pytest.raises(SqlFileError) as caught:
        script(f"-- bgce: {line}\nSELECT 1", declared=declared)
    assert caught.value.where is not None
    assert caught.value.where.line in (1, 2)


def test_all_mistakes_at_once_also_below_the_first_statement() -> None:
    with pytest.raises(SqlFileError) as caught:
        script("-- bgce: frob\n-- bgce: phase x\nSELECT 1; -- bgce: repeatable\n-- bgce: phase expand\n")
    assert [p.where.line for p in caught.value.problems if p.where] == [1, 2, 3, 4]


def test_the_same_words_in_a_string_are_no_directive() -> None:
    assert script("SELECT '\n-- bgce: frob\n', $$\n-- bgce: x\n$$").mode is Mode.TRANSACTION


@pytest.mark.parametrize(
    "text",
    [
        "FROB; ROLLBACK; SET ROLE beta_owner; DELETE FROM diary; COMMIT",
        "/* /* x */ y */ rollback",
        "FROB;--x\n Reset  Role",
        "SET LOCAL SESSION AUTHORIZATION beta",
        "SELECT 1; prepare transaction 'x'",
        "FROB THE 'server; COMMIT",
    ],
)
def test_opaque_text_may_not_leave_the_transaction_or_the_role(text: str) -> None:
    with pytest.raises(SqlFileError, match="an opaque file may not say"):
        script(f'-- bgce: opaque reason="x"\n{text};')


def test_opaque_text_may_say_it_in_a_body_and_use_savepoints() -> None:
    body = "CREATE FROB f AS $$ BEGIN PERFORM 1; END $$; SAVEPOINT s; ROLLBACK TO s; SELECT 'a;commit;'"
    assert script(f'-- bgce: opaque reason="x"\n{body}').mode is Mode.OPAQUE


def test_opaque_text_is_not_parsed() -> None:
    found = script("-- bgce: opaque reason=\"a fork's syntax\"\n\nFROB THE 'server;\n")
    assert found.mode is Mode.OPAQUE
    (statement,) = found.statements
    assert (statement.text, statement.line) == ("FROB THE 'server;", 3)
    assert [e.action.value for e in found.effects] == ["opaque"]
