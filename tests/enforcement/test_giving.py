"""Rights that come with what a step makes: a service never meets a table, a sequence or a column without them."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from bgce_migrate.desk import Desk
from bgce_migrate.servers import Server
from tests.e2e.desks import down, require_done, up
from tests.e2e.platform import Guarded, bootstrap, copy_platform, service
from tests.e2e.scene import as_role, query, write
from tests.proxy import Proxy

SHOP = {
    "bgce.toml": '[project]\nname = "shop"\ndomains = ["shop", "press"]\n[database]\nmode = "MODE"\n',
    "shop/domain.toml": """\
name = "shop"
functions = { rebate = "shared" }
[shares]
press = ["buyers(email)"]
[tables.goods]
[tables.buyers.columns]
email = "contact"
pin = "secret"
[tables.copied]
[tables.hidden]
[[services]]
name = "shop"
login = "shop_user"
[[services]]
name = "till"
login = "till_user"
writes = ["goods"]
""",
    "shop/000001_goods.up.sql": (
        "CREATE TABLE goods (id serial PRIMARY KEY, name text);\n"
        "CREATE TABLE buyers (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, name text, email text, pin text);"
    ),
    "shop/000001_goods.down.sql": "DROP TABLE buyers; DROP TABLE goods;",
    "press/domain.toml": """\
