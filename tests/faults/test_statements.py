"""Statements that fail, that try to end the step's transaction, or that leave something behind in the session."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from bgce_migrate.servers import Server
from tests.faults.conftest import build_site
from tests.faults.site import Site, only_guarded, only_plain
from tests.servers import DatabaseMaker
from tests.zygote import Finished, Zygote


def one_file(site: Site, up: str, *, more: str = "") -> Finished:
    """core/1 makes `base`, core/2 is the file in question, core/3 comes after it; the command that runs them."""
    site.domain("core", tables=["base", "made", "after"], more=more)
    site.write("core", 1, "CREATE TABLE base (id int PRIMARY KEY);", "DROP TABLE base;")
    site.write("core", 2, up)
    site.write("core", 3, "CREATE TABLE after (id int);", "DROP TABLE after;")
    site.bootstrap()
    return site.run("up")


def require_nothing_of_it(site: Site, done: Finished, code: int) -> None:
    assert done.code == code, done.stderr
    assert "made" not in site.tables() and "after" not in site.tables()
    if code == 5:
        assert site.applied() == ["core/1"]
        assert done.steps == {"core/1": "applied", "core/2": "failed", "core/3": "not_run"}
        # The failure is recorded too.
        assert site.value("SELECT count(*) FROM bgce_migrate.migration_history WHERE NOT success") == 1
        assert site.value("SELECT count(*) FROM bgce_migrate.guard") == 0


def test_error_in_the_last_statement(site: Site) -> None:
    """F45: nothing of the file stands; line and column of the file."""
    done = one_file(site, "CREATE TABLE made (id int);\n\nINSERT INTO made (id,\n  no_such) VALUES (1, 2);")
    require_nothing_of_it(site, done, 5)
    assert "000002_step.up.sql:4:3" in done.stderr
    assert "earlier steps stand" in done.stderr and "bgce-migrate up" in done.stderr


ENDS = (
    "COMMIT", "END", "COMMIT AND CHAIN", "COMMIT; BEGIN", "ABORT", "ROLLBACK AND CHAIN", "rollback", "END TRANSACTION",
    "/* no */ CoMmIt /* really */ WORK", "COMMIT -- and on\n", "PREPARE TRANSACTION 'x'", "ROLLBACK PREPARED 'x'",
)  # fmt: skip


@pytest.mark.postgres(18)
@pytest.mark.parametrize("end", ENDS)
def test_transaction_control_in_a_declared_file(guarded: Site, end: str) -> None:
    """F46, P2: twelve ways to end the transaction: exit 2 with file and line, before anything runs."""
    done = one_file(guarded, f"CREATE TABLE made (id int);\n{end};\nSELECT 1;")
    require_nothing_of_it(guarded, done, 2)
    assert "000002_step.up.sql:2" in done.stderr
    assert guarded.tables() == set()


@only_guarded
def test_commit_in_a_procedure(site: Site) -> None:
    """F47: refused by the server (2D000), exit 5, nothing stands."""
    make = "CREATE PROCEDURE p() LANGUAGE plpgsql AS $$ BEGIN COMMIT; END $$"
    done = one_file(site, f"CREATE TABLE made (id int);\n{make};\nCALL p();")
    require_nothing_of_it(site, done, 5)
    assert "2D000" in done.stderr


def test_commit_in_a_block(site: Site) -> None:
    """F47: a declared file is refused (exit 2); an undeclared one runs statement by statement, each recorded."""
    done = one_file(site, "CREATE TABLE made (id int);\nDO $$ BEGIN COMMIT; END $$;\nINSERT INTO made VALUES (1);")
    if site.layout == "guarded":
        require_nothing_of_it(site, done, 2)
        return
    assert done.code == 0, done.stderr
    assert site.value("SELECT count(*) FROM bgce_migrate.journal WHERE closed AND done_at IS NOT NULL") == 3


@only_guarded
def test_new_enum_value_used_at_once(site: Site) -> None:
    """F53, P10: 55P04, exit 5, with the hint to split the file."""
    site.domain("core", tables=["base", "made", "after"])
    site.write("core", 1, "CREATE TYPE mood AS ENUM ('good');\nCREATE TABLE base (m mood);", "DROP TABLE base;")
    site.bootstrap()
    assert site.run("up").code == 0
    site.write("core", 2, "ALTER TYPE mood ADD VALUE 'bad';\nINSERT INTO base VALUES ('bad');")
    done = site.run("up")
    assert done.code == 5, done.stderr
    assert "55P04" in done.stderr and "split the file" in done.stderr
    assert site.value("SELECT count(*) FROM pg_enum WHERE enumlabel = 'bad'") == 0


@only_plain
def test_event_trigger(site: Site) -> None:
    """F55: an event trigger that refuses DDL: exit 5, naming its function."""
    site.query(
        "CREATE FUNCTION no_ddl_today() RETURNS event_trigger LANGUAGE plpgsql AS $$ BEGIN"
        " IF tg_tag = 'CREATE TABLE' AND current_query() ~ '^CREATE TABLE made' THEN RAISE EXCEPTION 'no new tables today'; END IF; END $$"
    )
    site.query("CREATE EVENT TRIGGER guard_ddl ON ddl_command_start EXECUTE FUNCTION no_ddl_today()")
    done = one_file(site, "CREATE TABLE made (id int);")
    require_nothing_of_it(site, done, 5)
    assert "no new tables today" in done.message and "no_ddl_today" in done.stderr


@pytest.mark.postgres(18)
def test_missing_extension(guarded: Site) -> None:
    """F56: refused before the first step (exit 3), with what an administrator must run."""
    done = one_file(guarded, "CREATE EXTENSION pg_trgm;\nCREATE TABLE made (id int);")
    assert done.code == 3, done.stderr
    assert "pg_trgm" in done.message and "CREATE EXTENSION" in done.stderr
    assert guarded.tables() == set()


def test_autonomous_write_through_dblink(debian15: Server, zygote: Zygote, tmp_path: Path) -> None:
    """F57: what a function writes through dblink stays when the step is rolled back; the step itself does not."""
    maker = DatabaseMaker(debian15)
    try:
        site = build_site(debian15, maker, zygote, tmp_path / "site", "plain")
        site.query("CREATE EXTENSION dblink")
        site.query("CREATE TABLE outside (id int)")
        known = conninfo_to_dict(site.superuser)
        there = " ".join(f"{key}={known[key]}" for key in ("host", "port", "dbname", "user", "password"))
        site.query("GRANT EXECUTE ON FUNCTION dblink_connect_u(text, text) TO plain_login")
        body = (
            f"CREATE TABLE made (id int);\nSELECT dblink_connect_u('c', '{there}');\n"
            "SELECT dblink_exec('c', 'INSERT INTO outside VALUES (1)');\nSELECT 1/0;"
        )
        done = one_file(site, body)
        assert done.code == 5, done.stderr
        assert site.applied() == ["core/1"] and "made" not in site.tables()
        assert site.value("SELECT count(*) FROM outside") == 1
    finally:
        maker.clean()


def test_emptied_search_path(site: Site) -> None:
    """P12: a dump's first line does not reach the next file; nor our own statements."""
    done = one_file(
        site, "SELECT pg_catalog.set_config('search_path', '', false);\nCREATE TABLE public.made (id int);"
    )
    assert done.code == 0, done.stderr
    assert {"made", "after"} <= site.tables()
    assert site.value("SELECT nspname FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
                      " WHERE relname = 'after'") == "public"  # fmt: skip


