"""`wait --replicas`: opens only when every replica has replayed the migration."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from bgce_migrate.db.gate import End, Gate
from bgce_migrate.migration import MigrationId
from tests.cli.program import Answer, bgce, write
from tests.routing.scene import Cluster, running
from tests.servers import OWNER, OWNER_PASSWORD, reason_missing

pytestmark = pytest.mark.xdist_group("routing-waiting")

CREATE = "CREATE TABLE waited (id bigint);\n"


@pytest.fixture(scope="module")
def cluster(server_root: Path) -> Iterator[Cluster]:
    if (reason := reason_missing(16)) is not None:
        pytest.skip(reason)
    with running(server_root, 16) as made:
        yield made


def _url(cluster: Cluster, name: str) -> str:
    server = cluster.primary if name == "primary" else cluster.standby(name).server
    return server.url(OWNER, OWNER_PASSWORD, "archive")


def test_it_opens_when_the_last_replica_has_replayed(cluster: Cluster, tmp_path: Path) -> None:
    toml = '[project]\nname = "archive"\ndomains = ["migrations/postal"]\n'
    for name in ("replica1", "replica2"):
        toml += f'[[replica]]\nname = "{name}"\nurl_env = "{name.upper()}_URL"\nservices = ["postal"]\n'
    folder = write(tmp_path, {
        "bgce.toml": toml,
        "migrations/postal/domain.toml": 'name = "postal"\n[tables.waited]\n[[services]]\nname = "postal"\n',
        "migrations/postal/000001_waited.up.sql": CREATE,
        "migrations/postal/000001_waited.down.sql": "DROP TABLE waited;\n",
    })  # fmt: skip
    env = {f"{name.upper()}_URL": _url(cluster, name) for name in ("replica1", "replica2")}
    main = ("-d", _url(cluster, "primary"))
    cluster.pause("replica2")
    up = bgce("up", "--allow-unlocked", "--json", *main, cwd=folder, env=env)
    assert up.code == 0, up.err
    end = up.document["end"]
    recorded = "SELECT end_position::text FROM bgce_migrate.run WHERE run_id = '" + up.document["run_id"] + "'"
    assert (cluster.ask("primary", recorded), end["timeline"]) == (end["position"], 1)
    assert cluster.ask("primary", f"SELECT pg_current_wal_insert_lsn() >= '{end['position']}'")

    assert bgce("wait", "postal>=1", "--timeout", "5", *main, cwd=folder, env=env).code == 0
    late = bgce("wait", "postal>=1", "--replicas", "--timeout", "1", *main, cwd=folder, env=env)
    assert late.code == 1, late.err
    assert "replica2: not applied within 1 s: postal/000001" in late.err

    answers: list[Answer] = []
    words = ("wait", "postal>=1", "--replicas", "--timeout", "30", "--json", *main)
    waiter = threading.Thread(target=lambda: answers.append(bgce(*words, cwd=folder, env=env)))
    waiter.start()
    cluster.resume("replica2")
    waiter.join(40)
    assert (answers[0].code, answers[0].document["replicas"]) == (0, ["replica1", "replica2"]), answers[0].err
    assert answers[0].document["end"] == end
    for name in ("replica1", "replica2"):
        assert cluster.ask(name, f"SELECT pg_last_wal_replay_lsn() >= '{end['position']}'")
    assert f", WAL position {end['position'][:2]}" in bgce("down", "1", *main, cwd=folder, env=env).out


def test_the_row_alone_does_not_open_it(cluster: Cluster) -> None:
    """The history may be replayed and the run's end not: the standby is held to the place, on its own timeline."""
    cluster.ask("primary", "CREATE TABLE later (n int)")
    cluster.catch_up()
    position = int(str(cluster.ask("primary", "SELECT (pg_current_wal_insert_lsn() - '0/0'::pg_lsn)::bigint")))
    needs, url = [MigrationId("postal", 7)], cluster.superuser("replica1")
    cluster.ask("primary", "CREATE SCHEMA gate")
    cluster.ask("primary", "CREATE FUNCTION gate.ready(text, bigint) RETURNS boolean LANGUAGE sql AS 'SELECT true'")
    cluster.catch_up()
    with Gate(needs, url, "gate", 5.0, End(position + 100_000, 1, "0/FFFFFFFF")) as gate:
        seen = gate.look()
        assert (seen.missing, "bytes of the WAL up to 0/FFFFFFFF" in seen.reason) == (tuple(needs), True)
        cluster.ask("primary", "INSERT INTO later SELECT generate_series(1, 5000)")
        cluster.catch_up()
        assert not gate.look().missing
    with Gate(needs, url, "gate", 5.0, End(position * 2, 9, "0/FFFFFFFF")) as gate:
        assert not gate.look().missing  # a position of another timeline says nothing here


def test_a_replica_without_an_address_is_not_left_out(cluster: Cluster, tmp_path: Path) -> None:
    toml = '[project]\nname = "archive"\ndomains = ["migrations/postal"]\n[[replica]]\nname = "replica1"\nurl_env = "ONE_URL"\n'
    declared = {"migrations/postal/domain.toml": 'name = "postal"\n[tables.waited]\n', "bgce.toml": toml}
    words = ("wait", "postal>=1", "--replicas", "--timeout", "1", "-d", _url(cluster, "primary"))
    answer = bgce(*words, cwd=write(tmp_path, declared))
    assert (answer.code, "ONE_URL is not set: nobody can ask replica1" in answer.err) == (2, True), answer.err
    none = bgce(*words, cwd=write(tmp_path, {**declared, "bgce.toml": toml.split("[[replica]]")[0]}))
    assert (none.code, "declares no replica" in none.err) == (2, True), none.err