name = "press"
requires = ["shop"]
[tables.papers]
[[services]]
name = "press"
login = "press_user"
reads = ["shop:*", "shop:buyers(email)"]
calls = ["shop:rebate"]
""",
    "press/000001_papers.up.sql": "CREATE TABLE papers (id int PRIMARY KEY);",
    "press/000001_papers.down.sql": "DROP TABLE papers;",
}


@pytest.fixture
def database(any_database: str) -> str:
    return any_database


@pytest.fixture(params=["role", "login"])
def shop(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> Guarded:
    project = write(tmp_path, {name: text.replace("MODE", request.param) for name, text in SHOP.items()})
    guarded = bootstrap(project, database)
    run(guarded)
    for login in ("shop_user", "till_user", "press_user"):
        service(guarded, login)
    return guarded


def run(guarded: Guarded) -> None:
    require_done(up(guarded.project, guarded.url, passwords=guarded.passwords))


def add(guarded: Guarded, name: str, text: str, undo: str = "SELECT 1") -> None:
    write(guarded.project / "shop", {f"{name}.up.sql": text, f"{name}.down.sql": undo})
    run(guarded)


def may(guarded: Guarded, login: str, statement: str) -> bool:
    """Whether the real login may run it; a missing right is no, another fault is raised."""
    try:
        query(as_role(guarded.superuser, login), statement)
    except psycopg.errors.InsufficientPrivilege:
        return False
    return True


def test_tables_sequences_and_columns_come_with_their_rights(shop: Guarded) -> None:
    assert may(shop, "shop_user", "INSERT INTO goods (name) VALUES ('ink')")
    assert may(shop, "till_user", "INSERT INTO goods (name) VALUES ('pen')"), "the serial column's sequence, too"
    assert may(shop, "shop_user", "INSERT INTO buyers (name, email, pin) VALUES ('ada', 'a@example.org', '1')")
    assert not may(shop, "till_user", "SELECT name FROM buyers")
    assert may(shop, "press_user", "SELECT id, name FROM goods")
    assert may(shop, "press_user", "SELECT id, name, email FROM buyers")
    assert not may(shop, "press_user", "SELECT pin FROM buyers")
    assert not may(shop, "press_user", "INSERT INTO goods (name) VALUES ('x')")
    assert not may(shop, "till_user", "TRUNCATE goods")


def test_a_column_added_later_is_given_to_who_reads_by_column(shop: Guarded) -> None:
    add(shop, "000002_more", "ALTER TABLE buyers ADD COLUMN city text; ALTER TABLE goods ADD COLUMN price int;")
    assert may(shop, "press_user", "SELECT name, city, email FROM buyers")
    assert may(shop, "press_user", "SELECT price FROM goods")
    assert may(shop, "till_user", "UPDATE goods SET price = 1")


def test_the_first_column_above_public_closes_the_table(shop: Guarded) -> None:
    declared = shop.project / "shop/domain.toml"
    declared.write_text(declared.read_text().replace("[tables.goods]", '[tables.goods.columns]\nmargin = "private"'))
    add(shop, "000002_margin", "ALTER TABLE goods ADD COLUMN margin int;")
    assert may(shop, "press_user", "SELECT id, name FROM goods")
    assert not may(shop, "press_user", "SELECT margin FROM goods")
    assert may(shop, "till_user", "UPDATE goods SET margin = 1")


@pytest.mark.parametrize(
    "text",
    [
        "CREATE TABLE hidden AS SELECT id, name FROM goods;",
        "CREATE TABLE hidden (LIKE buyers);",
        "SELECT id, name INTO hidden FROM goods;",
        "DO $$ BEGIN EXECUTE format('CREATE TABLE %I (id serial, name text)', 'hid' || 'den'); END $$;",
        "CREATE TABLE IF NOT EXISTS hidden (id serial, name text);",
        "CREATE TABLE other (id serial, name text); ALTER TABLE other RENAME TO hidden;",
        "-- bgce: no-transaction\nCREATE TABLE hidden (id serial, name text);\nCREATE INDEX CONCURRENTLY i ON hidden (id);",
    ],
    ids=["as", "like", "into", "do", "if not exists", "rename", "journal"],
)
def test_what_the_text_does_not_tell_is_asked_and_given(shop: Guarded, text: str) -> None:
    add(shop, "000002_hidden", text, "DROP TABLE hidden")
    assert may(shop, "press_user", "SELECT id, name FROM hidden")
    if "serial" in text:
        assert may(shop, "shop_user", "INSERT INTO hidden (name) VALUES ('x')")
    assert may(shop, "shop_user", "UPDATE hidden SET name = 'y'")
    assert not may(shop, "till_user", "SELECT id FROM hidden")


def test_a_shared_function_goes_to_who_calls_it(shop: Guarded) -> None:
    add(
        shop,
        "000002_rebate",
        "CREATE FUNCTION rebate(amount integer) RETURNS integer LANGUAGE sql SECURITY DEFINER\n"
        "SET search_path = public, pg_temp AS 'SELECT amount / 10';\n"
        "REVOKE EXECUTE ON FUNCTION rebate(integer) FROM PUBLIC;",
        "DROP FUNCTION rebate(integer)",
    )
    assert may(shop, "press_user", "SELECT rebate(100)")
    assert may(shop, "shop_user", "SELECT rebate(100)")


def test_a_function_made_in_hiding_is_given_too(shop: Guarded) -> None:
    """The text of a block names no function: the server's catalog tells what the step has made."""
    add(
        shop,
        "000002_hidden",
        "DO $$ BEGIN\n"
        "  BEGIN EXECUTE 'CREATE FUNCTION re' || $f$bate(amount integer, \"By\" text DEFAULT 'x') RETURNS integer LANGUAGE sql"
        " SECURITY DEFINER SET search_path = public, pg_temp AS 'SELECT amount / 10'$f$;\n"
        "  EXCEPTION WHEN duplicate_function THEN NULL; END;\n"
        "  EXECUTE 'CREATE FUNCTION own' || $f$_one() RETURNS int LANGUAGE sql AS 'SELECT 1'$f$;\n"
        "  REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA public FROM PUBLIC; END $$;",
    )
    assert may(shop, "press_user", "SELECT rebate(100)")
    assert may(shop, "till_user", "SELECT own_one()")
    assert not may(shop, "press_user", "SELECT own_one()")


def test_a_declared_service_that_is_not_there_yet_stops_nobody(shop: Guarded) -> None:
    declared = shop.project / "shop/domain.toml"
    more = '[[services]]\nname = "kiosk"\nlogin = "kiosk_user"\nwrites = ["copied"]\n'
    declared.write_text(declared.read_text() + more)
    add(shop, "000002_copied", "CREATE TABLE copied (id int);", "DROP TABLE copied")
    assert may(shop, "shop_user", "INSERT INTO copied VALUES (1)")


def test_a_down_that_makes_a_column_again_gives_it_again(shop: Guarded) -> None:
    add(shop, "000002_drop", "ALTER TABLE buyers DROP COLUMN name;", "ALTER TABLE buyers ADD COLUMN name text")
    require_done(down(shop.project, shop.url, passwords=shop.passwords, domain="shop", count=1))
    assert may(shop, "press_user", "SELECT id, name, email FROM buyers")


