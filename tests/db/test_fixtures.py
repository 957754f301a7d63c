"""The proxy and the pooler that fault tests rely on do what they say."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest

from bgce_migrate.servers import Server
from tests.pooler import Pooler
from tests.proxy import Proxy
from tests.servers import as_superuser

pytestmark = pytest.mark.postgres(18)


def test_proxy_adds_its_delay_once_a_round_trip(proxy: Proxy, database: str) -> None:
    with psycopg.connect(proxy.url(database), autocommit=True) as connection:
        proxy.delay = 0.05
        before, start = proxy.round_trips, time.monotonic()
        for _ in range(4):
            connection.execute("SELECT 1")
        took = time.monotonic() - start
        assert proxy.round_trips - before == 4
    assert 0.2 <= took < 0.3


def test_proxy_loses_the_answer_of_a_commit_that_happened(proxy: Proxy, database: str) -> None:
    with psycopg.connect(proxy.url(database)) as connection:
        connection.execute("CREATE TABLE kept (id int)")
        proxy.drop_replies_after(b"COMMIT")
        with pytest.raises(psycopg.OperationalError):
            connection.commit()
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regclass('kept')::text").fetchone() == ("kept",)


def test_proxy_cuts_before_a_commit_is_complete(proxy: Proxy, database: str) -> None:
    with psycopg.connect(proxy.url(database)) as connection:
        connection.execute("CREATE TABLE lost (id int)")
        proxy.cut_after(5)
        with pytest.raises(psycopg.OperationalError):
            connection.commit()
    assert proxy.triggered.is_set()
    with psycopg.connect(database) as connection:
        assert connection.execute("SELECT to_regclass('lost')::text").fetchone() == (None,)


def test_proxy_holds_until_released(proxy: Proxy, database: str) -> None:
    with psycopg.connect(proxy.url(database), autocommit=True) as connection, ThreadPoolExecutor() as pool:
        proxy.hold()
        answer = pool.submit(lambda: connection.execute("SELECT 1").fetchone())
        time.sleep(0.1)
        assert not answer.done()
        proxy.release()
        assert answer.result(timeout=10) == (1,)


def test_proxy_refuses(proxy: Proxy, database: str) -> None:
    proxy.refuse = True
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(proxy.url(database))


@pytest.mark.postgres(18, 16)
def test_pgbouncer_pools_by_transaction(pgbouncer: Pooler, server: Server, database: str) -> None:
    name = psycopg.conninfo.conninfo_to_dict(database)["dbname"]
    with psycopg.connect(as_superuser(database)) as connection:
        connection.execute("CREATE ROLE cortex_user LOGIN PASSWORD 'geheim'")
    own = pgbouncer.url(server.url("cortex_user", "geheim", str(name)))
    with psycopg.connect(own, autocommit=True) as one, psycopg.connect(own, autocommit=True) as two:
        pids = [c.execute("SELECT pg_backend_pid(), current_user").fetchone() for c in (one, two)]
    assert pids[0] == pids[1]
    assert pids[0] is not None and pids[0][1] == "cortex_user"
