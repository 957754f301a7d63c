"""The checksum: blind to cosmetics, awake to everything else."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgce_migrate.errors import SqlFileError
from bgce_migrate.migration import SourceFile
from bgce_migrate.sqlfile import checksum, read_source

from .notation import script

TOKENS = [
    "-- bgce: phase expand\n",
    "CREATE", " TABLE", " Orders", " (", "id", " BIGINT", " DEFAULT", " 42", ",",
    " note", " text", " CHECK", " (", "note", " <>", " 'It''s; é'", ")", ")", ";",
    "CREATE", " FUNCTION", " f()", " RETURNS", " int", " LANGUAGE", " sql",
    " AS", " $Body$ SELECT 'X'; $Body$", ";",
    "COMMENT", " ON", " TABLE", ' "Orders"', " IS", " E'a\\'b'", ";",
]  # fmt: skip
CODE = TOKENS[1:]
ORIGINAL = "".join(TOKENS)


def of(text: str | bytes) -> str:
    raw = text.encode() if isinstance(text, str) else text
    return checksum(read_source("m.sql", raw))


def test_form() -> None:
    assert re.fullmatch(r"v1:[0-9a-f]{64}", of(ORIGINAL))
    assert script(ORIGINAL, declared=False).checksum == of(ORIGINAL)


FILLERS = ["", " ", "\n", "\t\n", " -- note; é\n", " /* a /* b */ */ ", "\r\n"]


@given(st.lists(st.tuples(st.sampled_from(FILLERS), st.booleans()), min_size=len(CODE), max_size=len(CODE)))
def test_blanks_comments_line_ends_and_the_case_of_words_do_not_matter(edits: list[tuple[str, bool]]) -> None:
    parts = [TOKENS[0]]
    for token, (filler, swap) in zip(CODE, edits, strict=True):
        quoted = any(quote in token for quote in "'\"$")
        parts += [filler, token.swapcase() if swap and not quoted else token]
    assert of("".join(parts)) == of(ORIGINAL)
    assert of(b"\xef\xbb\xbf" + "".join(parts).encode()) == of(ORIGINAL)


@given(st.sampled_from([t for t in CODE if t.strip().isalnum()]), st.sampled_from("123"))
def test_a_changed_word_or_number_matters(token: str, letter: str) -> None:
    assert of(ORIGINAL.replace(token, token + letter, 1)) != of(ORIGINAL)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("'It''s; é'", "'it''s; é'"),
        ("; é", "; è"),
        ('"Orders"', '"orders"'),
        ('"Orders"', "Orders"),
        ("SELECT 'X'", "SELECT  'X'"),
        ("SELECT 'X'", "select 'X'"),
        ("$Body$ SELECT", "$Body$ -- c\nSELECT"),
        ("phase expand", "phase contract"),
        ("-- bgce: phase expand\n", ""),
        ("-- bgce: phase expand\n", "-- bgce: phase expand\n-- bgce: requires a/1\n"),
        ("-- bgce: phase expand\n", "-- bgce: phase expand\n-- bgce: lock-timeout 3s\n"),
        ("<>", "="),
        ("42", "43"),
    ],
)
def test_what_changes_it(old: str, new: str) -> None:
    assert old in ORIGINAL
    assert of(ORIGINAL.replace(old, new)) != of(ORIGINAL)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (
            "-- bgce: requires a/1, b/2\nSELECT 1",
            "--bgce:requires b/000002\n-- x\n-- BGCE: requires a/01_make\nSELECT 1",
        ),
        (
            "-- bgce: phase expand\n-- bgce: repeatable\nSELECT 1",
            "-- bgce: repeatable\n-- bgce: phase  expand\nSELECT 1",
        ),
        ('-- bgce: allow x until 2027-01-01 reason="y"\nSELECT 1', "SELECT 1"),
    ],
)
def test_directives_enter_in_one_spelling_and_allow_not_at_all(one: str, other: str) -> None:
    assert of(one) == of(other)


def test_words_are_folded_as_the_server_folds_them() -> None:
    assert of("SELECT É") != of("SELECT é")
    assert of("SELECT Virtual, ENFORCED, Period") == of("select virtual, enforced, period")


def test_tokens_do_not_run_into_each_other() -> None:
    assert of("SELECT a b") != of("SELECT ab")
    assert of("SELECT 1, 2") != of("SELECT 1 2")


def test_stable_for_ever() -> None:
    """Recorded in users' lock files and histories: this value must never change."""
    text = "-- bgce: requires a/1\nCREATE TABLE T (\"Id\" int DEFAULT 1, n text CHECK (n <> 'É')); -- end\n"
    assert of(text) == "v1:5f6a043d833a6acbc47c0cfe22c37bcdb6a52fa539bff494786a1a475cfeefab"


def test_opaque_text_counts_as_it_is() -> None:
    head = '-- bgce: opaque reason="x"\n'
    assert of(head + "FROB 'a") != of(head + "frob 'a")
    assert of(head + "FROB 'a") == of(head + "\nFROB 'a\n")


def test_an_open_quote_is_told_where_it_opens() -> None:
    with pytest.raises(SqlFileError) as caught:
        checksum(SourceFile("m.sql", "SELECT 1;\n SELECT 'x", ""))
    assert str(caught.value.where) == "m.sql:2:9"
