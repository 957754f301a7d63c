"""Before its first step a run names who on a replica its locks would wait for; only ACCESS EXCLUSIVE goes there."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.cli.program import Answer, bgce, write
from tests.routing.scene import LOGIN, Cluster, running, until
from tests.servers import OWNER, OWNER_PASSWORD, reason_missing

pytestmark = pytest.mark.xdist_group("routing-waiting")

TOML = '[project]\nname = "archive"\ndomains = ["migrations/postal"]\n[[replica]]\nname = "replica1"\nurl_env = "REPLICA1_URL"\n'
FILES = {
    "000001_slow.up.sql": "CREATE TABLE slow (id bigint);\nCREATE TABLE other (id bigint);\n",
    "000002_column.up.sql": "ALTER TABLE slow ADD COLUMN n bigint;\n",
    "000003_index.up.sql": "CREATE INDEX slow_id ON slow (id);\nALTER TABLE other ADD COLUMN n bigint;\n",
}


@pytest.fixture(scope="module")
def cluster(server_root: Path) -> Iterator[Cluster]:
    if (reason := reason_missing(16)) is not None:
        pytest.skip(reason)
    with running(server_root, 16, count=1) as made:
        yield made


def _up(cluster: Cluster, folder: Path, *words: str, replica: str | None = None) -> Answer:
    env = {"REPLICA1_URL": cluster.superuser("replica1") if replica is None else replica}
    url = cluster.primary.url(OWNER, OWNER_PASSWORD, "archive")
    return bgce("up", *words, "--allow-unlocked", "--json", "-d", url, cwd=folder, env=env if replica != "" else {})


def test_a_long_query_on_a_replica_is_named_before_it_stalls_the_replay(cluster: Cluster, tmp_path: Path) -> None:
    folder = write(tmp_path, {
        "bgce.toml": TOML, "migrations/postal/domain.toml": 'name = "postal"\n[tables.slow]\n[tables.other]\n',
        **{f"migrations/postal/{name}": text for name, text in FILES.items()},
        **{f"migrations/postal/{name.replace('up', 'down')}": "SELECT 1;\n" for name in FILES},
    })  # fmt: skip
    gone = "postgresql://nobody@127.0.0.1:1/archive"
    # A plan that locks nothing that exists asks nobody, not even a replica that is not there.
    assert _up(cluster, folder, "1", replica=gone).document["warnings"] == []
    cluster.catch_up()
    with psycopg.connect(cluster.superuser("replica1"), application_name="report") as reader:
        reader.execute("SELECT count(*) FROM slow")
        until(lambda: _age(cluster) > 1.1)
        found = _up(cluster, folder, "1")
        assert (found.code, len(found.document["warnings"])) == (0, 1), found.err
        warning = found.document["warnings"][0]
        pid = reader.info.backend_pid
        assert f"replica1: postgres (report), pid {pid}, uses slow for 1 s; replay of postal/000002_column waits" in warning
        assert "up to 30s, then it is cancelled: SELECT count(*) FROM slow" in warning
        assert f"note: {warning}" in found.err and f"warning: {warning}" in found.err
        # It does wait: the column is not there before the reader ends.
        added = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'slow'::regclass AND attname = 'n'"
        time.sleep(0.3)
        assert cluster.ask("replica1", added) == 0
        # The next step locks another table, and an index is SHARE: this reader is in nobody's way.
        assert _up(cluster, folder, "1").document["warnings"] == []
    until(lambda: cluster.ask("replica1", added) == 1)


def _age(cluster: Cluster) -> float:
    asked = "SELECT extract(epoch FROM clock_timestamp() - xact_start)::float8 FROM pg_stat_activity WHERE application_name = 'report'"
    return float(str(cluster.ask("replica1", asked)))


def test_a_replica_that_does_not_answer_is_said_and_one_without_address_is_left_alone(cluster: Cluster, tmp_path: Path) -> None:
    folder = write(tmp_path, {
        "bgce.toml": TOML.replace('"archive"', '"two"'), "migrations/postal/domain.toml": 'name = "two"\n[tables.posts]\n',
        "migrations/postal/000001_a.up.sql": "ALTER TABLE two ADD COLUMN b int;\n",
        "migrations/postal/000001_a.down.sql": "ALTER TABLE two DROP COLUMN b;\n",
        "migrations/postal/000002_a.up.sql": "ALTER TABLE two ADD COLUMN c int;\n",
        "migrations/postal/000002_a.down.sql": "ALTER TABLE two DROP COLUMN c;\n",
    })  # fmt: skip
    cluster.ask("primary", "CREATE TABLE two (a int)")
    cluster.ask("primary", f"ALTER TABLE two OWNER TO {OWNER}")
    began = time.monotonic()
    gone = _up(cluster, folder, "1", replica="postgresql://nobody:hidden@127.0.0.1:1/archive")
    assert gone.code == 0, gone.err
    assert "replica1: whether queries there hold up the replay of this run is not known" in gone.document["warnings"][0]
    assert time.monotonic() - began < 10 and "hidden" not in gone.out + gone.err
    assert _up(cluster, folder, "1", replica="").document["warnings"] == []
    cluster.catch_up()
    # What a login may not see is said, too.
    with psycopg.connect(cluster.superuser("replica1")) as reader:
        reader.execute("SELECT count(*) FROM two")
        down = bgce("down", "1", "--yes", "--json", "-d", cluster.primary.url(OWNER, OWNER_PASSWORD, "archive"), cwd=folder,
                    env={"REPLICA1_URL": cluster.login("replica1")})  # fmt: skip
        assert down.code == 0, down.err
        assert "uses two for a time that this login may not see; replay of two/000002" in down.document["warnings"][0]
    assert LOGIN in cluster.login("replica1")