@contextmanager
def polling(url: str, tables: Sequence[str]) -> Iterator[list[str]]:
    """A service that asks for its tables all the time; yields the answers that a missing right gave."""
    refused: list[str] = []
    seen: set[str] = set()
    stop = threading.Event()

    def poll() -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            while not stop.is_set() or len(seen) < len(tables):
                for table in tables:
                    try:
                        connection.execute(sql.SQL("SELECT FROM {} LIMIT 1").format(sql.Identifier(table)))
                        seen.add(table)
                    except psycopg.errors.UndefinedTable:
                        continue
                    except psycopg.errors.InsufficientPrivilege as error:
                        refused.append(str(error))
                        seen.add(table)

    thread = threading.Thread(target=poll)
    thread.start()
    try:
        yield refused
    finally:
        stop.set()
        thread.join(timeout=30)
    assert not thread.is_alive() and seen == set(tables)


@pytest.mark.parametrize("mode", ["role", "login"])
def test_services_that_poll_never_meet_a_table_without_rights(mode: str, database: str, tmp_path: Path) -> None:
    guarded = bootstrap(copy_platform(tmp_path, mode), database)
    found = {s.login: s.writes for d in Desk.load(guarded.project).project.domains for s in d.services}
    with polling(service(guarded, "cortex_user"), found["cortex_user"]) as first, polling(
        service(guarded, "analytics_user"), found["analytics_user"]
    ) as last, polling(service(guarded, "community_user"), ["posts", "tenants", "moderation_strategies"]) as reader:
        run(guarded)
    assert first == [] and last == [] and reader == []
    refused = [
        f"{login} {table}"
        for login, tables in found.items()
        for table in tables
        if query(guarded.superuser, f"SELECT has_table_privilege('{login}', '{table}', 'INSERT')") != [(True,)]
    ]
    assert refused == []


@pytest.mark.parametrize("mode", ["role", "login"])
def test_rights_cost_no_round_trip(mode: str, any_server: Server, database: str, tmp_path: Path) -> None:
    """Twenty tables with writers, readers and serial columns: two round trips each, as without any right."""
    tables = [f"t{n}" for n in range(20)]
    text = SHOP["shop/domain.toml"].replace("[tables.goods]\n", "[tables.goods]\n" + "".join(f"[tables.{t}]\n" for t in tables))
    files = {
        name: body
        for n, table in enumerate(tables, 10)
        for name, body in (
            (f"shop/{n:06d}_{table}.up.sql", f"CREATE TABLE {table} (id serial PRIMARY KEY, name text);"),
            (f"shop/{n:06d}_{table}.down.sql", f"DROP TABLE {table};"),
        )
    }
    shop = {name: body.replace("MODE", mode) for name, body in SHOP.items()}
    guarded = bootstrap(write(tmp_path, {**shop, **files, "shop/domain.toml": text}), database)
    with Proxy(any_server.host, any_server.port, delay=0.005) as proxy:
        through = make_conninfo(guarded.url, host="127.0.0.1", port=proxy.port)
        counted = []
        for limit in (4, 18):
            before = proxy.round_trips
            require_done(up(guarded.project, through, passwords=guarded.passwords, domain="shop", limit=limit))
            counted.append(proxy.round_trips - before)
    assert (counted[1] - counted[0]) / 14 == pytest.approx(2, abs=0.15), counted
    service(guarded, "press_user")
    assert may(guarded, "press_user", "SELECT name FROM t15")


def test_a_function_that_nobody_may_call_is_given_before_the_step_that_uses_it(shop: Guarded) -> None:
    add(
        shop,
        "000002_rebate",
        "CREATE FUNCTION rebate() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';\n"
        "REVOKE EXECUTE ON FUNCTION rebate() FROM PUBLIC;",
        "DROP FUNCTION rebate()",
    )
    query(shop.superuser, "REVOKE EXECUTE ON FUNCTION rebate() FROM press_owner")
    text = "CREATE TRIGGER t BEFORE UPDATE ON papers FOR EACH ROW EXECUTE FUNCTION rebate();"
    write(shop.project / "press", {"000002_t.up.sql": text, "000002_t.down.sql": "DROP TRIGGER t ON papers"})
    run(shop)
    assert query(shop.superuser, "SELECT count(*) FROM pg_trigger WHERE tgname = 't'") == [(1,)]
