"""Death of the server, standbys, failover, other clusters, full servers, wrong addresses."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict

from bgce_migrate import servers
from bgce_migrate.errors import HistoryBroken, Unavailable
from bgce_migrate.migration import Step
from bgce_migrate.servers import Server
from tests.faults import trees
from tests.faults.cluster import Standby, caught_up, make_standby, remove_primary, start_primary
from tests.faults.conftest import build_site
from tests.faults.injections import await_server, crash, setting
from tests.faults.site import PLAIN_LOGIN, SECRET, Site, Watcher, only_guarded, only_plain, until
from tests.servers import DatabaseMaker
from tests.zygote import Zygote


@pytest.fixture
def primary(server: Server, server_root: Path) -> Iterator[Server]:
    """A server of the same major that this test may break."""
    own = start_primary(server_root, server.major)
    yield own
    remove_primary(server_root, own)


@pytest.fixture
def standby(primary: Server) -> Iterator[Standby]:
    made = make_standby(primary)
    yield made
    made.remove()


@pytest.fixture
def own_site(primary: Server, zygote: Zygote, tmp_path: Path) -> Site:
    """A plain site on the server of this test alone."""
    return build_site(primary, DatabaseMaker(primary), zygote, tmp_path / "own", "plain")


def slow_steps(site: Site) -> None:
    site.domain("core", tables=["one", "two", "three"])
    site.write("core", 1, "CREATE TABLE one (id int);", "DROP TABLE one;")
    site.write("core", 2, "CREATE TABLE two (id int);\nSELECT pg_sleep(0.5);", "DROP TABLE two;")
    site.write("core", 3, "CREATE TABLE three (id int);", "DROP TABLE three;")
    site.bootstrap()


def require_three(site: Site) -> None:
    assert site.applied() == ["core/1", "core/2", "core/3"]
    assert site.tables() == {"one", "two", "three"}
    assert site.chain_faults() == ()


@only_plain
def test_backend_killed(site: Site, server: Server) -> None:
    """F33: kill -9 of the step's backend takes all sessions down; the run comes back and goes on, or exits 4."""
    slow_steps(site)
    run = site.start("up")
    crash(server, until(lambda: site.working("SELECT pg_sleep")))
    done = run.wait()
    assert done.code in (0, 4), done.stderr
    if done.code == 0:
        assert set(done.steps.values()) == {"applied"}
    assert site.run("up").code == 0
    require_three(site)


@pytest.mark.parametrize("mode", ["fast", "immediate"])
def test_server_restarted(own_site: Site, primary: Server, server_root: Path, mode: str) -> None:
    """F34: stopped and started again while a step runs: the run comes back and applies everything once."""
    slow_steps(own_site)
    run = own_site.start("up")
    until(lambda: own_site.working("SELECT pg_sleep"))
    servers.stop(server_root, name=primary.name, mode=mode)
    time.sleep(0.3)
    servers.start(server_root, provider=primary.provider, major=primary.major, name=primary.name, fast=True)
    await_server(primary)
    done = run.wait()
    assert done.code == 0, done.stderr
    require_three(own_site)


def test_server_gone(own_site: Site, primary: Server, server_root: Path) -> None:
    """F34: it does not come back within `resolve_timeout`: exit 4, and nothing of the step stands."""
    slow_steps(own_site)
    run = own_site.in_background(limits={"resolve_timeout": 0.5})
    until(lambda: own_site.working("SELECT pg_sleep"))
    servers.stop(server_root, name=primary.name, mode="immediate")
    report = run.result()
    assert report.exit_code == 4
    assert "no usable server answers" in report.failure.message
    servers.start(server_root, provider=primary.provider, major=primary.major, name=primary.name, fast=True)
    assert own_site.applied() == ["core/1"]
    assert own_site.run("up").code == 0
    require_three(own_site)


