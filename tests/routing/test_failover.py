"""The primary dies, a standby is promoted, the old primary comes back, a replica dies: no wrong answer, named errors."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bgce_migrate.errors import Unavailable
from bgce_migrate.router import Router
from bgce_migrate.routing import RoutingSettings
from tests.faults.cluster import caught_up
from tests.routing.scene import LOGIN, Cluster, primary_cluster, running, until
from tests.servers import reason_missing

pytestmark = pytest.mark.xdist_group("routing-failover")

pytest.importorskip("psycopg_pool", reason="psycopg_pool is not installed (extra routing)")

#: A dead server is noticed sooner than in production, so that the test is short.
QUICK = RoutingSettings(poll=0.05, silence=0.5, patience=0.5)


@pytest.fixture(params=[18, 15], ids=["pg18", "pg15"])
def cluster(request: pytest.FixtureRequest, server_root: Path) -> Iterator[Cluster]:
    chosen = request.config.getoption("--pg")
    if (chosen and request.param not in chosen) or reason_missing(request.param):
        pytest.skip(f"PostgreSQL {request.param} was not asked for, or is missing")
    with running(server_root, request.param) as made:
        yield made


class Program(threading.Thread):
    """Writes and reads its own write, again and again, through everything that happens."""

    def __init__(self, router: Router, row: int) -> None:
        super().__init__()
        self.router, self.row = router, row
        self.ends = threading.Event()
        self.stale: list[tuple[int, int]] = []
        self.errors: list[BaseException] = []
        self.longest = 0.0
        self.done = 0

    def _write(self, connection: psycopg.Connection[tuple[int]]) -> int:
        found = connection.execute("UPDATE posts SET n = n + 1 WHERE id = %s RETURNING n", [self.row]).fetchone()
        assert found is not None
        return found[0]

    def _read(self, connection: psycopg.Connection[tuple[int]]) -> int:
        found = connection.execute("SELECT n FROM posts WHERE id = %s", [self.row]).fetchone()
        assert found is not None
        return found[0]

    def run(self) -> None:
        while not self.ends.is_set():
            began = time.monotonic()
            try:
                wrote, token = self.router.writing("postal", self._write)
                seen = self.router.reading("postal", self._read, token)
                if seen < wrote:
                    self.stale.append((wrote, seen))
                self.done += 1
            except BaseException as error:
                self.errors.append(error)
                time.sleep(0.01)
            self.longest = max(self.longest, time.monotonic() - began)


def test_a_failover_gives_no_wrong_answer(cluster: Cluster) -> None:
    with Router(cluster.places, settings=QUICK) as router:
        until(lambda: len(router.view.readers.get("postal", ())) == 2)
        programs = [Program(router, row) for row in range(1, 5)]
        for program in programs:
            program.start()
        try:
            until(lambda: all(p.done > 20 for p in programs))
            _, old_token = router.writing("postal", lambda c: c.execute("UPDATE posts SET n = n WHERE id = 8"))
            cluster.catch_up()
            primary_cluster(cluster).stop("immediate")
            until(lambda: router.view.primary is None)

            # Reads go on, writes are refused in words that name the server.
            assert router.reading("postal", lambda c: c.execute("SELECT pg_is_in_recovery()").fetchone()[0])
            with pytest.raises(Unavailable, match="no server takes writes.*primary does not answer"):
                router.choose("postal", "write")

            cluster.standby("replica1").promote()
            until(lambda: router.view.primary == 1)
            assert router.choose("postal", "write").server == "replica1"
            # The other one still waits for the dead primary: it serves nobody, whatever it has replayed.
            until(lambda: not router.view.readers)
            assert "follows timeline 1, the primary is on 2" in router.view.verdicts[2].why
            before = [p.done for p in programs]
            until(lambda: all(p.done > b + 20 for p, b in zip(programs, before, strict=True)))

            cluster.follow("replica2", "replica1")
            if cluster.primary.major == 18:
                cluster.ask("replica1", f"GRANT pg_read_all_stats TO {LOGIN}")  # the receiver's timeline is not hidden
            else:
                # For other logins the next restartpoint proves the timeline.
                until(lambda: caught_up(cluster.superuser("replica1"), cluster.superuser("replica2")))
                cluster.ask("replica1", "CHECKPOINT")
                until(lambda: caught_up(cluster.superuser("replica1"), cluster.superuser("replica2")))
                cluster.ask("replica2", "CHECKPOINT")
            until(lambda: bool(router.view.readers.get("postal")))
            assert router.view.readers["postal"][0].name == "replica2"
            old = router.choose("postal", token=old_token)
            assert (old.server, old.why) == ("replica1", "the token is of another timeline")

            primary_cluster(cluster).start(cluster.standby("replica1").programs)
            until(lambda: "a primary of the past" in router.view.verdicts[0].why)
            assert router.choose("postal", "write").server == "replica1"
        finally:
            for program in programs:
                program.ends.set()
            for program in programs:
                program.join(30)
    assert [p.stale for p in programs] == [[]] * 4
    errors = [e for p in programs for e in p.errors]
    assert errors and all(isinstance(e, (Unavailable, psycopg.Error)) for e in errors), errors
    assert all(str(e).strip() for e in errors)
    print(f"\n{sum(p.done for p in programs)} pairs, {len(errors)} named errors, longest {max(p.longest for p in programs):.2f} s")
    assert max(p.longest for p in programs) < 5.0


def _port(connection: psycopg.Connection[tuple[int]]) -> int:
    connection.execute("SELECT 1")
    return connection.info.port


def test_a_dead_replica_is_left_out_and_comes_back(cluster: Cluster) -> None:
    with Router(cluster.places, settings=QUICK) as router:
        until(lambda: len(router.view.readers.get("postal", ())) == 2)
        cluster.standby("replica1").stop()
        servers, began = set(), time.monotonic()
        while time.monotonic() - began < 1.0:
            servers.add(router.reading("postal", _port))
        assert cluster.standby("replica2").server.port in servers
        assert router.choose("community").server == "primary"
        assert [r.name for r in router.view.readers["postal"]] == ["replica2"]
        assert "does not answer" in router.view.verdicts[1].why

        cluster.standby("replica2").stop()
        assert router.reading("postal", _port) == cluster.primary.port

        cluster.standby("replica1").start()
        until(lambda: router.choose("community").server == "replica1")
        assert router.reading("community", _port) != cluster.primary.port
