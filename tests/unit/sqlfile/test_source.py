"""Bytes to text: what is normalised and what is refused."""

from __future__ import annotations

import hashlib

import pytest

from bgce_migrate.errors import SqlFileError
from bgce_migrate.sqlfile import MAX_BYTES, read_source


def test_bom_and_line_ends_are_normalised_and_the_hash_is_over_the_bytes() -> None:
    raw = b"\xef\xbb\xbfSELECT 1;\r\nSELECT '\r';\r\n"
    source = read_source("m/1_a.up.sql", raw)
    assert source.text == "SELECT 1;\nSELECT '\r';\n"
    assert source.sha256 == hashlib.sha256(raw).hexdigest()


@pytest.mark.parametrize(
    ("raw", "words", "place"),
    [
        (b"SELECT 1;\nSELECT \0;", "NUL byte at offset 17", "m.sql:2:8"),
        ("SELECT 1;\nSELECT 'ä'".encode("latin-1"), "invalid UTF-8: byte 0xe4 at offset 18", "m.sql:2:9"),
        (b"\xef\xbb\xbf\xff", "invalid UTF-8: byte 0xff at offset 3", "m.sql:1:1"),
        ("SELECT 1".encode("utf-16"), "UTF-16", "m.sql:1"),
        ("SELECT 1;\n-- ä \u202e x".encode(), "U+202E", "m.sql:2:6"),
        ("SELECT '\u2066'".encode(), "U+2066", "m.sql:1:9"),
    ],
)
def test_refused_with_the_place(raw: bytes, words: str, place: str) -> None:
    with pytest.raises(SqlFileError) as caught:
        read_source("m.sql", raw)
    assert words in caught.value.message
    assert str(caught.value.where) == place
    assert caught.value.hint
    assert caught.value.exit_code == 2


def test_the_limit() -> None:
    assert read_source("m.sql", b" " * MAX_BYTES).text
    with pytest.raises(SqlFileError, match="16"):
        read_source("m.sql", b" " * (MAX_BYTES + 1))


def test_marks_of_right_to_left_languages_are_fine() -> None:
    assert "\u200f" in read_source("m.sql", "SELECT 'שלום\u200f'".encode()).text
