"""What statements make, change and use: tables of SQL and effects, and what the tables do not show."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgce_migrate.effect import Action

from .notation import effects, script, spell

CASES = [
    pytest.param(*case.split("\n----\n"), id=f"{file.stem}-{number}")
    for file in sorted((Path(__file__).parent / "cases").glob("*.txt"))
    for number, case in enumerate(file.read_text(encoding="utf-8").split("====\n"))
]


@pytest.mark.parametrize(("sql", "expected"), CASES)
def test_effects_of(sql: str, expected: str) -> None:
    assert [line.rstrip() for line in effects(sql, declared=False)] == expected.splitlines()


def lines(sql: str) -> list[tuple[str, int]]:
    return [(spell(effect), effect.line) for effect in script(sql, declared=False).effects]


def test_lines_are_those_of_the_names() -> None:
    assert lines(
        "-- é\n\nCREATE TABLE a (\n  id int,\n  b int REFERENCES\n    é (id)\n);\nDROP TABLE c;"
    ) == [
        ("make relation public.a", 3),
        ("make column public.a.id", 4),
        ("make column public.a.b", 5),
        ("use relation é", 6),
        ("use column é.id", 6),
        ("use key é(id)", 6),
        ("drop relation c", 8),
    ]


def test_lines_inside_bodies() -> None:
    sql = """SELECT 1;
CREATE FUNCTION f() RETURNS int
LANGUAGE sql AS $$
  SELECT *
  FROM a;
  SELECT 1
  FROM b
$$;
DO $do$
DECLARE
  n t.c%TYPE;
BEGIN
  UPDATE x
  SET y = 1;
  EXECUTE 'DROP TABLE z';
  EXECUTE 'DROP TABLE ' || n;
END $do$;"""
    assert lines(sql) == [
        ("make function public.f", 2),
        ("~use relation a", 5),
        ("~use relation b", 7),
        ("use relation t", 11),
        ("use column t.c", 11),
        ("write relation x", 13),
        ("use column x.y", 14),
        ("drop relation z", 15),
        ("opaque function ", 16),
    ]


def test_effects_name_their_statement_kind_and_detail() -> None:
    found = script(
        "BEGIN; CREATE VIEW v AS SELECT * FROM a; CREATE INDEX i ON v (b); ALTER INDEX i RENAME TO j; COMMIT"
    ).effects
    assert [(spell(e), e.statement, e.detail, e.relation_kind) for e in found] == [
        ("use relation a", 0, "view", ""),
        ("make relation public.v", 0, "", "view"),
        ("use relation v", 1, "index", ""),
        ("use column v.b", 1, "index", ""),
        ("make relation public.i", 1, "", "index"),
        ("rename relation i > j", 2, "", "index"),
    ]


def test_details_say_how() -> None:
    sql = """CREATE TABLE t (a mytype DEFAULT f(), CHECK (g(a)), b int REFERENCES p, PRIMARY KEY (a));
