"""PL/pgSQL bodies taken apart."""

from __future__ import annotations

import pytest

from bgce_migrate.sqlparse import Body, SqlSyntaxError, read_body


def queries(body: Body) -> list[tuple[str, int, bool, bool]]:
    return [(" ".join(q.sql.split()), q.line, q.dynamic, q.guarded) for q in body.queries]


def test_statements_expressions_and_lines() -> None:
    body = read_body(
        """
        DECLARE n int := (SELECT count(*) FROM a);
        BEGIN
          n := n + f(1);
          UPDATE b SET c = n;
          IF n > 1 THEN
            DELETE FROM d;
          END IF;
          EXECUTE 'DROP TABLE ' || n;
          COMMIT;
        END""",
        returns="do",
    )
    assert queries(body) == [
        ("SELECT (SELECT count(*) FROM a)", 2, False, False),
        ("SELECT n + f(1)", 4, False, False),
        ("UPDATE b SET c = n", 5, False, False),
        ("SELECT n > 1", 6, False, False),
        ("DELETE FROM d", 7, False, True),
        ("SELECT 'DROP TABLE ' || n", 9, True, False),
    ]
    assert "n" in body.variables
    assert body.controls == (("commit", 10),)


def test_a_block_with_exceptions_is_guarded() -> None:
    body = read_body(
        "BEGIN CREATE TYPE e AS ENUM ('a'); EXCEPTION WHEN duplicate_object THEN DELETE FROM x; END",
        returns="do",
    )
    assert queries(body) == [
        ("CREATE TYPE e AS ENUM ('a')", 1, False, True),
        ("DELETE FROM x", 1, False, True),
    ]


def test_trigger_variables_are_known() -> None:
    text = """#variable_conflict use_column
BEGIN
  NEW.a := OLD.b; IF TG_OP = 'X' THEN RETURN NULL; END IF;
  RETURN NEW;
END;"""
    body = read_body(text, returns="trigger")
    assert queries(body)[:2] == [("SELECT OLD.b", 3, False, False), ("SELECT TG_OP = 'X'", 3, False, False)]
    assert {"new", "old"} <= body.variables
    assert queries(read_body("BEGIN PERFORM log(tg_tag); END", returns="event_trigger"))


@pytest.mark.parametrize(
    ("declaration", "types"),
    [
        ("x s.mytype", [("s.mytype", 1)]),
        ("x s.mytype[]", [("s.mytype[]", 1)]),
        ("x CONSTANT mytype := f()", [("mytype", 1)]),
        ("x t.c%TYPE", [("t.c%TYPE", 1)]),
        ('x s."T".c%type NOT NULL := 1', [('s."T".c%type', 1)]),
        ("x t%ROWTYPE", [("t%ROWTYPE", 1)]),
        ("x int", []),
        ("x varchar(3)", []),
        ("x CURSOR FOR SELECT 1", []),
        ("x record", []),
    ],
)
def test_declared_types_need_no_catalog(declaration: str, types: list[tuple[str, int]]) -> None:
    body = read_body(f"DECLARE {declaration}; BEGIN NULL; END")
    assert list(body.types) == types
    assert "x" in body.variables


def test_parameters_are_variables_under_both_names() -> None:
    body = read_body(
        "BEGIN a := 1; f.b := 2; RETURN NEXT; END",
        name="f",
        parameters=[("in", "a"), ("table", "b")],
        set_returning=True,
    )
    assert {"a", "b"} <= body.variables


@pytest.mark.parametrize(
    ("returns", "many", "parameters", "statement"),
    [
        ("int4", False, [], "RETURN 1"),
        ("void", False, [], "RETURN"),
        ("other", True, [], "RETURN QUERY SELECT 1"),
        ("", False, [("out", "a"), ("inout", "b")], "a := b"),
        ("procedure", False, [("inout", "b")], "COMMIT"),
    ],
)
def test_every_kind_of_result(
    returns: str, many: bool, parameters: list[tuple[str, str]], statement: str
) -> None:
    read_body(f"BEGIN {statement}; END", returns=returns, set_returning=many, parameters=parameters)


def test_a_broken_body_is_told() -> None:
    with pytest.raises(SqlSyntaxError, match="syntax error"):
        read_body("BEGIN FROB; END")