SETTINGS = {
    "lock_timeout": "1ms",
    "statement_timeout": "1ms",
    "search_path": "pg_temp",
    "default_transaction_read_only": "on",
    "TimeZone": "Asia/Tokyo",
    "DateStyle": "German",
    "standard_conforming_strings": "off",
    "client_min_messages": "error",
    "idle_in_transaction_session_timeout": "1ms",
}


def test_session_values_do_not_reach_the_next_file(plain: Site) -> None:
    """P13: whatever a file sets, the next one begins as the first did, and our own part of its step does not feel it."""
    shown = "INSERT INTO seen SELECT name, setting FROM pg_settings WHERE name = ANY (ARRAY[" + ", ".join(
        f"'{name}'" for name in SETTINGS
    ) + "])"  # fmt: skip
    plain.write("core", 1, f"CREATE TABLE seen (name text, setting text);\n{shown};")
    plain.write("core", 2, "\n".join(f"SET {name} = '{value}';" for name, value in SETTINGS.items() if "timeout" not in name))
    plain.write("core", 3, f"{shown};")
    plain.write("core", 4, "\n".join(f"SET {name} = '1ms';" for name in SETTINGS if "timeout" in name))
    plain.write("core", 5, f"{shown};\nSELECT pg_sleep(0.05);")
    done = plain.run("up")
    assert done.code == 0, done.stderr
    rows = plain.query("SELECT name, count(DISTINCT setting), count(*) FROM seen GROUP BY name")
    assert {row[1:] for row in rows} == {(1, 3)} and len(rows) == len(SETTINGS), plain.query("SELECT * FROM seen")


