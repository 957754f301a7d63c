"""The provider docker, on a real engine, with an image made of the installed PostgreSQL."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bgce_migrate.errors import Unavailable, UsageError
from bgce_migrate.servers import docker_server
from bgce_migrate.servers.programs import local
from tests.image import docker_engine, import_image

IMAGE = "bgce-test-postgres:local"


@pytest.fixture(scope="module")
def engine() -> Iterator[str]:
    """DOCKER_HOST of an engine that has the image."""
    installed = local()
    if not installed:
        pytest.skip("no installed PostgreSQL to make an image of")
    with (
        tempfile.TemporaryDirectory(prefix="bgce-docker-", dir="/tmp") as folder,
        docker_engine(Path(folder)) as host,
    ):
        import docker

        client = docker.DockerClient(base_url=host, timeout=120)
        import_image(client, installed[0], IMAGE)
        yield host
        client.images.remove(IMAGE, force=True)
        client.close()


@pytest.fixture
def root(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.setenv("DOCKER_HOST", engine)
    yield tmp_path
    for server in docker_server.status(tmp_path):
        docker_server.remove(tmp_path, name=server.name)


def test_a_container_keeps_its_data_and_its_url(root: Path) -> None:
    server = docker_server.start(root, IMAGE, fast=True, host_network=True)
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept (id int)")
        assert connection.info.server_version // 10000 == server.major
        assert connection.execute("SHOW fsync").fetchone() == ("off",)
    assert docker_server.start(root, IMAGE, fast=True, host_network=True) == server
    assert [stopped.running for stopped in docker_server.stop(root)] == [False]
    again = docker_server.start(root, IMAGE, host_network=True)
    assert again.url() == server.url()
    with psycopg.connect(again.url()) as connection:
        assert connection.execute("SELECT to_regclass('kept')::text").fetchone() == ("kept",)
    with pytest.raises(UsageError, match="runs bgce-test-postgres:local, not other:latest"):
        docker_server.start(root, "other:latest")


def test_a_wrong_password_is_refused(root: Path) -> None:
    server = docker_server.start(root, IMAGE, fast=True, host_network=True)
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(server.url("postgres", "wrong"))


def test_a_server_that_does_not_come_up_says_why(root: Path) -> None:
    with pytest.raises(Unavailable, match="work_men"):
        docker_server.start(root, IMAGE, settings={"work_men": "1"}, host_network=True)


def test_no_engine(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    pytest.importorskip("docker")
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none")
    with pytest.raises(Unavailable, match="no docker engine answers"):
        docker_server.start(tmp_path, IMAGE)
