"""`route` on real servers: where each service would go, as a table, an address, variables and a document."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.cli.program import REPOSITORY, Answer, bgce, write
from tests.routing.scene import LOGIN, SECRET, Cluster, running, until
from tests.servers import reason_missing

pytestmark = pytest.mark.xdist_group("routing-command")


@pytest.fixture(scope="module")
def cluster(server_root: Path) -> Iterator[Cluster]:
    if (reason := reason_missing(18)) is not None:
        pytest.skip(reason)
    with running(server_root, 18) as made:
        yield made


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    toml = '[project]\nname = "archive"\ndomains = ["migrations/postal", "migrations/cortex"]\n'
    for name in ("replica1", "replica2"):
        toml += f'[[replica]]\nname = "{name}"\nurl_env = "{name.upper()}_URL"\nservices = ["postal"]\n'
    return write(tmp_path, {
        "bgce.toml": toml,
        "migrations/postal/domain.toml": 'name = "postal"\n[tables.posts]\n[[services]]\nname = "postal"\n',
        "migrations/cortex/domain.toml": 'name = "cortex"\n[tables.users]\n[[services]]\nname = "cortex"\n',
    })  # fmt: skip


def _route(cluster: Cluster, folder: Path, *words: str, **more: str) -> Answer:
    env = {f"{name.upper()}_URL": cluster.login(name) for name in ("replica1", "replica2")}
    answer = bgce("route", *words, "-d", more.pop("d", cluster.login("primary")), cwd=folder, env={**env, **more})
    assert SECRET not in answer.out + answer.err
    return answer


def test_the_table_says_who_goes_where_and_why(cluster: Cluster, folder: Path) -> None:
    cluster.catch_up()
    answer = _route(cluster, folder)
    assert answer.code == 0, answer.err
    lines = [line.split("  ") for line in answer.out.splitlines() if line]
    rows = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert rows[0][:2] == ["postal", "primary"] and rows[0][2] in ("replica1", "replica2")
    assert rows[1] == ["cortex", "primary", "primary", "no replica serves it now"]
    port = cluster.standby("replica2").server.port
    assert [row[:2] for row in rows[2:]] == [["primary", "primary"], ["replica1", "replica"], ["replica2", "replica"]]
    assert f":{port}/archive as {LOGIN}" in rows[4][2]


def test_the_document_has_the_same(cluster: Cluster, folder: Path) -> None:
    said = _route(cluster, folder, "postal", "--json").document
    assert said["schema"] == "bgce-migrate/route/1"
    assert [s["service"] for s in said["services"]] == ["postal"]
    assert [(s["name"], s["role"], s["usable"]) for s in said["servers"]] == [
        ("primary", "primary", True), ("replica1", "replica", True), ("replica2", "replica", True),
    ]  # fmt: skip


def test_an_address_can_be_used_by_psql(cluster: Cluster, folder: Path) -> None:
    """With the password from the environment, as a service in another language has it."""
    for words, standby in ((("--read",), True), (("--write",), False), (("--read", "--declared"), True)):
        url = _route(cluster, folder, "--dsn", "postal", *words).out.strip()
        with psycopg.connect(url, password=SECRET) as connection:
            row = connection.execute("SELECT pg_is_in_recovery(), current_user::text").fetchone()
        assert row == (standby, LOGIN)


def test_variables_are_read_by_a_shell(cluster: Cluster, folder: Path) -> None:
    answer = _route(cluster, folder, "--env", "postal")
    assert answer.code == 0, answer.err
    script = f"set -a\n{answer.out}echo $READ_DB_PORT $WRITE_DB_PORT $READ_DB_USER $WRITE_DB_NAME"
    done = subprocess.run(["sh", "-c", script], capture_output=True, text=True, check=True, env={"PATH": os.environ["PATH"]})
    read, wrote, user, name = done.stdout.split()
    assert (wrote, user, name) == (str(cluster.primary.port), LOGIN, "archive")
    assert read in {str(s.server.port) for s in cluster.standbys}


def test_two_statements_read_ones_own_writes_in_any_language(cluster: Cluster) -> None:
    """What docs/how-to/read-replicas.md tells programs in other languages."""
    with psycopg.connect(cluster.login("primary"), autocommit=True) as connection:
        cluster.pause("replica1")
        connection.execute("UPDATE posts SET n = n + 1 WHERE id = 1")
        row = connection.execute("SELECT pg_current_wal_insert_lsn()::text").fetchone()
        assert row is not None
    with psycopg.connect(cluster.login("replica1"), autocommit=True) as reader:
        def shows() -> bool:
            found = reader.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", row).fetchone()
            assert found is not None
            return bool(found[0])

        assert not shows()
        cluster.resume("replica1")
        until(shows)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("postel",), "there is no service 'postel'"),
        (("--dsn", "postal"), "say what the address is for"),
        (("--read",), "--read and --write go with --dsn"),
        (("--dsn", "postal", "--env", "postal", "--read"), "three questions"),
        (("--declared",), "--declared goes with"),
    ],
)
def test_questions_without_sense_exit_2(cluster: Cluster, folder: Path, words: tuple[str, ...], said: str) -> None:
    answer = _route(cluster, folder, *words)
    assert (answer.code, said in answer.err) == (2, True), answer.err
    assert "hint:" in answer.err


def test_a_replica_that_is_away_is_named_and_an_unset_one_noted(cluster: Cluster, folder: Path) -> None:
    gone = cluster.login("replica1").replace(f":{cluster.standby('replica1').server.port}/", ":1/")
    answer = _route(cluster, folder, "postal", REPLICA1_URL=gone)
    assert (answer.code, "replica2" in answer.out.splitlines()[0]) == (0, True), answer.out
    assert "does not answer" in answer.out
    empty = _route(cluster, folder, REPLICA1_URL="")
    assert (empty.code, "REPLICA1_URL is set and empty" in empty.err) == (2, True)
    env = {"REPLICA2_URL": cluster.login("replica2")}
    unset = bgce("route", "-d", cluster.login("primary"), cwd=folder, env=env)
    assert "REPLICA1_URL is not set, so nobody reads from replica1" in unset.err


def test_without_a_primary_it_exits_4_and_still_shows_the_replicas(cluster: Cluster, folder: Path) -> None:
    gone = cluster.login("primary").replace(f":{cluster.primary.port}/", ":1/")
    answer = _route(cluster, folder, d=gone)
    assert answer.code == 4
    assert "nowhere" in answer.out and "replica2" in answer.out
    address = _route(cluster, folder, "--dsn", "postal", "--write", d=gone)
    assert (address.code, "no server takes writes" in address.err) == (4, True), address.err


def test_the_shipped_configuration_has_the_strategy_documents_replicas() -> None:
    """replica1 (port 5433) takes reads of postal and community, replica2 (5434) of learning, competition, analytics."""
    env = {f"BGCE_REPLICA{i}_URL": f"postgresql://db{i + 1}:{5432 + i}/bgce_archive" for i in (1, 2)}
    ports = {}
    for service in ("postal", "community", "learning", "competition", "analytics", "cortex"):
        words = ("route", "--dsn", service, "--read", "--declared", "--json", "-d", "postgresql://db1/bgce_archive")
        ports[service] = bgce(*words, cwd=REPOSITORY, env=env).document["read"]["port"]
    assert ports == {
        "postal": "5433", "community": "5433", "learning": "5434", "competition": "5434", "analytics": "5434", "cortex": "5432",
    }  # fmt: skip
