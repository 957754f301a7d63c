"""Debian's PgBouncer on the rendered file, in front of a real server of a hundred connections."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bgce_migrate import servers
from bgce_migrate.apply.passwords import retire, set_password
from bgce_migrate.apply.target import Address
from bgce_migrate.servers import Server
from tests.cli.program import bgce
from tests.e2e.scene import query
from tests.faults.cluster import make_standby, remove_primary, start_primary
from tests.pooler import find_pgbouncer
from tests.pools.scene import SECRET, SERVICES, Pooled, let_in, pooled, prepare, project
from tests.servers import OWNER, OWNER_PASSWORD, SETTINGS, DatabaseMaker, as_superuser, reason_missing

pytestmark = pytest.mark.xdist_group("pooled")


@pytest.fixture(scope="module")
def hundred(server_root: Path) -> Iterator[Server]:
    """A server with PostgreSQL's default of a hundred connections."""
    yield servers.start(
        server_root, provider="embedded", major=18, name="pooled", settings={**SETTINGS, "max_connections": "100"}, fast=True
    )
    servers.remove(server_root, name="pooled", major=18)


@pytest.fixture(scope="module")
def pooler(hundred: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pooled]:
    if find_pgbouncer() is None:
        pytest.skip("pgbouncer is not installed")
    maker = DatabaseMaker(hundred)
    url = maker()
    folder = project(tmp_path_factory.mktemp("archive"))
    prepare(url, folder)
    let_in(hundred)
    with pooled(hundred, as_superuser(url), folder) as running:
        yield running
    maker.clean()


