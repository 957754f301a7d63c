"""Statements, modes and refusals, in the strict rules and in those for plain folders."""

from __future__ import annotations

import pytest

from bgce_migrate.errors import SqlFileError
from bgce_migrate.migration import Mode, Severity

from .notation import script

T, J = Mode.TRANSACTION, Mode.JOURNAL


def texts(sql: str, *, declared: bool) -> list[str]:
    return [s.text for s in script(sql, declared=declared).statements]


def refusals(sql: str, *, declared: bool) -> list[str]:
    with pytest.raises(SqlFileError) as caught:
        script(sql, declared=declared)
    assert caught.value.exit_code == 2
    return [str(problem) for problem in caught.value.problems]


def test_statements_are_as_written_with_their_place() -> None:
    found = script("-- é\nCREATE TABLE t (n text DEFAULT 'é;'); /* é */ SELECT\n  2 -- end\n;\n")
    assert [(s.text, s.line, s.column, s.kind) for s in found.statements] == [
        ("CREATE TABLE t (n text DEFAULT 'é;')", 2, 1, "CreateStmt"),
        ("SELECT\n  2", 2, 47, "SelectStmt"),
    ]
    for statement in found.statements:
        assert found.source.text[statement.offset :].startswith(statement.text)


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize(
    ("sql", "kept"),
    [
        ("BEGIN; SELECT 1; COMMIT;", ["SELECT 1"]),
        ("begin work; SELECT 1; end transaction", ["SELECT 1"]),
        (
            "SET lock_timeout = '1s'; CREATE EXTENSION citext; BEGIN; SELECT 1; COMMIT",
            ["SET lock_timeout = '1s'", "CREATE EXTENSION citext", "SELECT 1"],
        ),
        (
            "BEGIN; SAVEPOINT a; SELECT 1; ROLLBACK TO a; RELEASE a; COMMIT",
            ["SAVEPOINT a", "SELECT 1", "ROLLBACK TO a", "RELEASE a"],
        ),
    ],
)
def test_a_wrapper_is_taken_off(sql: str, kept: list[str], declared: bool) -> None:
    assert texts(sql, declared=declared) == kept
    assert script(sql, declared=declared).mode is T


@pytest.mark.parametrize(
    ("sql", "controls"),
    [
        ("SELECT 1; BEGIN; SELECT 2; COMMIT", ["", "begin", "", "commit"]),
        ("BEGIN; SELECT 1; COMMIT; SELECT 2", ["begin", "", "commit", ""]),
        ("BEGIN; SELECT 1; ROLLBACK", ["begin", "", "rollback"]),
        ("BEGIN; SELECT 1; COMMIT AND CHAIN; COMMIT", ["begin", "", "commit", "commit"]),
        ("BEGIN ISOLATION LEVEL SERIALIZABLE; SELECT 1; COMMIT", ["begin", "", "commit"]),
        ("COMMIT", ["commit"]),
    ],
)
def test_other_control_is_refused_or_journaled(sql: str, controls: list[str]) -> None:
    plain = script(sql, declared=False)
    assert plain.mode is J
    assert [s.control for s in plain.statements] == controls
    assert len(refusals(sql, declared=True)) == sum(map(bool, controls))


def test_plain_folders_may_start_and_leave_open() -> None:
    assert texts("START TRANSACTION; SELECT 1; COMMIT", declared=False) == ["SELECT 1"]
    opened = script("BEGIN; SELECT 1", declared=False)
    assert (opened.mode, [n.rule for n in opened.notes]) == (T, ["open-transaction"])
    assert len(refusals("START TRANSACTION; SELECT 1; COMMIT", declared=True)) == 2


