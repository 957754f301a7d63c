"""Statements, offsets and errors of the one parser."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgce_migrate.sqlparse import (
    Positions,
    SqlSyntaxError,
    fingerprint,
    parse,
    parse_nodes,
    scan,
    split,
)

PIECES = [
    "SELECT 1",
    "SELECT 'a;b'",
    "SELECT $$;$$",
    "SELECT $t$ $$ ; $$ $t$",
    "SELECT 'é ü 漢', $1",
    'SELECT ";" FROM "ä;"',
    "SELECT /* a /* ; nested */ ; */ 2",
    "SELECT E'\\';'",
    "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; SELECT 2; END",
    "CREATE FUNCTION g() RETURNS int LANGUAGE sql AS 'SELECT 1; SELECT ''é;'''",
    "CREATE RULE r AS ON INSERT TO t DO ALSO (DELETE FROM a; DELETE FROM b)",
    "DO $é$ BEGIN PERFORM 1; END $é$",
]
GAPS = ["", " ", "\n", " -- c; é\n", "/* ; */", "\t/* a /* é */ */ "]


@given(st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from(GAPS), st.sampled_from(GAPS)), max_size=8))
def test_statements_come_back_exactly_as_written(parts: list[tuple[str, str, str]]) -> None:
    text = "".join(f"{before}{piece}{after};" for piece, before, after in parts)
    assert list(split(text)) == [piece for piece, _, _ in parts]
    for found in parse(text):
        assert text[found.offset : found.offset + found.length] in PIECES
        assert len(text[: found.offset].encode()) == found.start


@pytest.mark.parametrize("end", ["", ";", ";;", " ; -- c", "\n-- c", " /* é */ "])
def test_the_last_statement_ends_with_its_last_token(end: str) -> None:
    assert split(f"SELECT 'é'{end}") == ("SELECT 'é'",)


def test_kinds_and_messages() -> None:
    table, view = parse("CREATE TABLE t (a int); CREATE VIEW v AS SELECT 1")
    assert (table.kind, table.node.relation.relname) == ("CreateStmt", "t")
    assert view.kind == "ViewStmt"
    assert [kind for kind, _, _ in parse_nodes("SELECT 1; VACUUM")] == ["SelectStmt", "VacuumStmt"]
    assert parse("-- nothing\n;") == ()


@pytest.mark.parametrize(
    ("sql", "message", "at"),
    [
        ("SELECT 'é' FORM t", 'syntax error at or near "t"', "t"),
        ("é CREATE TABL x", 'syntax error at or near "é"', "é"),
        ("SELECT 'é', 'abc", "unterminated quoted string", "'abc"),
        ("SELECT 'é' /* a /* b */", "unterminated /* comment", "/* a"),
        ("SELECT 'é', $x$ $$", "unterminated dollar-quoted string", "$x$"),
        ('SELECT "é", "abc', "unterminated quoted identifier", '"abc'),
        ("SELECT 'é' +", "syntax error at end of input", ""),
    ],
)
def test_errors_carry_the_servers_message_and_point_at_characters(sql: str, message: str, at: str) -> None:
    with pytest.raises(SqlSyntaxError) as caught:
        parse(sql)
    assert caught.value.message.startswith(message)
    assert sql[caught.value.offset :].startswith(at)
    assert caught.value.offset == (sql.rindex(at) if at else len(sql))


def test_a_message_does_not_repeat_the_rest_of_the_file() -> None:
    with pytest.raises(SqlSyntaxError) as caught:
        parse("SELECT 'open\n" + "x" * 100_000)
    assert len(caught.value.message) < 200


@pytest.mark.parametrize("operands", [60, 3_000])
def test_long_chains_parse(operands: int) -> None:
    assert len(parse("SELECT " + "||".join(["'a'"] * operands))) == 1


def test_what_would_break_the_parser_is_an_error() -> None:
    with pytest.raises(SqlSyntaxError, match="too deep"):
        parse("SELECT " + "+".join(["1"] * 40_000))
    assert len(parse("SELECT " + ",".join(["1"] * 40_000))) == 1


def test_scan_gives_characters_and_comments() -> None:
    tokens = scan("SELECT 'é' -- ü\n, \"Ä\"")
    assert [(t.text, t.offset, t.comment) for t in tokens] == [
        ("SELECT", 0, False),
        ("'é'", 7, False),
        ("-- ü", 11, True),
        (",", 16, False),
        ('"Ä"', 18, False),
    ]


def test_fingerprint_ignores_constants() -> None:
    assert fingerprint("SELECT 1 FROM t") == fingerprint("select 2 from T")
    assert fingerprint("SELECT 1 FROM t") != fingerprint("SELECT 1 FROM u")


@given(st.text(alphabet="aé漢\n ;", max_size=60), st.data())
def test_positions_agree_with_counting(text: str, data: st.DataObject) -> None:
    positions = Positions(text)
    for offset in sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=5))):
        position = len(text[:offset].encode())
        line = text.count("\n", 0, offset) + 1
        column = offset - (text.rfind("\n", 0, offset) + 1) + 1
        assert positions.char(position) == offset
        assert positions.line(position) == line
        assert positions.line_column(position) == (line, column)
        assert positions.line_column_of_char(offset) == (line, column)
