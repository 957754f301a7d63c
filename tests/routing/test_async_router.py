"""The router of asyncio services on a real primary with two standbys: the same decisions, and nobody blocks the loop."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from bgce_migrate import AsyncRouter
from bgce_migrate.errors import Unavailable, UsageError
from bgce_migrate.router import Router
from bgce_migrate.routing import RoutingSettings
from tests.routing.scene import Cluster, running, until
from tests.servers import reason_missing

pytestmark = pytest.mark.xdist_group("routing-async")

pytest.importorskip("psycopg_pool", reason="psycopg_pool is not installed (extra routing)")

KEY = b"a key of a test, long enough"


@pytest.fixture(scope="module")
def cluster(server_root: Path) -> Iterator[Cluster]:
    if (reason := reason_missing(18)) is not None:
        pytest.skip(reason)
    with running(server_root, 18) as made:
        yield made


@pytest.fixture
def ready(cluster: Cluster) -> Cluster:
    cluster.resume("replica1", "replica2")
    cluster.catch_up()
    return cluster


def _run(cluster: Cluster, work: Callable[[AsyncRouter], Awaitable[None]], **settings: float) -> None:
    async def main() -> None:
        chosen = RoutingSettings(**settings)  # type: ignore[arg-type]
        async with AsyncRouter(cluster.places, key=KEY, settings=chosen) as router:
            assert len(router.view.readers["postal"]) == 2
            await work(router)

    asyncio.run(asyncio.wait_for(main(), 60))


async def _increment(router: AsyncRouter, row: int) -> tuple[int, str]:
    async with router.write("postal") as lease:
        cursor = await lease.connection.execute("UPDATE posts SET n = n + 1 WHERE id = %s RETURNING n", [row])
        changed = await cursor.fetchone()
    assert changed is not None
    return changed[0], lease.token


async def _value(connection: psycopg.AsyncConnection[Any], row: int) -> int:
    found = await (await connection.execute("SELECT n FROM posts WHERE id = %s", [row])).fetchone()
    assert found is not None
    return int(found[0])


def test_with_replay_paused_no_read_is_stale_and_no_thread_is_made(ready: Cluster) -> None:
    ready.pause("replica1", "replica2")
    servers: Counter[str] = Counter()
    before = threading.active_count()
    most = 0

    async def pairs(router: AsyncRouter, row: int) -> int:
        nonlocal most
        stale = 0
        for _ in range(50):
            wrote, token = await _increment(router, row)
            async with router.read("postal", token) as lease:
                servers[lease.server] += 1
                stale += await _value(lease.connection, row) < wrote
            most = max(most, threading.active_count())
        return stale

    async def work(router: AsyncRouter) -> None:
        assert sum(await asyncio.gather(*(pairs(router, row) for row in range(1, 9)))) == 0
        assert (await router.choose("postal")).server != "primary"  # without a token a read may be old

    _run(ready, work, max_wait=0.0)
    assert servers == {"primary": 400}
    assert most <= before + len(ready.places.servers), "one thread a server looks; no other is made"


def test_a_mixed_load_reads_from_replicas(ready: Cluster) -> None:
    """10 % writes, tokens kept for a second, replay running."""
    servers: Counter[str] = Counter()

    async def program(router: AsyncRouter, row: int) -> int:
        dice, wrote, token, end, stale = random.Random(row), 0, None, 0.0, 0
        for _ in range(200):
            if dice.random() < 0.1:
                wrote, token = await _increment(router, row)
                end = time.monotonic() + 1.0
            kept = token if time.monotonic() < end else None
            async with router.read("postal", kept) as lease:
                servers[lease.server] += 1
                stale += kept is not None and await _value(lease.connection, row) < wrote
        return stale

    async def work(router: AsyncRouter) -> None:
        assert sum(await asyncio.gather(*(program(router, row) for row in range(1, 5)))) == 0

    _run(ready, work)
    assert servers["primary"] <= 0.1 * sum(servers.values()), servers


def test_a_read_waits_for_its_replica_and_the_loop_goes_on(ready: Cluster) -> None:
    async def work(router: AsyncRouter) -> None:
        ready.pause("replica1", "replica2")
        _, token = await _increment(router, 1)
        asking = asyncio.ensure_future(router.choose("postal", token=token))
        ticks = 0
        for _ in range(20):
            await asyncio.sleep(0.01)
            ticks += 1
        assert not asking.done() and ticks == 20
        ready.resume("replica1")
        assert (await asking).server == "replica1"

    _run(ready, work, max_wait=20.0)


def test_tokens_are_the_same_as_of_a_router_with_threads(ready: Cluster) -> None:
    async def work(router: AsyncRouter) -> None:
        wrote, token = await _increment(router, 2)
        with Router(ready.places, key=KEY) as other, other.read("postal", token) as lease:
            row = lease.connection.execute("SELECT n FROM posts WHERE id = 2").fetchone()
            assert row is not None and row[0] >= wrote
        assert (await router.choose("postal", token="x")).why == "its token was not made with our key"
        with pytest.raises(UsageError, match="no service 'postel'"):
            await router.choose("postel")

    _run(ready, work)


def test_a_work_runs_elsewhere_where_its_server_fails_it(ready: Cluster) -> None:
    async def work(router: AsyncRouter) -> None:
        seen: list[int] = []

        async def reads(connection: psycopg.AsyncConnection[Any]) -> int:
            seen.append(connection.info.port)
            if len(seen) == 1:
                name = next(n for n in ("replica1", "replica2") if ready.standby(n).server.port == seen[0])
                ready.ask(name, f"SELECT pg_terminate_backend({connection.info.backend_pid})")
            return await _value(connection, 4)

        assert await router.reading("postal", reads) >= 0
        assert len(set(seen)) == 2

        async def writes(connection: psycopg.AsyncConnection[Any]) -> int:
            row = await (await connection.execute("UPDATE posts SET n = n + 1 WHERE id = 8 RETURNING n")).fetchone()
            assert row is not None
            return int(row[0])

        before = await router.reading("cortex", lambda c: _value(c, 8))
        assert await router.reading("postal", writes) == before + 1  # a write that came as a read
        assert router.misrouted == {"postal": 1}
        answer, token = await router.writing("postal", writes)
        assert (answer, token is not None) == (before + 2, True)

        with pytest.raises(ZeroDivisionError):
            async with router.write("postal") as lease:
                await lease.connection.execute("UPDATE posts SET n = 0 WHERE id = 8")
                raise ZeroDivisionError
        assert await router.reading("cortex", lambda c: _value(c, 8)) == before + 2

    _run(ready, work)


def test_a_cancelled_task_gives_its_connection_back(ready: Cluster) -> None:
    async def work(router: AsyncRouter) -> None:
        async def sleeper() -> None:
            async with router.write("community") as lease:
                await lease.connection.execute("SELECT pg_sleep(30)")

        for _ in range(3):  # more often than its pool is large
            tasks = [asyncio.ensure_future(sleeper()) for _ in range(2)]
            await asyncio.sleep(0.2)
            for task in tasks:
                task.cancel()
            gone = await asyncio.gather(*tasks, return_exceptions=True)
            assert all(isinstance(error, asyncio.CancelledError) for error in gone)
        assert await router.reading("cortex", lambda c: _value(c, 1)) >= 0
        assert (await router.writing("community", lambda c: _value(c, 1)))[1]

    _run(ready, work)


def test_a_full_pool_is_named_and_nothing_is_done_twice(ready: Cluster) -> None:
    async def work(router: AsyncRouter) -> None:
        async with router.write("community", token=False), router.write("community", token=False):
            with pytest.raises(Unavailable, match=r"no connection to primary within 0\.1 s"):
                await router.writing("community", lambda c: _value(c, 1))
        assert (await router.writing("community", lambda c: _value(c, 1)))[1]

    _run(ready, work, patience=0.1)


def test_a_server_that_goes_is_left_out_and_comes_back(ready: Cluster) -> None:
    """Last in this file: it stops a standby."""

    async def work(router: AsyncRouter) -> None:
        assert await router.reading("community", lambda c: _value(c, 1)) >= 0
        ready.standby("replica1").stop()
        assert await router.reading("community", lambda c: _value(c, 1)) >= 0  # at once, on the primary
        assert (await router.choose("community")).server == "primary"
        ready.standby("replica1").start()
        while (await router.choose("community")).server != "replica1":
            await asyncio.sleep(0.02)
        async with router.read("community") as lease:
            assert await _value(lease.connection, 1) >= 0
            assert lease.server == "replica1"

    _run(ready, work, poll=0.05, silence=0.5, patience=0.5)
    until(lambda: ready.ask("replica1", "SELECT pg_is_in_recovery()") is True)
