"""Downs: strict in declared domains, a state in plain folders."""

from __future__ import annotations

import pytest

from bgce_migrate.errors import SqlFileError
from bgce_migrate.migration import MigrationId
from bgce_migrate.sqlfile import read_down, read_source

ID = MigrationId("cortex", 3, "create_categories")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "there is no down file"),
        ("", "holds no statement"),
        ("-- later\n", "holds no statement"),
        ("DROP TABL t", 'syntax error at or near "TABL"'),
        ("-- bgce: frob\nDROP TABLE t", "unknown directive"),
        ("COPY t FROM STDIN;", "COPY"),
    ],
)
def test_plain_folders_have_the_state_no_down(text: str | None, reason: str) -> None:
    source = None if text is None else read_source("x.down.sql", text.encode())
    script, why = read_down(source, declared=False, migration=ID)
    assert script is None
    assert reason in why
    with pytest.raises(SqlFileError):
        read_down(source, declared=True, migration=ID)


@pytest.mark.parametrize("text", [None, "", "-- none\n"])
def test_irreversible_needs_no_down(text: str | None) -> None:
    source = None if text is None else read_source("x.down.sql", text.encode())
    assert read_down(source, declared=True, migration=ID, irreversible="gone") == (None, "gone")


@pytest.mark.parametrize("declared", [True, False])
def test_a_good_down(declared: bool) -> None:
    script, why = read_down(read_source("x.down.sql", b"DROP TABLE t"), declared=declared)
    assert script is not None
    assert (script.statements[0].text, why) == ("DROP TABLE t", "")


def test_the_strict_rules_hold_for_downs() -> None:
    source = read_source("x.down.sql", b"SET ROLE x")
    assert read_down(source, declared=False)[0] is not None
    with pytest.raises(SqlFileError, match="SET ROLE"):
        read_down(source, declared=True)


def test_a_missing_down_names_the_migration() -> None:
    with pytest.raises(SqlFileError, match="cortex/000003_create_categories") as caught:
        read_down(None, declared=True, migration=ID)
    assert "irreversible" in (caught.value.hint or "")
