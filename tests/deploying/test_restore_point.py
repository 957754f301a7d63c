"""A run marks where it begins, where its login may: in the WAL, in the history, in the receipt."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.cli.program import SHOP, bgce, write
from tests.servers import OWNER, as_superuser

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
