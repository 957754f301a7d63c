"""`wait --replicas`: opens only when every replica has replayed the migration."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

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
    up = bgce("up", "--allow-unlocked", *main, cwd=folder, env=env)
    assert up.code == 0, up.err

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


def test_a_replica_without_an_address_is_not_left_out(cluster: Cluster, tmp_path: Path) -> None:
    toml = '[project]\nname = "archive"\ndomains = ["migrations/postal"]\n[[replica]]\nname = "replica1"\nurl_env = "ONE_URL"\n'
    declared = {"migrations/postal/domain.toml": 'name = "postal"\n[tables.waited]\n', "bgce.toml": toml}
    words = ("wait", "postal>=1", "--replicas", "--timeout", "1", "-d", _url(cluster, "primary"))
    answer = bgce(*words, cwd=write(tmp_path, declared))
    assert (answer.code, "ONE_URL is not set: nobody can ask replica1" in answer.err) == (2, True), answer.err
    none = bgce(*words, cwd=write(tmp_path, {**declared, "bgce.toml": toml.split("[[replica]]")[0]}))
    assert (none.code, "declares no replica" in none.err) == (2, True), none.err
