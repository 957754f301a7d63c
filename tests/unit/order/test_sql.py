"""The order of real SQL files, read as the engine reads them."""

from __future__ import annotations

import pytest

from bgce_migrate.errors import Refused
from bgce_migrate.migration import Direction, MigrationId
from bgce_migrate.order import Candidate, LogEntry, Placement, Rules, place
from bgce_migrate.sqlfile import read_script, read_source


def candidate(short: str, sql: str) -> Candidate:
    """A candidate from the text of its up file."""
    identity = MigrationId.parse(short)
    assert identity
    path = f"migrations/{short}.up.sql"
    script = read_script(read_source(path, sql.encode()), declared=False, direction=Direction.UP)
    return Candidate(identity, script.effects, script.directives.requires, path)


def placed(files: dict[str, str], log: dict[str, str] | None = None, ranks: str = "abcd") -> str:
    """The order as `a1 b1`."""
    placement = placement_of(files, log, ranks)
    return " ".join(f"{m.domain}{m.version}" for m in placement.order)


def placement_of(files: dict[str, str], log: dict[str, str] | None = None, ranks: str = "abcd") -> Placement:
    entries = [LogEntry(c.id, c.effects) for c in (candidate(k, v) for k, v in (log or {}).items())]
    rules = Rules({domain: rank for rank, domain in enumerate(ranks)})
    return place(entries, [candidate(k, v) for k, v in files.items()], rules)


USERS = "CREATE TABLE users (id bigint PRIMARY KEY, name text);"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        pytest.param(
            {"a/1": "CREATE TABLE posts (author bigint REFERENCES users (id));", "b/1": USERS},
            "b1 a1",
            id="key",
        ),
        pytest.param({"a/1": "CREATE VIEW v AS SELECT name FROM users;", "b/1": USERS}, "b1 a1", id="view"),
        pytest.param(
            {
                "a/1": "CREATE TABLE t (id int); CREATE TRIGGER s BEFORE UPDATE ON t FOR EACH ROW EXECUTE FUNCTION f();",
                "b/1": "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RETURN new; END$$;",
            },
            "b1 a1",
            id="trigger function",
        ),
        pytest.param(
            {"a/1": "CREATE TABLE t (m mood);", "b/1": "CREATE TYPE mood AS ENUM ('x');"}, "b1 a1", id="enum"
        ),
        pytest.param(
            {"a/1": "DO $$ BEGIN PERFORM 1 FROM users; END $$;", "b/1": USERS}, "b1 a1", id="DO block"
        ),
        pytest.param(
            {"a/1": "CREATE TABLE t (id bigint DEFAULT nextval('s'));", "b/1": "CREATE SEQUENCE s;"},
            "b1 a1",
            id="sequence in a default",
        ),
        pytest.param(
            {
                "a/1": "CREATE VIEW v AS SELECT u.code FROM users u;",
                "b/1": USERS,
                "b/2": "ALTER TABLE users ADD COLUMN code text;",
            },
            "b1 b2 a1",
            id="column of a view",
        ),
        pytest.param(
            {
                "a/1": "CREATE TABLE p (c text REFERENCES users (code));",
                "b/1": "CREATE TABLE users (id bigint PRIMARY KEY, code text);",
                "b/2": "CREATE UNIQUE INDEX users_code ON users (code);",
            },
            "b1 b2 a1",
            id="unique index for a key",
        ),
        pytest.param(
            {"a/1": "CREATE TABLE s.t (id int);", "b/1": "CREATE SCHEMA s;"}, "b1 a1", id="schema of a table"
        ),
        pytest.param(
            {"a/1": "CREATE TABLE t (e citext);", "b/1": "CREATE EXTENSION IF NOT EXISTS citext;"},
            "b1 a1",
            id="type of an extension",
        ),
        pytest.param(
            {
                "a/1": "-- bgce: requires b/000001\nCREATE TABLE x (id int);",
                "b/1": "CREATE TABLE y (id int);",
            },
            "b1 a1",
            id="directive",
        ),
        pytest.param(
            {
                "a/1": "SET search_path = app, public; CREATE TABLE t (id int REFERENCES p (id));",
                "b/1": "CREATE SCHEMA app;",
                "c/1": "CREATE TABLE p (id int PRIMARY KEY);",
            },
            "b1 c1 a1",
            id="search path",
        ),
    ],
)
def test_order(files: dict[str, str], expected: str) -> None:
    assert placed(files) == expected


def test_an_early_audit_function_may_mention_late_tables() -> None:
    audit = (
        "CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN INSERT INTO posts_log SELECT * FROM posts; RETURN new; END $$;"
    )
    files = {
        "a/1": USERS + audit,
        "b/1": "CREATE TABLE posts (author bigint REFERENCES users (id)); CREATE TABLE posts_log (id int);",
    }
    placement = placement_of(files)
    assert [m.domain for m in placement.order] == ["a", "b"]
    assert {f.rule for f in placement.findings} == {"soft-order"}