def test_session_values_after_a_journaled_file(plain: Site) -> None:
    """P13: a file that runs statement by statement may set values too."""
    plain.write("core", 1, "CREATE TABLE base (id int);")
    plain.write(
        "core", 2,
        "-- bgce: no-transaction\nSET search_path = pg_catalog;\nSET statement_timeout = '10s';\n"
        "CREATE INDEX CONCURRENTLY base_id_idx ON public.base (id);",
    )  # fmt: skip
    plain.write("core", 3, "CREATE TABLE after (id int);")
    done = plain.run("up")
    assert done.code == 0, done.stderr
    assert plain.tables() == {"base", "after"}


@pytest.mark.postgres(18)
def test_set_role_in_a_file(guarded: Site) -> None:
    """P13: a declared file may not switch roles (exit 2)."""
    done = one_file(guarded, "SET ROLE postgres;\nCREATE TABLE made (id int);")
    require_nothing_of_it(guarded, done, 2)


@only_plain
def test_temporary_things_do_not_reach_the_next_file(site: Site) -> None:
    """P13: a temporary table of one file does not hide a table from the next."""
    site.domain("core", tables=["base", "made"])
    site.write("core", 1, "CREATE TABLE base (id int);", "DROP TABLE base;")
    site.write("core", 2, "CREATE TEMPORARY TABLE scratch (id int) ON COMMIT DROP;\nINSERT INTO scratch VALUES (1);")
    site.write("core", 3, "INSERT INTO base SELECT 1 WHERE to_regclass('scratch') IS NULL;")
    site.bootstrap()
    done = site.run("up")
    assert done.code == 0, done.stderr
    assert site.value("SELECT count(*) FROM base") == 1


def test_a_foreign_write_is_told_with_its_owner(guarded: Site) -> None:
    """R6 beside P: another domain's table is refused by the server, even from a DO block; nothing stands."""
    guarded.domain("core", tables=["base"])
    guarded.domain("shop", tables=["made"], requires=["core"])
    guarded.write("core", 1, "CREATE TABLE base (id int PRIMARY KEY);", "DROP TABLE base;")
    guarded.write("shop", 1, "CREATE TABLE made (id int);\nDO $$ BEGIN EXECUTE 'DROP TABLE ' || concat('ba', 'se'); END $$;", "DROP TABLE made;")
    guarded.bootstrap()
    done = guarded.run("up")
    assert done.code == 5, done.stderr
    assert guarded.tables() == {"base"}
    assert "must be owner" in done.message