def test_target_is_a_standby(own_site: Site, primary: Server, standby: Standby) -> None:
    """F37: exit 3 before anything is tried."""
    slow_steps(own_site)
    until(lambda: _exists(standby.url(own_site.url)))
    done = own_site.run("up", url=standby.url(own_site.url))
    assert done.code == 3
    assert "standby" in done.message and "primary" in done.stderr


def _exists(url: str) -> bool:
    try:
        psycopg.connect(url).close()
    except psycopg.OperationalError:
        return False
    return True


@only_guarded
@pytest.mark.parametrize("level", ["role", "database"])
def test_read_only_default(site: Site, level: str) -> None:
    """F38: refused, with where the default comes from; nothing changed."""
    trees.six_steps(site)
    site.bootstrap()
    known = conninfo_to_dict(site.url)
    name = sql.Identifier(str(known["user" if level == "role" else "dbname"]))
    statement = sql.SQL("ALTER {} {} SET default_transaction_read_only = on").format(sql.SQL(level.upper()), name)
    with psycopg.connect(site.superuser, autocommit=True) as connection:
        connection.execute(statement)
    done = site.run("up")
    assert done.code == 3
    assert "read-only" in done.message and level.upper() in done.message.upper(), done.stderr
    assert site.tables() == set()


def test_failover_loses_the_last_commit(own_site: Site, primary: Server, standby: Standby, server_root: Path) -> None:
    """F39, F41: the receipt has seen more than the new primary has: refused with --after, until a human accepts."""
    slow_steps(own_site)
    assert own_site.up(limit=2).exit_code == 0
    until(lambda: caught_up(own_site.superuser, standby.url(own_site.superuser)))
    standby.stop()
    receipt = own_site.up()
    assert receipt.exit_code == 0 and receipt.heads["core"].sequence == 3
    servers.stop(server_root, name=primary.name, mode="immediate")
    standby.start()
    standby.promote()
    moved = Site(own_site.root, "plain", "", standby.url(own_site.superuser), standby.url(own_site.url), standby.server, own_site.zygote)
    with pytest.raises(HistoryBroken, match="an older state was brought back") as caught:
        moved.up(after=receipt.heads)
    assert caught.value.exit_code == 3 and "accept-rewind" in (caught.value.hint or "")
    assert "core/3" not in moved.applied()
    # Without the receipt nobody can know; the new primary is whole in itself.
    assert moved.chain_faults() == () and moved.chain_faults(receipt.heads) != ()
    assert moved.run("repair", "--accept-rewind", "the failover of Sunday").code == 0
    assert moved.up().exit_code == 0
    require_three(moved)


def test_failover_between_two_steps(own_site: Site, primary: Server, standby: Standby, server_root: Path) -> None:
    """F40: the run goes on on the promoted standby, each step whole and once."""
    slow_steps(own_site)
    both = _both(own_site, standby)

    def fail_over(step: Step) -> None:
        if step.id.version == 3:
            until(lambda: caught_up(own_site.superuser, standby.url(own_site.superuser)))
            servers.stop(server_root, name=primary.name, mode="immediate")
            standby.promote()

    report = own_site.up(both, progress=Watcher(started=_once(fail_over)))
    assert report.exit_code == 0, report.failure
    moved = Site(own_site.root, "plain", "", standby.url(own_site.superuser), standby.url(own_site.url), standby.server, own_site.zygote)
    require_three(moved)
    assert moved.value("SELECT timeline FROM bgce_migrate.meta") == 2