CREATE FUNCTION h() RETURNS int LANGUAGE sql AS 'SELECT 1 FROM q';
INSERT INTO w (c) VALUES (1)"""
    assert [(spell(e), e.detail) for e in script(sql).effects if e.action in (Action.USE, Action.WRITE)] == [
        ("use type mytype", "column type"),
        ("use function f", "default"),
        ("use function g", "check"),
        ("use relation p", "foreign key"),
        ("~use relation q", "body of function h"),
        ("write relation w", "insert"),
        ("use column w.c", "column of a write"),
    ]


@pytest.mark.parametrize(
    ("sql", "signature"),
    [
        (
            "CREATE FUNCTION f(a int, OUT b text, s.t[], VARIADIC c text[]) LANGUAGE c AS 'x'",
            "int4,t[],text[]",
        ),
        ("CREATE FUNCTION f() RETURNS TABLE (a int) LANGUAGE c AS 'x'", ""),
        ("DROP FUNCTION IF EXISTS f(integer, s.t[])", "int4,t[]"),
        ("DROP FUNCTION f()", ""),
        ("DROP FUNCTION f", None),
        ("DROP PROCEDURE f(a int)", "int4"),
        ("DROP TABLE f", None),
    ],
)
def test_functions_made_and_dropped_tell_their_arguments(sql: str, signature: str | None) -> None:
    (effect,) = (e for e in script(sql).effects if e.action in (Action.MAKE, Action.DROP))
    assert effect.signature == signature


@pytest.mark.parametrize(
    ("sql", "path"),
    [
        ("SELECT * FROM t", ("wallet", "public")),
        ('SET search_path TO a, "$user", b; SELECT * FROM t', ("a", "b")),
        ("SET search_path = 'a'; RESET search_path; SELECT * FROM t", ("wallet", "public")),
        ("SELECT set_config('search_path', 'x, pg_catalog, \"Y\"', false); SELECT * FROM t", ("x", "Y")),
        ("SET LOCAL search_path = ''; SELECT * FROM t", ()),
    ],
)
def test_the_search_path_is_followed(sql: str, path: tuple[str, ...]) -> None:
    assert script(sql, schema="wallet").effects[-1].path == path


def test_a_functions_own_path_holds_for_its_body_only() -> None:
    sql = "CREATE FUNCTION f() RETURNS int LANGUAGE sql SET search_path = x AS 'SELECT FROM a'; SELECT FROM b"
    assert [(spell(e), e.path) for e in script(sql).effects[1:]] == [
        ("~use relation a", ("x",)),
        ("use relation b", ("public",)),
    ]


def test_new_names_go_where_the_domain_lives() -> None:
    assert effects("CREATE TABLE t (id int); CREATE INDEX ON t (id)", schema="wallet") == [
        "use schema wallet",
        "make relation wallet.t",
        "make column wallet.t.id",
        "use relation t",
        "use column t.id",
        "make relation wallet.t_id_idx",
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT now(), count(*), pg_catalog.anything(1) FROM pg_class, information_schema.tables, pg_temp.t",
        "SELECT 1::int, 'a'::text, '{}'::jsonb[], 'x'::varchar(3)",
        "WITH t AS (SELECT 1), u AS (SELECT * FROM t) SELECT * FROM t, u",
        "CREATE TEMP TABLE t (id serial PRIMARY KEY, n text UNIQUE); INSERT INTO t SELECT 1; DROP TABLE t",
        "CREATE TEMP TABLE t AS SELECT 1; CREATE INDEX ON t (a); ALTER TABLE t ADD b int; TRUNCATE t",
        "CREATE TEMP VIEW t AS SELECT 1; SELECT a FROM t",
        "SELECT 1 INTO TEMP t; UPDATE t SET a = 1; ANALYZE t",
        "SELECT * FROM generate_series(1, 2) AS g (n), unnest(ARRAY[1]) u, (VALUES (1)) v (x)",
        "DO $$ DECLARE n int; BEGIN SELECT count(*) INTO n FROM pg_class; END $$",
    ],
)
def test_nothing_of_these_takes_part_in_the_order(sql: str) -> None:
    assert effects(sql, declared=False) == []


def test_a_temporary_name_hides_only_what_follows_it() -> None:
    sql = "SELECT * FROM t; CREATE TEMP TABLE t (a int); SELECT * FROM t; DROP TABLE t; DROP TABLE t"
    assert effects(sql) == ["use relation t", "drop relation t"]


def test_a_table_made_inside_a_function_is_not_made_by_the_file() -> None:
    body = "BEGIN CREATE TABLE x (); DROP TABLE y; SELECT 1 FROM x; END"
    sql = f"CREATE FUNCTION f() RETURNS void LANGUAGE plpgsql AS '{body}'"
    assert effects(f"{sql}; SELECT 1 FROM x") == [
        "make function public.f",
        "~use relation y",
        "use relation x",
    ]


@pytest.mark.parametrize(
    ("sql", "name"),
    [
        ("CREATE INDEX ON t (a, b)", "t_a_b_idx"),
        ("CREATE INDEX ON t (lower(a), (a || b), c)", "t_lower_expr_c_idx"),
        (
            "CREATE INDEX ON t (coalesce(a, 1), coalesce(b, 2), (c::text), (('x'::text)))",
            "t_coalesce_coalesce1_c_text_idx",
        ),
        (f"CREATE INDEX ON {'t' * 63} (a)", f"{'t' * 57}_a_idx"),
        (f"CREATE TABLE {'t' * 40} ({'c' * 40} serial)", f"{'t' * 29}_{'c' * 29}_seq"),
        ("CREATE TABLE t (a int GENERATED ALWAYS AS IDENTITY (SEQUENCE NAME own))", "own"),
        ("ALTER TABLE s.t ADD a bigserial", "t_a_seq"),
    ],
)
def test_names_that_the_server_chooses(sql: str, name: str) -> None:
    made = [
        e.object.name
        for e in script(sql).effects
        if e.action is Action.MAKE and e.relation_kind in ("index", "sequence")
    ]
    assert made == [name]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("EXECUTE 'DROP TABLE ' || 'a'", ["drop relation a"]),
        (
            "EXECUTE format('ALTER TABLE %I.%s ADD %1$I int', 'S', 't')",
            ["alter relation S.t", "make column S.t.S"],
        ),
        ("EXECUTE format('DROP TABLE %I', x)", ["opaque function "]),
        ("EXECUTE 'SELECT * FROM a WHERE b = $1' USING 1", ["use relation a", "~use column a.b"]),
        (
            "FOR r IN EXECUTE 'SELECT 1 FROM a' LOOP DROP TABLE b; END LOOP",
            ["use relation a", "?drop relation b"],
        ),
        ("EXECUTE 'DROP TABL a'", ["opaque function "]),
        ("EXECUTE 'DO ''BEGIN DROP TABLE a; END'''", ["drop relation a"]),
    ],
)
def test_execute_is_followed_where_it_is_constant(body: str, expected: list[str]) -> None:
    assert effects(f"DO $$ DECLARE r record; x text; BEGIN {body}; END $$") == expected


@pytest.mark.parametrize(
    ("sql", "detail"),
    [
        ("DO LANGUAGE plpython3u 'x'", "DO block in language plpython3u"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE plv8 AS 'x'", "body in language plv8"),
        ("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELEC 1'", "SQL in a body that cannot be read"),
        ("DO 'BEGIN FROB; END'", "body that cannot be read: syntax error"),
        ("DROP OWNED BY x", "DROP OWNED"),
        ("IMPORT FOREIGN SCHEMA a FROM SERVER b INTO c", "IMPORT FOREIGN SCHEMA"),
        ("SELECT " + "(SELECT " * 500 + "1" + ")" * 500, "nested too deeply"),
    ],
)
def test_what_cannot_be_seen_through_is_a_value(sql: str, detail: str) -> None:
    opaque = [e for e in script(sql).effects if e.action is Action.OPAQUE]
    assert [e.detail.startswith(detail) for e in opaque] == [True]


def test_long_expressions_are_read_without_recursion() -> None:
    sql = "SELECT " + "||".join(["f(a)"] * 3_000) + " FROM t" + " UNION ALL SELECT 1 FROM u" * 1_000
    assert set(effects(sql)) == {"use relation t", "use relation u", "use function f", "~use column t.a"}


def test_a_file_of_data_keeps_equal_effects_once() -> None:
    found = script(";\n".join(f"INSERT INTO t (a) VALUES ({n})" for n in range(6_000)))
    assert len(found.statements) == 6_000
    assert len(found.effects) < 5_100