def end_sessions(pooler: Pooled, login: str) -> None:
    """Those that the pooler keeps, in this entry or that."""
    query(pooler.superuser, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '{login}'")
    for _ in range(100):
        if not query(pooler.superuser, f"SELECT 1 FROM pg_stat_activity WHERE usename = '{login}'"):
            return
        threading.Event().wait(0.02)


def test_databases_and_config_are_the_declared_ones(pooler: Pooled) -> None:
    rows = {row["name"]: row for row in pooler.show("DATABASES")}
    name = psycopg.conninfo.conninfo_to_dict(pooler.superuser)["dbname"]
    entries = {**SERVICES, "postal_ro": 3, "community_ro": 4}
    assert set(rows) == {*entries, "pgbouncer"}
    for entry, size in entries.items():
        found = rows[entry]
        assert (found["database"], found["pool_size"], found["max_connections"]) == (name, str(size), str(size))
        assert found["force_user"] == ""
    config = {row["key"]: row["value"] for row in pooler.show("CONFIG")}
    assert config["pool_mode"] == "transaction"
    assert config["auth_type"] == "scram-sha-256"
    assert config["auth_user"] == "bgce_pooler"
    assert config["auth_query"] == 'SELECT usename, passwd FROM "bgce_pooler".verifier($1)'
    assert (config["auth_file"], config["max_client_conn"], config["query_wait_timeout"]) == ("", "1000", "30")
    assert config["ignore_startup_parameters"] == "extra_float_digits"
    assert config["max_user_connections"] == "8"
    assert "max_prepared_statements" not in config, "1.18 does not know it"


def test_services_log_in_with_their_own_passwords(pooler: Pooled) -> None:
    for service in SERVICES:
        for entry in (service, f"{service}_ro") if service != "cortex" else (service,):
            with psycopg.connect(pooler.url(entry, f"{service}_user"), prepare_threshold=None) as connection:
                row = connection.execute("SELECT session_user::text, current_database()").fetchone()
            assert row == (f"{service}_user", psycopg.conninfo.conninfo_to_dict(pooler.superuser)["dbname"])
    for login, password in (
        ("cortex_user", "wrong"), ("nobody_at_all", SECRET), ("bgce_pooler", ""), ("bgce_pooler", SECRET), ("postgres", SECRET),
    ):  # fmt: skip
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(pooler.url("cortex", login, password))


def test_who_must_not_come_through_is_not_found(pooler: Pooled) -> None:
    set_password(Address(pooler.administrator), "bgce_migrator", SECRET)
    with psycopg.connect(pooler.superuser, autocommit=True) as connection:
        connection.execute("CREATE ROLE late LOGIN VALID UNTIL '2020-01-01'; CREATE ROLE maker LOGIN CREATEROLE")
        for login in ("late", "maker"):
            connection.execute(f"ALTER ROLE {login} PASSWORD '{SECRET}'".encode())
    for login in ("bgce_migrator", "late", "maker"):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(pooler.url("cortex", login))
    found = query(pooler.superuser, f"SELECT count(*) FROM pg_authid a, bgce_pooler.verifier(a.rolname) WHERE a.rolname <> '{OWNER}'")
    assert found == [(len(SERVICES),)]
    rights = query(
        pooler.superuser,
        "SELECT r.rolname FROM pg_roles r WHERE NOT r.rolsuper"
        " AND has_function_privilege(r.oid, 'bgce_pooler.verifier(text)', 'EXECUTE') AND r.rolname NOT LIKE 'pg\\_%'",
    )
    assert rights == [("bgce_pooler",)]


def test_an_entry_holds_no_more_than_its_pool(pooler: Pooled) -> None:
    """Twice as many programs as connections, of both logins that take turns: all are served, in turn."""
    set_password(Address(pooler.administrator), "postal_user_b", SECRET, member_of="postal_user")
    end_sessions(pooler, "postal_user")
    most, faults, done = [0], [], []
    ends = threading.Event()

    def work(login: str) -> None:
        try:
            with psycopg.connect(pooler.url("postal", login), prepare_threshold=None, autocommit=True) as connection:
                for _ in range(5):
                    connection.execute("SELECT pg_sleep(0.03)")
            done.append(login)
        except psycopg.Error as error:
            faults.append(str(error))

    def watch() -> None:
        with psycopg.connect(pooler.superuser, autocommit=True) as connection:
            while not ends.wait(0.01):
                row = connection.execute("SELECT count(*) FROM pg_stat_activity WHERE usename LIKE 'postal_user%'").fetchone()
                most[0] = max(most[0], row[0] if row else 0)

    threads = [threading.Thread(target=work, args=(login,)) for login in ("postal_user", "postal_user_b") for _ in range(4)]
    watcher = threading.Thread(target=watch)
    watcher.start()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    ends.set()
    watcher.join(10)
    assert faults == []
    assert len(done) == 8
    assert 1 <= most[0] <= SERVICES["postal"]


def test_a_password_changes_behind_the_pooler(pooler: Pooled) -> None:
    admin = Address(pooler.administrator)
    with psycopg.connect(pooler.url("community", "community_user"), prepare_threshold=None) as connection:
        connection.execute("SELECT 1")
    set_password(admin, "community_user_b", "another secret", member_of="community_user")
    url = pooler.url("community", "community_user_b", "another secret")
    with psycopg.connect(url, prepare_threshold=None) as connection:
        assert connection.execute("SELECT session_user::text").fetchone() == ("community_user_b",)
    end_sessions(pooler, "community_user")
    retire(admin, "community_user")
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(pooler.url("community", "community_user"))
    with psycopg.connect(url, prepare_threshold=None) as connection:
        connection.execute("SELECT 1")


@pytest.mark.parametrize("major", [18, 15])
def test_reads_go_to_the_standby(major: int, server_root: Path, tmp_path: Path) -> None:
    """On the default server of Debian 12 too: its pooler, its PostgreSQL."""
    if (reason := reason_missing(major)) is not None or find_pgbouncer() is None:
        pytest.skip(reason or "pgbouncer is not installed")
    primary = start_primary(server_root, major)
    standby = None
    try:
        url = DatabaseMaker(primary)("archive")
        folder = project(tmp_path)
        prepare(url, folder)
        let_in(primary)
        standby = make_standby(primary)
        address = f"host={standby.cluster.folder} port={standby.server.port} dbname=archive"
        with pooled(primary, as_superuser(url), folder, replica=address) as pooler:
            recovering = {}
            for entry in ("postal", "postal_ro"):
                with psycopg.connect(pooler.url(entry, "postal_user"), prepare_threshold=None) as connection:
                    recovering[entry] = connection.execute("SELECT pg_is_in_recovery()").fetchone()
            assert recovering == {"postal": (False,), "postal_ro": (True,)}
            hosts = {row["name"]: (row["host"], row["port"]) for row in pooler.show("DATABASES")}
            assert hosts["postal_ro"] == (str(standby.cluster.folder), str(standby.server.port))
            assert hosts["postal"][1] == str(primary.port)
    finally:
        if standby is not None:
            standby.remove()
        remove_primary(server_root, primary)


def test_the_strategy_documents_pools_are_rejected_by_the_live_server(hundred: Server, tmp_path: Path) -> None:
    login = DatabaseMaker(hundred).server.url(OWNER, OWNER_PASSWORD)
    folder = project(tmp_path, {"cortex": 50, "postal": 30, "community": 40})
    answer = bgce("pgbouncer", "check", "-d", login, cwd=folder)
    assert answer.code == 1, answer.err
    assert answer.out.splitlines()[:3] == [
        "primary: pools may hold 120 connections of 67: 53 too many",
        "  cortex 50 + postal 30 + community 40 = 120",
        "  max_connections 100 - superuser_reserved_connections 3 - migrator 4 - exporter 2 - backup 2 - admin 3 - spare 2"
        " = 84, x 0.8 headroom = 67",
    ]
    for driver in ("database/sql", "pgx", "GORM", "psycopg"):
        assert f"  {driver}: " in answer.out
    assert "REPLICA_URL is not set, so nobody asked replica1" in answer.err
    assert bgce("pgbouncer", "check", "--enforce-pools", "-d", login, cwd=folder).code == 1
    assert query(login, "SELECT count(*) FROM pg_roles WHERE rolconnlimit >= 0") == [(0,)]
    document = bgce("pgbouncer", "check", "--json", "-d", login, cwd=folder, env={"REPLICA_URL": login}).document
    assert [(s["server"], s["wanted"], s["allowed"], s["over"]) for s in document["servers"]] == [
        ("primary", 120, 67, 53), ("replica1", 70, 70, 0),
    ]  # fmt: skip
    assert (document["passed"], document["limits"]) == (False, [])


def test_limits_of_roles_never_stop_what_is_there(pooler: Pooled, tmp_path: Path) -> None:
    folder = project(tmp_path)
    url = pooler.url("cortex", "cortex_user").replace(f"port={pooler.port}", f"port={_port(pooler)}")
    direct = url.replace("dbname=cortex", f"dbname={psycopg.conninfo.conninfo_to_dict(pooler.superuser)['dbname']}")
    end_sessions(pooler, "cortex_user")
    sessions = [psycopg.connect(direct) for _ in range(9)]
    try:
        answer = bgce("pgbouncer", "check", "--enforce-pools", "--watch", "0.3", "-d", pooler.administrator, cwd=folder)
        assert answer.code == 0, answer.err
        assert "cortex_user: CONNECTION LIMIT 9 (was none): it was seen with 9 sessions, its pool is 5" in answer.out
        assert "community_user: CONNECTION LIMIT 4 (was none): its pool of 4" in answer.out
        assert all(session.execute("SELECT 1").fetchone() for session in sessions)
        with pytest.raises(psycopg.OperationalError, match="too many connections for role"):
            psycopg.connect(direct)
    finally:
        for session in sessions:
            session.close()
    again = bgce("pgbouncer", "check", "--enforce-pools", "--watch", "0", "--json", "-d", pooler.administrator, cwd=folder)
    limits = {row["login"]: row for row in again.document["limits"]}
    assert limits["postal_user"]["limit"] == 3
    assert limits["postal_user"]["before"] == 3
    assert limits["cortex_user"]["before"] == 9


def _port(pooler: Pooled) -> int:
    return int(str(psycopg.conninfo.conninfo_to_dict(pooler.superuser)["port"]))
