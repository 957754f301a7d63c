"""`drift --watch-ddl`: who changed what and when is written down, and drift names them; our own steps are not."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.cli.program import bgce, write
from tests.drift.scene import look, run, texts
from tests.e2e.desks import require_done, up
from tests.e2e.scene import PASSWORD, as_role
from tests.servers import as_superuser

FILES = {
    "shop/000001_goods.up.sql": "CREATE TABLE goods (id bigint PRIMARY KEY, name text);",
    "shop/000001_goods.down.sql": "DROP TABLE goods;",
}
AT = ("--migrations", ".")


@pytest.mark.superuser("only one may make an event trigger")
@pytest.mark.postgres(18, 16)
def test_who_when_and_what(tmp_path: Path, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    shop = write(tmp_path, FILES)
    database = as_superuser(database)
    require_done(up(shop, database))
    answer = bgce("drift", "--watch-ddl", *AT, "-d", database, cwd=shop)
    assert answer.code == 0 and "is written down from now on" in answer.out, answer.err
    assert bgce("drift", "--watch-ddl", *AT, "-d", database, cwd=shop).code == 0  # again is no change
    assert texts(look(shop, database)) == []

    run(database, [f"CREATE ROLE alice LOGIN PASSWORD '{PASSWORD}'", "GRANT CREATE ON SCHEMA public TO alice", "CREATE ROLE boss", "GRANT boss TO alice",
                   "ALTER TABLE goods OWNER TO boss", "GRANT CREATE ON SCHEMA public TO boss"])  # fmt: skip
    with psycopg.connect(as_role(database, "alice"), autocommit=True, application_name="psql") as connection:
        connection.execute("CREATE TABLE notes (id bigint)")
        connection.execute("SET ROLE boss")
        connection.execute("ALTER TABLE goods ADD COLUMN price numeric")
        connection.execute("CREATE INDEX goods_name ON goods (name)")
        connection.execute("ALTER TABLE goods DROP COLUMN name")
    write(shop, {"shop/000002_more.up.sql": "CREATE TABLE more (id bigint);", "shop/000002_more.down.sql": "DROP TABLE more;"})
    from tests.drift import scene

    scene._desk.cache_clear()
    require_done(up(shop, database))
    found = look(shop, database)
    seen = {d.name: [(s.who, s.role, s.command, s.client.partition(",")[0]) for s in d.seen[:1]] for d in found.drifts if d.difference and not d.difference.fact}
    assert seen == {
        "public.notes": [("alice", "alice", "CREATE TABLE", "psql")],
        "public.goods.price": [("alice", "boss", "ALTER TABLE", "psql")],
        "public.goods.name": [("alice", "boss", "ALTER TABLE", "psql")],
    }
    answer = bgce("drift", *AT, "-d", database, cwd=shop)
    assert answer.code == 1 and "  seen: ALTER TABLE by alice as boss at 20" in answer.out
    document = bgce("drift", "--json", *AT, "-d", database, cwd=shop).document
    assert {s["by"] for d in document["drift"] for s in d["seen"]} >= {"alice"}
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT count(*) FROM bgce_migrate.ddl_seen WHERE name LIKE '%more%'").fetchone() == (0,)
    assert bgce("drift", "--watch-ddl=remove", *AT, "-d", database, cwd=shop).code == 0
    run(database, ["CREATE TABLE unseen (id bigint)"])
    assert not any(d.seen for d in look(shop, database).drifts)
