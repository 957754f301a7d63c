"""The router on a real primary with two streaming standbys: whose write a read sees, and where it goes."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from bgce_migrate.errors import Unavailable, UsageError
from bgce_migrate.router import Places, Router
from bgce_migrate.routing import RoutingSettings
from tests.proxy import Proxy
from tests.routing.scene import LOGIN, Cluster, running, until
from tests.servers import reason_missing

pytestmark = pytest.mark.xdist_group("routing-router")

pytest.importorskip("psycopg_pool", reason="psycopg_pool is not installed (extra routing)")

KEY = b"a key of a test, long enough"


@pytest.fixture(scope="module", params=[18, 16], ids=["pg18", "pg16"])
def cluster(request: pytest.FixtureRequest, server_root: Path) -> Iterator[Cluster]:
    chosen = request.config.getoption("--pg")
    if (chosen and request.param not in chosen) or reason_missing(request.param):
        pytest.skip(f"PostgreSQL {request.param} was not asked for, or is missing")
    with running(server_root, request.param) as made:
        yield made


@pytest.fixture
def router(cluster: Cluster) -> Iterator[Router]:
    cluster.resume("replica1", "replica2")
    cluster.catch_up()
    with Router(cluster.places, key=KEY) as made:
        until(lambda: len(made.view.readers.get("postal", ())) == 2)
        yield made


def _value(connection: psycopg.Connection[tuple[int]], row: int) -> int:
    found = connection.execute("SELECT n FROM posts WHERE id = %s", [row]).fetchone()
    assert found is not None
    return found[0]


def _increment(router: Router, row: int) -> tuple[int, str]:
    with router.write("postal") as lease:
        changed = lease.connection.execute("UPDATE posts SET n = n + 1 WHERE id = %s RETURNING n", [row]).fetchone()
    assert changed is not None
    return changed[0], lease.token


def test_writes_and_reads_go_where_the_declarations_say(router: Router) -> None:
    assert router.choose("postal", "write").server == "primary"
    assert {router.choose("postal").server} <= {"replica1", "replica2"}
    assert router.choose("community").server == "replica1"
    alone = router.choose("cortex")
    assert (alone.server, alone.why) == ("primary", "no replica serves it now")
    with pytest.raises(UsageError, match="no service 'postel'"):
        router.choose("postel")


def test_busy_replicas_are_left_to_others(router: Router) -> None:
    with router.read("postal") as one, router.read("postal") as two, router.read("postal") as three:
        assert {one.server, two.server} == {"replica1", "replica2"}
        assert three.server in {one.server, two.server}


def test_with_replay_paused_no_read_is_stale(cluster: Cluster, router: Router) -> None:
    """10,000 pairs from eight programs (1,000 on 16), each reading its own write at once: all go to the primary."""
    each = 1250 if cluster.primary.major == 18 else 125
    cluster.pause("replica1", "replica2")
    quick = Router(cluster.places, key=KEY, settings=RoutingSettings(max_wait=0.0))
    stale: list[int] = []
    servers: Counter[str] = Counter()

    def pairs(row: int) -> None:
        for _ in range(each):
            wrote, token = _increment(quick, row)
            with quick.read("postal", token) as lease:
                servers[lease.server] += 1
                if _value(lease.connection, row) < wrote:
                    stale.append(wrote)

    with quick:
        threads = [threading.Thread(target=pairs, args=(row,)) for row in range(1, 9)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert router.choose("postal").server != "primary"  # without a token a read may be old
    assert (stale, sum(servers.values()), servers["primary"]) == ([], 8 * each, 8 * each)


def test_a_mixed_load_reads_from_replicas(cluster: Cluster, router: Router) -> None:
    """10 % writes, each token kept for a second by its program, replay running."""
    stale, servers = [], Counter[str]()

    def work(row: int) -> None:
        dice, wrote, token, until_ = random.Random(row), 0, None, 0.0
        for _ in range(400):
            if dice.random() < 0.1:
                wrote, token = _increment(router, row)
                until_ = time.monotonic() + 1.0
            kept = token if time.monotonic() < until_ else None
            with router.read("postal", kept) as lease:
                servers[lease.server] += 1
                if kept is not None and _value(lease.connection, row) < wrote:
                    stale.append(wrote)

    threads = [threading.Thread(target=work, args=(row,)) for row in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    share = 1 - servers["primary"] / sum(servers.values())
    print(f"\n{share:.1%} of {sum(servers.values())} reads on replicas, {len(stale)} stale")
    assert not stale
    assert share >= 0.9, servers


def test_a_read_is_read_only_wherever_it_goes(router: Router) -> None:
    for service in ("postal", "cortex"):
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction), router.read(service) as lease:
            lease.connection.execute("UPDATE posts SET n = n")


def test_a_write_that_came_as_a_read_is_done_on_the_primary_and_counted(router: Router) -> None:
    def work(connection: psycopg.Connection[tuple[int]]) -> int:
        row = connection.execute("UPDATE posts SET n = n + 1 WHERE id = 8 RETURNING n").fetchone()
        assert row is not None
        return row[0]

    before = router.reading("postal", lambda c: _value(c, 8))
    assert router.reading("postal", work) > before
    assert router.misrouted == {"postal": 1}


def test_tokens_of_nobody_mean_the_primary(router: Router) -> None:
    _, token = _increment(router, 7)
    forged = token[:-2] + ("AA" if token[-2:] != "AA" else "BB")
    for text in (forged, "", "x", "é" * 55):
        choice = router.choose("postal", token=text)
        assert (choice.server, choice.why) == ("primary", "its token was not made with our key"), text


def test_a_token_serves_another_program_with_the_same_key(cluster: Cluster, router: Router) -> None:
    wrote, token = _increment(router, 6)
    with Router(cluster.places, key=KEY) as other, other.read("postal", token) as lease:
        assert _value(lease.connection, 6) >= wrote
    with Router(cluster.places) as stranger:
        assert stranger.choose("postal", token=token).server == "primary"


def test_what_is_not_committed_is_gone_and_has_no_token(router: Router) -> None:
    before = router.reading("cortex", lambda c: _value(c, 5))
    with pytest.raises(ZeroDivisionError), router.write("postal") as lease:
        lease.connection.execute("UPDATE posts SET n = n + 1 WHERE id = 5")
        raise ZeroDivisionError
    assert router.reading("cortex", lambda c: _value(c, 5)) == before
    with pytest.raises(UsageError, match="no token"):
        _ = lease.token


@pytest.mark.parametrize("answer", ["true", "1 / (random() * 0)::int = 1"], ids=["a standby now", "an error"])
def test_a_write_whose_position_nobody_tells_is_not_done_twice(cluster: Cluster, router: Router, answer: str) -> None:
    """After the commit the server may become a standby, or go: the write stands, and its token means the primary."""
    create = "CREATE OR REPLACE FUNCTION shadow.pg_is_in_recovery() RETURNS boolean LANGUAGE sql AS"
    cluster.ask("primary", "CREATE SCHEMA IF NOT EXISTS shadow")
    cluster.ask("primary", f"{create} 'SELECT {answer}'")
    cluster.ask("primary", f"GRANT USAGE ON SCHEMA shadow TO {LOGIN}")

    def work(connection: psycopg.Connection[tuple[int]]) -> int:
        row = connection.execute("UPDATE public.posts SET n = n + 1 WHERE id = 3 RETURNING n").fetchone()
        connection.execute("SET search_path = shadow, pg_catalog, public")
        assert row is not None
        return row[0]

    before = router.reading("cortex", lambda c: _value(c, 3))
    wrote, token = router.writing("community", work)
    assert wrote == before + 1
    assert router.reading("cortex", lambda c: _value(c, 3)) == before + 1
    cluster.catch_up()
    assert router.choose("postal", token=token).server == "primary"
    with router.write("community") as lease:
        lease.connection.execute("SET search_path = shadow, pg_catalog, public")
    assert router.choose("postal", token=lease.token).server == "primary"


def test_an_error_of_the_work_itself_is_not_tried_again(router: Router) -> None:
    calls: list[int] = []

    def work(connection: psycopg.Connection[tuple[int]]) -> None:
        calls.append(1)
        raise Unavailable("of something else")

    with pytest.raises(Unavailable, match="of something else"):
        router.writing("postal", work)
    assert len(calls) == 1


def test_a_recovery_conflict_is_tried_elsewhere(cluster: Cluster, router: Router) -> None:
    """The server cancels a read that replay would have to wait for (40001); the work runs again on another."""
    for name in ("replica1", "replica2"):
        cluster.ask(name, "ALTER SYSTEM SET max_standby_streaming_delay = 0")
        cluster.ask(name, "SELECT pg_reload_conf()")
        until(lambda name=name: cluster.ask(name, "SHOW max_standby_streaming_delay") == "0")
    seen: list[int] = []
    states: list[str | None] = []

    def work(connection: psycopg.Connection[tuple[int]]) -> int:
        seen.append(connection.info.port)
        value = _value(connection, 4)
        if len(seen) == 1:
            with psycopg.connect(cluster.superuser("primary")) as blocker:
                blocker.execute("LOCK TABLE posts IN ACCESS EXCLUSIVE MODE")
            try:
                connection.execute("SELECT pg_sleep(20)")
            except psycopg.Error as error:
                states.append(error.sqlstate)
                raise
        return value

    assert router.reading("postal", work) >= 0
    assert states == ["40001"]
    assert len(seen) == 2 and seen[0] != seen[1]


def test_a_broken_connection_is_tried_elsewhere(cluster: Cluster, router: Router) -> None:
    seen: list[int] = []

    def work(connection: psycopg.Connection[tuple[int]]) -> int:
        seen.append(connection.info.port)
        if len(seen) == 1:
            cluster.ask(_name(cluster, seen[0]), f"SELECT pg_terminate_backend({connection.info.backend_pid})")
        return _value(connection, 4)

    assert router.reading("postal", work) >= 0
    assert len(seen) == 2 and seen[0] != seen[1]


def _name(cluster: Cluster, port: int) -> str:
    by_port = {int(str(conninfo_to_dict(cluster.superuser(n))["port"])): n for n in ("primary", "replica1", "replica2")}
    return by_port[port]


def test_a_server_that_hangs_gets_nothing_until_it_answers(cluster: Cluster) -> None:
    """No connection breaks and nothing answers: what is silent is left out, and no decision waits for it."""
    settings = RoutingSettings(poll=0.05, silence=0.4)
    replica = cluster.standby("replica1").server
    with Proxy(replica.host, replica.port) as far, Proxy(cluster.primary.host, cluster.primary.port) as home:
        conninfos = (home.url(cluster.login("primary")), far.url(cluster.login("replica1")))
        places = Places(cluster.places.servers[:2], conninfos, cluster.places.pools)
        with Router(places, key=KEY, settings=settings) as router:
            until(lambda: router.choose("postal").server == "replica1")
            far.hold()
            until(lambda: router.choose("postal").server == "primary")
            assert router.choose("postal").why == "its replicas rest or do not answer"
            home.hold()
            with pytest.raises(Unavailable, match="the primary primary has not answered for"):
                until(lambda: router.choose("postal", "write").server != "primary")
            began = time.monotonic()
            with pytest.raises(Unavailable):
                router.choose("postal", "write")
            assert time.monotonic() - began < 0.1
            far.release()
            home.release()
            until(lambda: _is(router, "replica1"))


def _is(router: Router, server: str) -> bool:
    try:
        return router.choose("postal").server == server
    except Unavailable:
        return False