@only_guarded
def test_index_concurrently_without_the_directive(site: Site) -> None:
    """P3: recognised from its parse tree, so it runs through the journal without being told."""
    done = one_file(site, "CREATE INDEX CONCURRENTLY base_i ON base (id);")
    assert done.code == 0, done.stderr
    assert site.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'base_i'::regclass") == [(True,)]


@pytest.mark.postgres(18)
@only_plain
def test_all_or_nothing_with_a_journaled_file(site: Site) -> None:
    """P15: --atomic with a file that cannot: exit 3 before anything runs."""
    site.domain("core", tables=["base"])
    site.write("core", 1, "CREATE TABLE base (id int);", "DROP TABLE base;")
    site.write("core", 2, "CREATE INDEX CONCURRENTLY base_i ON base (id);", "DROP INDEX base_i;")
    site.bootstrap()
    done = site.run("up", "--atomic")
    assert done.code == 3, done.stderr
    assert site.tables() == set()


def test_all_or_nothing_that_fails(site: Site) -> None:
    """P1, P15: --atomic: one error, and no step stands, none is recorded as applied."""
    site.domain("core", tables=["base", "made"])
    site.write("core", 1, "CREATE TABLE base (id int);", "DROP TABLE base;")
    site.write("core", 2, "CREATE TABLE made (id int);\nSELECT 1/0;", "DROP TABLE made;")
    site.bootstrap()
    done = site.run("up", "--atomic")
    assert done.code == 5, done.stderr
    assert site.tables() == set() and site.applied() == []


def test_a_failed_step_stops_only_what_depends_on_it(site: Site) -> None:
    """F83: domains that need nothing of the failed one go on; those that do are named as not run."""
    site.domain("aaa", tables=["a"])
    site.domain("bbb", tables=["b"])
    site.domain("ccc", tables=["c"], requires=["aaa"])
    site.write("aaa", 1, "CREATE TABLE a (id int PRIMARY KEY);\nSELECT 1/0;", "DROP TABLE a;")
    site.write("bbb", 1, "CREATE TABLE b (id int);", "DROP TABLE b;")
    site.write("ccc", 1, "CREATE TABLE c (id int REFERENCES a (id));", "DROP TABLE c;")
    site.bootstrap()
    done = site.run("up")
    assert done.code == 5, done.stderr
    assert done.steps == {"aaa/1": "failed", "bbb/1": "applied", "ccc/1": "not_run"}


@pytest.mark.postgres(18)
def test_nothing_to_undo(site: Site) -> None:
    """P8: a down with nothing applied says so; with no target it is a usage error."""
    site.domain("core", tables=["base"])
    site.write("core", 1, "CREATE TABLE base (id int);", None if site.layout == "plain" else "DROP TABLE base;")
    site.bootstrap()
    assert site.run("down").code == 2
    done = site.run("down", "1", "--yes")
    assert (done.code, done.document.get("result")) in ((0, "nothing_to_do"), (3, None)), done.stderr


@pytest.mark.postgres(18)
def test_a_missing_down(plain: Site) -> None:
    """P8: a down that is not there is refused (exit 3), never success."""
    plain.write("core", 1, "CREATE TABLE base (id int);", None)
    assert plain.run("up").code == 0
    done = plain.run("down", "1", "--yes")
    assert done.code == 3, done.stderr
    assert plain.tables() == {"base"}


@only_guarded
def test_a_failing_down(site: Site) -> None:
    """P1: a down that fails leaves the migration applied."""
    site.domain("core", tables=["base"])
    site.write("core", 1, "CREATE TABLE base (id int);", "DROP TABLE base;\nSELECT 1/0;")
    site.bootstrap()
    assert site.run("up").code == 0
    done = site.run("down", "1", "--yes")
    assert done.code == 5, done.stderr
    assert site.tables() == {"base"}
    with psycopg.connect(site.superuser) as connection:
        row = connection.execute("SELECT applied FROM bgce_migrate.migration_state").fetchone()
    assert row == (True,)
