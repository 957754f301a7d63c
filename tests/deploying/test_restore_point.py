"""A run marks where it begins, where its login may: in the WAL, in the history, in the receipt."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from tests.cli.program import SHOP, bgce, start, write
from tests.e2e.scene import PASSWORD
from tests.servers import OWNER, as_superuser, make_administrator

GRANT = f"GRANT EXECUTE ON FUNCTION pg_create_restore_point(text) TO {OWNER}"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    return write(tmp_path / "shop", SHOP)


def test_none_where_the_login_may_not(shop: Path, database: str) -> None:
    assert bgce("up", "--json", "-d", database, cwd=shop).document["restore_point"] is None


def test_before_every_run_where_it_may(shop: Path, database: str) -> None:
    with psycopg.connect(as_superuser(database), autocommit=True) as connection:
        connection.execute(GRANT.encode())
    first = bgce("up", "--json", "--to", "cortex/1", "-d", database, cwd=shop).document
    second = bgce("up", "--json", "--jobs", "2", "-d", database, cwd=shop).document
    down = bgce("down", "--json", "--all", "--yes", "-d", database, cwd=shop).document
    with psycopg.connect(database) as connection:
        rows = connection.execute(
            "SELECT run_id::text, error FROM bgce_migrate.migration_history WHERE name = 'restore-point' ORDER BY id"
        ).fetchall()
        later = connection.execute(
            "SELECT bool_and(a.p < b.p) FROM unnest(%s::pg_lsn[], %s::pg_lsn[]) AS l (x, y),"
            " LATERAL (SELECT x AS p) a, LATERAL (SELECT y AS p) b",
            ([r[1].split()[-1] for r in rows[:-1]], [r[1].split()[-1] for r in rows[1:]]),
        ).fetchone()
    assert later == (True,)
    points = [document["restore_point"] for document in (first, second, down)]
    assert rows == [(d["run_id"], f"{p['name']} {p['position']}") for d, p in zip((first, second, down), points, strict=True)]
    assert all(p["name"] == f"bgce-migrate {d['run_id']}" for d, p in zip((first, second, down), points, strict=True))
    assert bgce("history", "--verify", "-d", database, cwd=shop).code == 0
    assert bgce("up", "--json", "--atomic", "-d", database, cwd=shop).document["restore_point"] is not None
    # With nothing to do nothing is marked.
    assert bgce("up", "--json", "-d", database, cwd=shop).document["restore_point"] is None
    with psycopg.connect(as_superuser(database), autocommit=True) as connection:
        connection.execute(GRANT.replace("GRANT", "REVOKE").replace(" TO ", " FROM ").encode())


def test_it_is_recorded_before_the_run_dies(shop: Path, database: str) -> None:
    with psycopg.connect(as_superuser(database), autocommit=True) as connection:
        connection.execute(GRANT.encode())
    write(shop, {"migrations/cortex/000003_slow.up.sql": "SELECT pg_sleep(40);\n", "migrations/cortex/000003_slow.down.sql": "SELECT 1;\n"})
    process = start("up", "-d", database, cwd=shop)
    with psycopg.connect(database, autocommit=True) as connection:
        asleep = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep' AND datname = current_database()"
        while (row := connection.execute(asleep).fetchone()) is None:
            assert process.poll() is None
        process.kill()
        process.communicate(timeout=20)
        connection.execute("SELECT pg_terminate_backend(%s)", row)
        said = "SELECT run_id::text, error FROM bgce_migrate.migration_history WHERE name = 'restore-point'"
        (only,) = connection.execute(said).fetchall()
    assert only[1].startswith(f"bgce-migrate {only[0]} ")
    assert re.fullmatch(r"[0-9A-F]+/[0-9A-F]+", only[1].rpartition(" ")[2])
    assert bgce("history", "--verify", "-d", database, cwd=shop).code == 0


TOML = '[project]\nname = "shop"\ndomains = ["migrations/cortex", "migrations/postal"]\n[database]\nrestore_points = true\n'


@pytest.mark.superuser("only a superuser gives this right away")
def test_bootstrap_gives_the_right_where_that_is_said(shop: Path, database: str) -> None:
    superuser = as_superuser(database)
    before = bgce("bootstrap", "--print", "-d", superuser, cwd=shop)
    assert "pg_create_restore_point" not in before.out
    write(shop, {"bgce.toml": TOML})
    other = bgce("bootstrap", "--print", "-d", make_administrator(database, "chief", "CREATEROLE"), cwd=shop)
    statement = 'GRANT EXECUTE ON ROUTINE "pg_catalog"."pg_create_restore_point"(text) TO "bgce_migrator"'
    assert statement not in other.out
    assert f"a superuser may, in this database: {statement}" in other.err
    done = bgce("bootstrap", "-d", superuser, "--password-from", "SECRET", cwd=shop, env={"SECRET": PASSWORD})
    assert done.code == 0, done.err
    assert statement + ";" in done.out
    assert "nothing to do" in bgce("bootstrap", "-d", superuser, cwd=shop).out
    url = make_conninfo(database, user="bgce_migrator", password=PASSWORD)
    assert "each run begins with one" in bgce("doctor", "-d", url, cwd=shop).out
    up = bgce("up", "--json", "-d", url, cwd=shop).document
    assert up["restore_point"]["name"] == f"bgce-migrate {up['run_id']}"
    with psycopg.connect(superuser, autocommit=True) as connection:
        connection.execute(statement.replace("GRANT", "REVOKE").replace(" TO ", " FROM ").encode())
    assert "restore points" in (told := bgce("doctor", "-d", url, cwd=shop).out)
    assert "bgce_migrator may not" in told