def test_a_table_rebuilt_in_one_file() -> None:
    log = {"a/1": "CREATE TABLE messages_data (id bigint PRIMARY KEY);"}
    files = {
        "a/2": "ALTER TABLE messages_data RENAME TO old_data;"
        "CREATE TABLE messages_data (id bigint PRIMARY KEY, body text);"
        "INSERT INTO messages_data (id) SELECT id FROM old_data; DROP TABLE old_data;",
        "b/1": "CREATE INDEX messages_idx ON messages_data (id);",
        "c/1": "CREATE VIEW bodies AS SELECT m.body FROM messages_data m;",
    }
    # Both see the new table: an index on the old one would go with it.
    assert placed(files, log, "cba") == "a2 c1 b1"


def test_overloads_are_told_apart() -> None:
    log = {
        "a/1": "CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'select 1';"
        "CREATE FUNCTION f(text) RETURNS int LANGUAGE sql AS 'select 1';",
        "a/2": "DROP FUNCTION f(int);",
    }
    assert placed({"b/1": "SELECT f('x');"}, log) == "b1"
    with pytest.raises(Refused) as refused:
        placed({"b/1": "SELECT f('x');"}, {**log, "a/3": "DROP FUNCTION f(text);"})
    assert refused.value.message.endswith("which a/000003 dropped")


def test_computed_sql_is_a_finding() -> None:
    body = "DO $$ BEGIN EXECUTE 'DROP TABLE ' || current_user; END $$;"
    findings = placement_of({"a/1": body}).findings
    assert [f.rule for f in findings] == ["cannot-see-through"]


def test_problems_name_file_and_line() -> None:
    with pytest.raises(Refused) as refused:
        placed(
            {"b/1": "CREATE TABLE x (id int);\n\nSELECT 1\nFROM t;"},
            {"a/1": "CREATE TABLE t ();", "a/2": "DROP TABLE t;"},
        )
    assert str(refused.value.where) == "migrations/b/1.up.sql:4"


def test_keys_to_the_primary_key_and_to_another_in_one_statement_name_both_columns() -> None:
    users = "CREATE TABLE users (id bigint PRIMARY KEY, name text UNIQUE, other text);"
    keys = ["x bigint REFERENCES users", "y text REFERENCES users (name)"]
    for order in (keys, keys[::-1]):
        placement = placement_of({"b/1": f"CREATE TABLE posts ({', '.join(order)});"}, {"a/1": users})
        (use,) = placement.foreign[MigrationId("b", 1)]
        assert use.columns == ("id", "name")


@pytest.mark.parametrize(
    "use",
    [
        "CREATE TABLE c (x int DEFAULT f())",
        "CREATE TABLE c (x int CHECK (f() > x))",
        "CREATE VIEW v AS SELECT f() AS x",
        "CREATE FUNCTION g() RETURNS int LANGUAGE sql BEGIN ATOMIC SELECT f(); END",
    ],
)
@pytest.mark.parametrize(
    "away", ["DROP FUNCTION f();", "ALTER FUNCTION f() RENAME TO o; DROP FUNCTION o();",
             "ALTER FUNCTION f() RENAME TO o; ALTER FUNCTION o() RENAME TO p; DROP FUNCTION p();"]
)  # fmt: skip
def test_what_would_pin_a_function_follows_its_rebuild(use: str, away: str) -> None:
    function = "CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';"
    rebuild = f"{away} {function}"
    assert placed({"a/2": rebuild, "b/1": use}, {"a/1": function}, "ba") == "a2 b1"
    assert placed({"a/1": function, "a/2": rebuild, "b/1": use}, ranks="ba") == "a1 a2 b1"


T = "CREATE TABLE t (x int UNIQUE, y int);"


@pytest.mark.parametrize(
    ("held", "let_go", "goes"),
    [
        ("CREATE VIEW v AS SELECT x FROM t;", "DROP VIEW v;", "DROP TABLE t;"),
        ("CREATE VIEW v AS SELECT x FROM t;", "DROP VIEW v;", "ALTER TABLE t DROP COLUMN x;"),
        ("CREATE TABLE c (x int REFERENCES t (x));", "DROP TABLE c;", "DROP TABLE t;"),
        ("CREATE TABLE c (x int REFERENCES t (x));", "ALTER TABLE c DROP CONSTRAINT c_x_fkey;", "DROP TABLE t;"),
    ],
)
def test_what_rests_on_an_object_is_dropped_first_in_a_batch(held: str, let_go: str, goes: str) -> None:
    assert placed({"b/2": let_go, "a/2": goes}, {"a/1": T, "b/1": held}) == "b2 a2"
    assert placed({"b/1": held, "b/2": let_go, "a/2": goes}, {"a/1": T}) == "b1 b2 a2"


def test_drops_that_have_nothing_to_do_with_each_other_keep_the_order_of_ranks() -> None:
    log = {"a/1": T, "b/1": "CREATE TABLE c (x int);"}
    assert placed({"b/2": "DROP TABLE c;", "a/2": "DROP TABLE t;"}, log) == "a2 b2"