def test_failover_that_loses_a_step_of_this_run(
    own_site: Site, primary: Server, standby: Standby, server_root: Path
) -> None:
    """F39, F40: the standby misses what this run has applied: it stops (exit 3) instead of building on it."""
    slow_steps(own_site)
    both = _both(own_site, standby)

    def fail_over(step: Step) -> None:
        if step.id.version == 2:
            until(lambda: caught_up(own_site.superuser, standby.url(own_site.superuser)))
            standby.stop()
        if step.id.version == 3:
            servers.stop(server_root, name=primary.name, mode="immediate")
            standby.start()
            standby.promote()

    report = own_site.up(both, progress=Watcher(started=_once(fail_over)))
    assert report.exit_code == 3, report.failure
    moved = Site(own_site.root, "plain", "", standby.url(own_site.superuser), standby.url(own_site.url), standby.server, own_site.zygote)
    assert moved.tables() == {"one"}
    assert moved.applied() == ["core/1"]


def _both(site: Site, standby: Standby) -> str:
    known = conninfo_to_dict(site.url)
    return (
        f"host=127.0.0.1,127.0.0.1 port={known['port']},{standby.server.port} dbname={known['dbname']}"
        f" user={known['user']} password={known['password']} target_session_attrs=read-write"
    )


def _once(work: Callable[[Step], None]) -> Callable[[Step], None]:
    seen: set[int] = set()

    def call(step: Step) -> None:
        if step.id.version not in seen:
            seen.add(step.id.version)
            work(step)

    return call


def test_another_cluster(plain: Site, own_site: Site) -> None:
    """F42: the same database restored into another cluster: refused by name, until it is accepted with a reason."""
    trees.six_steps(plain)
    assert plain.run("up", "2").code == 0
    _copy(plain, own_site)
    moved = Site(plain.root, "plain", "", own_site.superuser, own_site.url, own_site.server, plain.zygote)
    done = moved.run("up")
    assert done.code == 3
    assert "its history was written for" in done.message and "--accept-cluster" in done.stderr
    assert moved.run("repair", "--accept-cluster", "moved to new hardware").code == 0
    assert moved.run("up").code == 0
    assert len(moved.applied()) == 6
    assert moved.chain_faults() == ()


def _copy(source: Site, target: Site) -> None:
    """pg_dump of one into the other, as its owner."""
    import os
    import subprocess

    from bgce_migrate.servers import programs

    found = programs.find(source.server.provider, source.server.major)
    environment = {**os.environ, "PGPASSWORD": SECRET}
    told = conninfo_to_dict(source.url), conninfo_to_dict(target.url)
    places = [["-h", str(k["host"]), "-p", str(k["port"]), "-U", PLAIN_LOGIN, "-d", str(k["dbname"])] for k in told]
    text = subprocess.run([found.path("pg_dump"), *places[0]], env=environment, capture_output=True, check=True).stdout
    subprocess.run([found.path("psql"), "-qX", *places[1]], env=environment, input=text, capture_output=True, check=True)


def test_too_many_connections(plain: Site) -> None:
    """F20: the login has no connection left: exit 4 and nothing changed; with three left it runs with any --jobs."""
    trees.six_steps(plain)
    for left, code in ((0, 4), (3, 0)):
        plain.query(f"ALTER ROLE {PLAIN_LOGIN} CONNECTION LIMIT {left}")
        done = plain.run("up", "--jobs", "4")
        assert done.code == code, (left, done.stderr)
        if code:
            assert "too many connections" in done.message and plain.tables() == set()
    assert len(plain.applied()) == 6


def test_server_full(own_site: Site, primary: Server, server_root: Path) -> None:
    """F20: max_connections reached: one sentence and exit 4."""
    trees.six_steps(own_site)
    servers.stop(server_root, name=primary.name)
    small = {"max_connections": "10", "superuser_reserved_connections": "2", "reserved_connections": "0"}
    if primary.major < 16:
        del small["reserved_connections"]
    servers.start(server_root, provider=primary.provider, major=primary.major, name=primary.name, settings=small, fast=True)
    held = [psycopg.connect(own_site.url) for _ in range(8)]
    done = own_site.run("up")
    assert done.code == 4, done.stderr
    for connection in held:
        connection.close()
    assert own_site.run("up").code == 0