def test_everything_refused_is_told_at_once_with_its_place() -> None:
    sql = """SET ROLE x;
RESET ROLE; SET SESSION AUTHORIZATION y;
SET LOCAL role = z;
RESET ALL;
DISCARD ALL;
SET CONSTRAINTS ALL DEFERRED;
SET CONSTRAINTS ALL IMMEDIATE;
SELECT 1, pg_catalog.set_config('ro' || 'le', 'x', true);
SELECT (SELECT set_config('session_authorization', 'x', false));
UPDATE pg_settings SET setting = 'x' WHERE name = 'role';
COPY t FROM STDIN;
COPY t TO STDOUT;
DO $$ BEGIN
  SET ROLE x;
  EXECUTE 'reset role';
  COMMIT;
END $$;
CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS '
BEGIN PERFORM set_config(''role'', ''x'', true); END';
CREATE FUNCTION g() RETURNS int LANGUAGE sql SET role = x AS 'SELECT 1';
COMMIT;
PREPARE TRANSACTION 'x'"""
    places = [line.split(" ")[0] for line in refusals(sql, declared=True)]
    lines = [int(place.split(":")[1]) for place in places]
    assert lines == [1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 14, 15, 16, 19, 20, 21, 22]
    assert places[:3] == ["m/000001_x.up.sql:1:1:", "m/000001_x.up.sql:2:1:", "m/000001_x.up.sql:2:13:"]
    plain = [int(line.split(":")[1]) for line in refusals(sql, declared=False)]
    assert plain == [5, 7, 11, 12, 22]


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize(
    "sql",
    [
        "SET CONSTRAINTS a, b IMMEDIATE",
        "LISTEN x",
        "SET LOCAL work_mem = '1GB'",
        "RESET work_mem",
        "SELECT set_config('search_path', '', false)",
        "COPY t FROM '/tmp/x'",
        "SELECT 'SET ROLE x', $$\\restrict$$, E'\\\\copy'",
        "CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS 'BEGIN COMMIT; END'",
    ],
)
def test_harmless(sql: str, declared: bool) -> None:
    assert script(sql, declared=declared).mode is T


@pytest.mark.parametrize("declared", [True, False])
def test_psql_commands_and_copy_data(declared: bool) -> None:
    dump = (
        "\\restrict abc\nCREATE TABLE t (a int, b text);\n"
        "COPY t (a, b) FROM stdin;\n1\tit's\n2\t\"open\n\\.\n"
        "\nSELECT 1 \\gset\n\\connect x\n\\unrestrict abc\n"
    )
    found = refusals(dump, declared=declared)
    assert [line.split(" ")[:2] for line in found] == [
        ["m/000001_x.up.sql:1:1:", "\\restrict"],
        ["m/000001_x.up.sql:3:1:", "COPY"],
        ["m/000001_x.up.sql:8:10:", "\\gset"],
        ["m/000001_x.up.sql:9:1:", "\\connect"],
        ["m/000001_x.up.sql:10:1:", "\\unrestrict"],
    ]


@pytest.mark.parametrize(
    ("sql", "place", "hint"),
    [
        ("CREATE TABLE é ();\nCREATE TABL x", "2:8", "opaque"),
        ("SELECT 'é';\n  SELECT 'abc", "2:10", "opens here"),
        ("SELECT 1;\n\n /* a /* b */", "3:2", "opens here"),
        ("SELECT\n $x$ $$", "2:2", "opens here"),
        ("SELECT 'é\u00a0';\nSELECT 1,\u00a0 + 1 FROM", "2:20", "U+00A0 (NO-BREAK SPACE) at 2:10"),
        ("CREATE\u200b TABLE t ()", "1:1", "U+200B"),
    ],
)
@pytest.mark.parametrize("declared", [True, False])
def test_syntax_errors(sql: str, place: str, hint: str, declared: bool) -> None:
    with pytest.raises(SqlFileError) as caught:
        script(sql, declared=declared)
    assert str(caught.value.where) == f"m/000001_x.up.sql:{place}"
    assert caught.value.hint is not None
    assert hint in caught.value.hint


