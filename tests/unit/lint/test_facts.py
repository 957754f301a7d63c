"""Facts: where they stand, what DO blocks hold, and that they can be stored."""

from __future__ import annotations

from pathlib import Path
from typing import Union

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgce_migrate.lint import facts as f
from bgce_migrate.lint.facts.dispatch import read
from tests.unit.lint.pages import lint

MIGRATIONS = Path(__file__).parents[3] / "migrations"
KINDS = tuple(
    kind
    for kind in vars(f).values()
    if isinstance(kind, type) and issubclass(kind, f.Fact) and kind not in (f.Fact, f.TableFact)
)


def test_facts_survive_being_stored() -> None:
    decoder = msgspec.msgpack.Decoder(tuple[Union[KINDS], ...])  # noqa: UP007 # a tuple of types
    for path in MIGRATIONS.rglob("*.sql"):
        found = read(path.read_text(encoding="utf-8"))
        assert decoder.decode(msgspec.msgpack.encode(found)) == found


@pytest.mark.parametrize(
    ("sql", "token"),
    [
        ("ALTER TABLE t\n  ALTER COLUMN größe SET NOT NULL;", "größe"),
        ('ALTER TABLE t ADD a int, ALTER "B" TYPE bigint;', '"B"'),
        ("SELECT 1;\nALTER TABLE t DROP CONSTRAINT c;", "c"),
        ("/* ä */ CREATE INDEX i ON public.t (a);", "public"),
    ],
)
def test_a_fact_stands_at_its_best_token(sql: str, token: str) -> None:
    at = read(sql)[-1].at
    line = sql.split("\n")[at.line - 1]
    assert line[at.column - 1 : at.end - 1] == token
    assert sql[at.offset : at.offset + at.length].startswith(("ALTER", "CREATE"))


def test_facts_of_a_do_block_have_their_own_lines() -> None:
    sql = "-- ä\nDO $x$\nDECLARE n int;\nBEGIN\n  IF true THEN\n    DROP TABLE a.b;\n  END IF;\n  EXECUTE 'TRUNCATE c';\nEND $x$;"
    found = [fact for fact in read(sql) if isinstance(fact, f.Drop | f.Truncate)]
    assert [(x.at.line, x.at.inside, x.at.guarded) for x in found] == [(6, "DO", True), (8, "DO", False)]


def test_a_computed_execute_is_told() -> None:
    do = next(fact for fact in read("DO $$ BEGIN\n EXECUTE 'DROP ' || 'TABLE t'; END $$;") if isinstance(fact, f.Do))
    assert do.dynamic == (2,)


SQL = (
    "ALTER TABLE t ADD COLUMN z int NOT NULL DEFAULT clock_timestamp();",
    "CREATE INDEX i ON t (a);",
    "ALTER TABLE t ALTER COLUMN a TYPE bigint;",
    "DROP TABLE t;",
)


@given(st.sampled_from(SQL), st.sampled_from(["", "-- c\n", "/* x; */ "]), st.booleans(), st.booleans())
def test_comments_case_and_quotes_change_no_verdict(sql: str, comment: str, lower: bool, quoted: bool) -> None:
    setup = "CREATE TABLE t (id bigint PRIMARY KEY, a int);"
    spelled = sql.lower() if lower else sql
    if quoted:
        spelled = spelled.replace(" t ", ' "t" ').replace(" t;", ' "t";')
    plain, other = lint(sql, setup=setup), lint(comment + spelled, setup=setup)
    assert [(x.rule, x.message) for x in plain] == [(x.rule, x.message) for x in other]