@pytest.mark.postgres(18)
@pytest.mark.parametrize(
    ("key", "value", "words"),
    [
        ("password", "wrong-secret", "password authentication failed"),
        ("dbname", "no_such_database", "does not exist"),
        ("host", "no-such-host.invalid", "cannot connect"),
        ("port", "1", "cannot connect"),
        ("user", "nobody_here", "authentication failed"),
    ],
)
def test_wrong_address(plain: Site, key: str, value: str, words: str) -> None:
    """F24: exit 4 with one sentence; the password is in nothing that is said."""
    trees.six_steps(plain)
    known = {**conninfo_to_dict(plain.url), key: value}
    done = plain.run("up", url=psycopg.conninfo.make_conninfo(**{k: str(v) for k, v in known.items()}))
    assert done.code == 4
    assert words in done.message
    assert "wrong-secret" not in done.stderr + str(done.document)


@pytest.mark.postgres(18)
def test_certificate_is_not_trusted(plain: Site) -> None:
    """F24: a server without the TLS that was asked for: exit 4."""
    trees.six_steps(plain)
    done = plain.run("up", url=plain.url.replace("sslmode=disable", "sslmode=verify-full"))
    assert done.code == 4
    assert "cannot connect" in done.message


@only_guarded
def test_statement_timeout_of_the_login(site: Site) -> None:
    """F54: limits that the login inherits do not end a step; what the run sets wins."""
    slow_steps(site)
    login = str(conninfo_to_dict(site.url)["user"])
    for name in ("statement_timeout", "lock_timeout"):
        site.query(f"ALTER ROLE {login} SET {name} = '100ms'")
    if site.server.major >= 17:
        site.query(f"ALTER ROLE {login} SET transaction_timeout = '200ms'")
    done = site.run("up")
    assert done.code == 0, done.stderr
    require_three(site)


@only_guarded
def test_settings_of_the_login_do_not_matter(site: Site) -> None:
    """F54, P13: encodings, styles and paths that a login carries do not change what a file means."""
    site.domain("core", tables=["one"])
    site.write("core", 1, "CREATE TABLE one (at timestamptz DEFAULT '2026-02-03 10:00', word text DEFAULT 'a\\b');")
    site.write("core", 2, "SELECT 1;")
    site.bootstrap()
    login = str(conninfo_to_dict(site.url)["user"])
    for name, value in (
        ("DateStyle", "SQL, DMY"), ("TimeZone", "Asia/Tokyo"), ("standard_conforming_strings", "off"),
        ("client_encoding", "LATIN1"), ("search_path", "pg_catalog"), ("default_transaction_isolation", "serializable"),
        ("client_min_messages", "error"), ("role", "none"), ("quote_all_identifiers", "on"),
        ("xmloption", "document"), ("check_function_bodies", "off"), ("default_transaction_deferrable", "on"),
    ):  # fmt: skip
        site.query(f"ALTER ROLE {login} SET {name} = '{value}'")
    done = site.run("up")
    assert done.code == 0, done.stderr
    assert site.tables() == {"one"}
    site.query("SET TimeZone = 'UTC'; INSERT INTO one DEFAULT VALUES")
    assert site.query("SELECT at AT TIME ZONE 'UTC' = '2026-02-03 10:00', word FROM one") == [(True, "a\\b")]


@pytest.mark.postgres(18)
def test_unreachable_while_waiting(plain: Site) -> None:
    """F24: the library says the same as the command."""
    trees.six_steps(plain)
    with pytest.raises(Unavailable, match="cannot connect"):
        plain.up(plain.url.replace(f":{plain.server.port}/", ":1/"))


@only_plain
def test_server_setting_of_a_pool(site: Site, server: Server) -> None:
    """F54: a server-wide statement_timeout does not end a step."""
    slow_steps(site)
    with setting(server, "statement_timeout", "200ms"):
        done = site.run("up")
    assert done.code == 0, done.stderr
    require_three(site)


