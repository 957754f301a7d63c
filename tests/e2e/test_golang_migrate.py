"""Folders as golang-migrate's users have them run unchanged, on a role that owns nothing but its database."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from bgce_migrate.db.history import read_stored
from bgce_migrate.desk import Desk
from bgce_migrate.errors import ConfigError, Refused, SqlFileError, UsageError
from tests.e2e.desks import address, down, force, goto, no, require_done, states, up, version
from tests.e2e.scene import MakeDatabase, dump, make_owner, psql_file, query, up_files, write
from tests.servers import as_superuser

Tree = dict[str, str | bytes]
PAIR: Tree = {
    "000001_users.up.sql": "CREATE TABLE users (id int PRIMARY KEY);",
    "000001_users.down.sql": "DROP TABLE users;",
    "000002_email.up.sql": "ALTER TABLE users ADD COLUMN email text;\nCREATE INDEX users_email ON users (email);\n",
    "000002_email.down.sql": "ALTER TABLE users DROP COLUMN email;",
}

#: Flat folders that must end as psql leaves them, file by file.
FLAT: dict[str, Tree] = {
    "a pair": PAIR,
    "timestamps": {
        "20240101120000_a.up.sql": "CREATE TABLE a (id int)",
        "20240101120001_b.up.sql": "CREATE VIEW b AS SELECT * FROM a",
    },
    "unix seconds and nanoseconds": {
        "1700000000_a.up.sql": "CREATE TABLE a (id int)",
        "1700000000000000000_b.up.sql": "ALTER TABLE a ADD b int",
    },
    "no leading zeros": {
        "1_a.up.sql": "CREATE TABLE a (id int)",
        "2_b.up.sql": "ALTER TABLE a ADD two int",
        "10_c.up.sql": "ALTER TABLE a RENAME two TO ten",
        "0_z.up.sql": "CREATE TABLE zero ()",
    },
    "mixed widths": {
        "1_a.up.sql": "CREATE TABLE a (id int)",
        "0002_b.up.sql": "ALTER TABLE a ADD b int",
        "20200101000000_c.up.sql": "ALTER TABLE a ADD c int",
    },
    "odd slugs": {
        "1_.up.sql": "CREATE TABLE a (id int)",
        "2_Grüße an alle.up.sql": "CREATE TABLE b (id int)",
        "3_a.b-c.up.sql": "CREATE TABLE c (id int)",
        "4_up.down.up.sql": "CREATE TABLE d (id int)",
    },
    "own transaction": {
        "1_a.up.sql": "BEGIN;\nCREATE TABLE a (id int);\nCREATE TABLE b (id int);\nCOMMIT;\n",
        "2_b.up.sql": "begin transaction;\nalter table a add b int;\nend;",
        "3_c.up.sql": "-- words before\nSET statement_timeout = 0;\nSTART TRANSACTION;\nCREATE TABLE c ();\nCOMMIT",
    },
    "transactions in the middle": {
        "1_a.up.sql": "CREATE TABLE a (id int);\nBEGIN;\nINSERT INTO a VALUES (1);\nCOMMIT;\nCREATE TABLE b (id int);",
        "2_b.up.sql": "BEGIN;\nCREATE TABLE c (id int);\nCOMMIT;\nBEGIN;\nCREATE TABLE d (id int);\nCOMMIT;\n",
        "3_c.up.sql": "BEGIN;\nCREATE TABLE never (id int);\nROLLBACK;\nCREATE TABLE e (id int);",
    },
    "several statements": {
        "1_a.up.sql": (
            "CREATE TABLE a (id int); INSERT INTO a VALUES (1); UPDATE a SET id = 2;;\n"
            "CREATE FUNCTION f() RETURNS int LANGUAGE plpgsql AS $$ BEGIN RETURN 1; END; $$;\n"
            "DO $x$ BEGIN EXECUTE 'CREATE TABLE made (id int)'; END $x$;\n"
            "CREATE TYPE mood AS ENUM ('a;b', 'it''s'); -- ; a comment\n/* ; another */ SELECT 1;"
        ),
    },
    "CRLF": {
        "1_a.up.sql": b"CREATE TABLE a (\r\n  id int\r\n);\r\n\r\nCOMMENT ON TABLE a IS 'x';\r\n",
        "2_b.up.sql": b"BEGIN;\r\nALTER TABLE a ADD b int;\r\nCOMMIT;\r\n",
    },
    "BOM": {"1_a.up.sql": b"\xef\xbb\xbfCREATE TABLE a (id int);"},
    "empty files": {
        "1_a.up.sql": "CREATE TABLE a (id int)",
        "2_b.up.sql": "",
        "3_c.up.sql": "-- nothing to do here\n",
        "4_d.up.sql": " ;;\n",
        "5_e.up.sql": "CREATE TABLE e (id int)",
    },
    "index concurrently": {
        "1_a.up.sql": "CREATE TABLE a (id int)",
        "2_b.up.sql": "CREATE INDEX CONCURRENTLY a_id ON a (id);",
        "3_c.up.sql": "CREATE INDEX CONCURRENTLY IF NOT EXISTS a_id ON a (id)",
        "4_d.up.sql": "DROP INDEX CONCURRENTLY a_id",
    },
    "sets its search path": {
        "1_a.up.sql": "CREATE SCHEMA app; SET search_path TO app; CREATE TABLE a (id int);",
        "2_b.up.sql": "CREATE TABLE b (id int); ALTER TABLE app.a ADD b int;",
    },
    "emptied search path, as pg_dump writes it": {
        "1_a.up.sql": "SELECT pg_catalog.set_config('search_path', '', false);\nCREATE TABLE public.a (id int);",
        "2_b.up.sql": "CREATE TABLE b (id int)",
    },
    "quoted and schema-qualified names": {
        "1_a.up.sql": 'CREATE SCHEMA "My App"; CREATE TABLE "My App"."User" ("Id" int PRIMARY KEY);',
        "2_b.up.sql": 'CREATE TABLE "user" (id int REFERENCES "My App"."User" ("Id"));',
    },
    "made, dropped and remade": {
        "1_a.up.sql": "CREATE TABLE a (id int)",
        "2_b.up.sql": "DROP TABLE a",
        "3_c.up.sql": "CREATE TABLE a (id text)",
        "4_d.up.sql": "ALTER TABLE a RENAME TO b; ALTER TABLE b RENAME TO a;",
    },
}


@pytest.mark.parametrize("name", FLAT)
def test_flat_folder_ends_as_with_psql(name: str, make_database: MakeDatabase, tmp_path: Path) -> None:
    folder = write(tmp_path / "db", FLAT[name])
    ours, theirs = (make_owner(make_database()) for _ in range(2))
    for file in up_files(folder):
        assert psql_file(theirs, file).sqlstate is None
    report = require_done(up(folder, ours))
    assert len(report.steps) == len(FLAT[name]) - sum(n.endswith(".down.sql") for n in FLAT[name])
    assert dump(ours, data=True) == dump(theirs, data=True)
    assert up(folder, ours).result == "nothing_to_do"


@pytest.fixture
def url(database: str) -> str:
    """The address of an ordinary login that owns an empty database."""
    return make_owner(database)


def tables(url: str) -> set[str]:
    found = query(url, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
    return {str(row[0]) for row in found}


SERVICES: Tree = {
    "cortex/migrations/000001_users.up.sql": "CREATE TABLE users (id int PRIMARY KEY)",
    "cortex/migrations/000001_users.down.sql": "DROP TABLE users",
    "cortex/migrations/000002_name.up.sql": "ALTER TABLE users ADD name text",
    "cortex/migrations/000002_name.down.sql": "ALTER TABLE users DROP name",
    "billing/migrations/000001_invoices.up.sql": (
        "CREATE TABLE invoices (id int PRIMARY KEY, user_id int REFERENCES users, name text);\n"
        "CREATE VIEW who AS SELECT name FROM users"
    ),
    "billing/migrations/000001_invoices.down.sql": "DROP VIEW who; DROP TABLE invoices",
    "billing/README.md": "# not SQL",
    "cortex/migrations/000001_users.up.go": "package migrations",
    "cortex/migrations/seed.sql": "INSERT INTO users VALUES (1)",
    "cortex/migrations/.gitkeep": "",
    "cortex/migrations/embed.go": "package migrations",
    "cortex/migrations/000003_later.up.sql.bak": "nonsense (",
    "docs/000001_example.sql": "nonsense (",
    "Makefile": "up:",
}


def test_a_folder_for_each_service_is_ordered_across_services(url: str, tmp_path: Path) -> None:
    tree = write(tmp_path, SERVICES)
    report = require_done(up(tree, url))
    assert [s.id.short for s in report.steps] == ["cortex/000001", "cortex/000002", "billing/000001"]
    assert version(tree, url) == {"billing": 1, "cortex": 2}
    with pytest.raises(UsageError, match="2 domains: billing, cortex"):
        down(tree, url, count=1)
    with pytest.raises(Refused, match="others depend") as caught:
        down(tree, url, domain="cortex", count=2)
    assert "billing/000001" in caught.value.message
    require_done(down(tree, url, domain="cortex", count=2, cascade=True))
    assert tables(url) == set()


def test_foreign_files_are_named_once_and_never_run(url: str, tmp_path: Path) -> None:
    tree = write(tmp_path, SERVICES)
    messages = [note.message for note in Desk.load(tree, migrations=tree).notes]
    assert sum("seed.sql" in m for m in messages) == 1
    require_done(up(tree, url))
    assert query(url, "SELECT count(*) FROM users") == [(0,)]


def test_slugs_of_up_and_down_may_differ(url: str, tmp_path: Path) -> None:
    names = {"1_create.up.sql": "CREATE TABLE a ()", "1_drop.down.sql": "DROP TABLE a"}
    folder = write(tmp_path / "db", names)
    require_done(up(folder, url))
    require_done(down(folder, url, count=1))
    assert tables(url) == set()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "no down"),
        ("", "holds no statement"),
        ("-- irreversible\n", "holds no statement"),
        ("DROP TABEL a;", 'syntax error at or near "TABEL"'),
        ("\ufeff", "holds no statement"),
    ],
    ids=["missing", "empty", "comment", "syntax error", "BOM only"],
)
def test_a_down_that_is_none_stops_only_the_down(
    text: str | None, reason: str, url: str, tmp_path: Path
) -> None:
    files: Tree = {**PAIR, "000003_last.up.sql": "CREATE TABLE a ()"}
    folder = write(tmp_path / "db", files if text is None else {**files, "000003_last.down.sql": text})
    require_done(up(folder, url))
    before = dump(url)
    with pytest.raises(Refused, match="db/000003_last") as caught:
        down(folder, url, count=2)
    assert caught.value.hint
    assert dump(url) == before and version(folder, url) == {"db": 3}
    # The road golang-migrate's users know: clean up by hand, then say where it stands.
    query(url, "DROP TABLE a")
    assert [i.version for i in force(folder, url, None, 2)] == [3]
    require_done(down(folder, url, count=2))
    assert tables(url) == set()


def test_a_down_without_an_up_is_left_aside_with_a_line(url: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "db", {**PAIR, "000007_gone.down.sql": "DROP TABLE gone"})
    assert any("000007_gone.down.sql" in n.message for n in Desk.load(folder, migrations=folder).notes)
    assert len(require_done(up(folder, url)).steps) == 2


def test_goto_force_and_version(url: str, tmp_path: Path) -> None:
    files = {f"{n}_t.up.sql": f"CREATE TABLE t{n} ()" for n in range(1, 6)}
    files |= {f"{n}_t.down.sql": f"DROP TABLE t{n}" for n in range(1, 6)}
    folder = write(tmp_path / "db", files)
    assert version(folder, url) == {"db": None}
    require_done(up(folder, url, limit=2))
    assert version(folder, url) == {"db": 2}
    require_done(goto(folder, url, None, 4))
    assert tables(url) == {"t1", "t2", "t3", "t4"}
    require_done(goto(folder, url, "db", 1))
    assert tables(url) == {"t1"} and version(folder, url) == {"db": 1}
    with pytest.raises(UsageError, match="no version 9"):
        goto(folder, url, None, 9)
    query(url, "CREATE TABLE t2 ()")
    assert [i.short for i in force(folder, url, None, 2)] == ["db/000002"]
    require_done(up(folder, url))
    assert tables(url) == {f"t{n}" for n in range(1, 6)}
    require_done(goto(folder, url, None, 0))
    assert tables(url) == set() and version(folder, url) == {"db": None}


def test_a_lower_version_that_comes_late_is_run(url: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "db", {"1_a.up.sql": "CREATE TABLE a ()", "3_c.up.sql": "CREATE TABLE c ()"})
    require_done(up(folder, url))
    write(folder, {"2_b.up.sql": "CREATE TABLE b ()"})
    assert states(folder, url) == {"db/000001": "applied", "db/000002": "pending", "db/000003": "applied"}
    assert [s.id.version for s in require_done(up(folder, url)).steps] == [2]


def test_a_failing_file_leaves_nothing_and_runs_once_mended(url: str, tmp_path: Path) -> None:
    files = {**PAIR, "000003_bad.up.sql": "CREATE TABLE c ();\n\nINSERT INTO nowhere VALUES (1);\n"}
    folder = write(tmp_path / "db", files)
    report = up(folder, url)
    assert report.exit_code == 5 and report.failure is not None
    assert str(report.failure.where) == f"{folder}/000003_bad.up.sql:3:13"
    assert tables(url) == {"users"} and states(folder, url)["db/000003"] == "failed"
    write(folder, {"000003_bad.up.sql": "CREATE TABLE c ()"})
    require_done(up(folder, url))
    assert tables(url) == {"users", "c"}


def test_an_edited_file_is_refused_and_a_cosmetic_change_is_not(url: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "db", PAIR)
    require_done(up(folder, url))
    write(folder, {"000001_users.up.sql": b"-- now with a comment\r\ncreate table users (id int primary key);\r\n"})
    assert up(folder, url).result == "nothing_to_do"
    write(folder, {"000001_users.up.sql": "CREATE TABLE users (id bigint PRIMARY KEY);"})
    with pytest.raises(Refused, match="edited after it was applied"):
        up(folder, url)
    assert states(folder, url)["db/000001"] == "edited"


def test_two_files_of_one_version_are_refused_by_name(tmp_path: Path) -> None:
    folder = write(tmp_path / "db", {"1_a.up.sql": "SELECT 1", "01_b.up.sql": "SELECT 1"})
    with pytest.raises(ConfigError, match=r"two up files, 01_b\.up\.sql and 1_a\.up\.sql"):
        Desk.load(folder, migrations=folder)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (b"CREATE TABLE a (\x00);", "NUL"),
        ("CREATE TABLE ä ()".encode("latin-1"), "UTF-8"),
        ("CREATE TABLE a ()".encode("utf-16"), "UTF-16"),
        (b"CREATE TABLE a (;", "syntax error"),
        (b"CREATE TABLE a ();\n\\i other.sql\n", "psql"),
        (b"COPY a FROM STDIN;\n", "COPY"),
    ],
    ids=["NUL", "latin-1", "UTF-16", "syntax error", "meta-command", "COPY"],
)
def test_what_cannot_run_is_refused_before_anything_does(
    text: bytes, said: str, url: str, tmp_path: Path
) -> None:
    folder = write(tmp_path / "db", {**PAIR, "000009_bad.up.sql": text})
    with pytest.raises(SqlFileError, match=said) as caught:
        up(folder, url)
    places = [caught.value.where, *(p.where for p in caught.value.problems)]
    assert any(place is not None and place.file.endswith("000009_bad.up.sql") for place in places)
    assert tables(url) == set()


def test_losses_are_shown_before_data_goes(url: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "db", PAIR)
    require_done(up(folder, url))
    query(url, "INSERT INTO users VALUES (1, 'a@example.org')")
    with pytest.raises(Refused, match=r"lose data.*email"):
        down(folder, url, count=1, consent=no)
    require_done(down(folder, url, count=1))
    with pytest.raises(Refused, match=r"lose data.*users"):
        down(folder, url, count=1, consent=no)


def test_texts_are_kept_so_that_a_down_needs_no_files(url: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "db", PAIR)
    require_done(up(folder, url))
    (folder / "000002_email.up.sql").unlink()
    (folder / "000002_email.down.sql").unlink()
    assert states(folder, url)["db/000002"] == "missing"
    desk = Desk.load(folder, migrations=folder)
    with desk.open(address(folder, url)) as target:
        stored = {s.id.version: s for s in read_stored(target.control)}
    assert stored[2].down_sql == PAIR["000002_email.down.sql"]
    require_done(down(folder, url, count=1))
    assert query(url, "SELECT count(*) FROM pg_attribute WHERE attrelid = 'users'::regclass AND attnum > 0 AND NOT attisdropped") == [(1,)]


def test_a_role_that_may_not_create_schemas_is_told_what_to_do(database: str, tmp_path: Path) -> None:
    owner = make_owner(database)
    query(as_superuser(database), "CREATE ROLE guest LOGIN PASSWORD 'secret'")
    folder = write(tmp_path / "db", PAIR)
    guest = psycopg.conninfo.make_conninfo(owner, user="guest")
    with pytest.raises(Refused, match="guest cannot make the bookkeeping schema") as caught:
        up(folder, guest)
    assert "bootstrap" in (caught.value.hint or "")