@pytest.mark.parametrize(
    ("sql", "transactional", "tag"),
    [
        ("CREATE INDEX CONCURRENTLY i ON t (a)", False, "create_index_concurrently"),
        ("CREATE INDEX i ON t (a)", True, ""),
        ("DROP INDEX CONCURRENTLY i", False, "drop_index_concurrently"),
        ("REINDEX (CONCURRENTLY) TABLE t", False, "reindex_concurrently"),
        ("REINDEX INDEX CONCURRENTLY i", False, "reindex_concurrently"),
        ("REINDEX (CONCURRENTLY off) TABLE t", True, ""),
        ("REINDEX TABLE t", True, ""),
        ("REINDEX SCHEMA s", False, ""),
        ("REINDEX DATABASE d", False, ""),
        ("REINDEX SYSTEM d", False, ""),
        ("VACUUM t", False, "vacuum"),
        ("VACUUM ANALYZE t", False, "vacuum"),
        ("ANALYZE t", True, "analyze"),
        ("CREATE DATABASE d", False, ""),
        ("DROP DATABASE d", False, ""),
        ("ALTER DATABASE d SET TABLESPACE x", False, ""),
        ("ALTER DATABASE d SET work_mem = '1MB'", True, ""),
        ("CREATE TABLESPACE x LOCATION '/x'", False, ""),
        ("DROP TABLESPACE x", False, ""),
        ("ALTER SYSTEM SET work_mem = '1MB'", False, ""),
        ("ALTER TABLE t DETACH PARTITION p CONCURRENTLY", False, "detach_concurrently"),
        ("ALTER TABLE t DETACH PARTITION p", True, ""),
        ("ALTER TABLE t DETACH PARTITION p FINALIZE", True, ""),
        ("ALTER TABLE t VALIDATE CONSTRAINT c", True, "validate_constraint"),
        ("ALTER TABLE t VALIDATE CONSTRAINT c, ADD COLUMN a int", True, ""),
        ("CLUSTER", False, ""),
        ("CLUSTER t USING i", True, ""),
        ("ALTER TYPE e ADD VALUE 'x'", True, "add_enum_value"),
        ("ALTER TYPE e RENAME VALUE 'x' TO 'y'", True, ""),
        ("CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p", False, ""),
        ("CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (connect = false)", True, ""),
        ("CREATE SUBSCRIPTION s CONNECTION 'x' PUBLICATION p WITH (create_slot = off)", True, ""),
        ("ALTER SUBSCRIPTION s REFRESH PUBLICATION", False, ""),
        ("ALTER SUBSCRIPTION s SET PUBLICATION p WITH (refresh = false)", True, ""),
        ("ALTER SUBSCRIPTION s DISABLE", True, ""),
        ("DROP SUBSCRIPTION s", False, ""),
    ],
)
def test_what_runs_in_a_transaction(sql: str, transactional: bool, tag: str) -> None:
    found = script(sql)
    (statement,) = found.statements
    assert (statement.transactional, statement.tag) == (transactional, tag)
    assert found.mode is (T if transactional else J)


def test_both_kinds_in_one_file_are_a_finding() -> None:
    (note,) = script("CREATE TABLE t (a int);\nCREATE INDEX CONCURRENTLY i ON t (a)").notes
    assert (note.rule, note.severity, str(note.where)) == (
        "mixed-transaction",
        Severity.WARNING,
        "m/000001_x.up.sql:2",
    )
    assert not script("SET lock_timeout = '1s'; CREATE INDEX CONCURRENTLY i ON t (a)").notes


def test_no_transaction_is_obeyed() -> None:
    assert script("-- bgce: no-transaction\nSELECT 1").mode is J


def test_concurrently_if_not_exists() -> None:
    sql = "CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)"
    assert "IF NOT EXISTS" in refusals(sql, declared=True)[0]
    assert script(sql, declared=False).mode is J


def test_a_do_block_that_commits_runs_alone_in_plain_folders() -> None:
    found = script("DO $$ BEGIN UPDATE t SET a = 1; COMMIT; END $$", declared=False)
    assert (found.mode, found.statements[0].transactional) == (J, False)


def test_changes_to_roles_are_noted() -> None:
    assert [n.rule for n in script("ALTER ROLE x SET role = y; GRANT a TO b").notes] == ["role-change"] * 2


@pytest.mark.parametrize("text", ["", "\n\n", "-- nothing\n/* x */\n;;"])
def test_empty_files(text: str) -> None:
    assert script(text, declared=False).mode is Mode.EMPTY
    with pytest.raises(SqlFileError, match="no statement"):
        script(text, declared=True)


def test_line_ends_inside_bodies_are_the_same_for_everybody() -> None:
    unix = "CREATE FUNCTION f() RETURNS text LANGUAGE sql AS $$\nSELECT 'a\nb'\n$$;\n"
    dos = script(unix.replace("\n", "\r\n"))
    assert dos.statements == script(unix).statements
    assert dos.checksum == script(unix).checksum
    assert dos.source.sha256 != script(unix).source.sha256
