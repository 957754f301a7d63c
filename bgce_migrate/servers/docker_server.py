"""Servers in containers of any image that holds PostgreSQL (provider `docker`)."""

from __future__ import annotations

import io
import re
import secrets
import tarfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from bgce_migrate.errors import BgceError, Unavailable, UsageError
from bgce_migrate.servers.answering import answers
from bgce_migrate.servers.cluster import ADMIN, FAST, FIRST_PORT, HOST, PORTS, free_port
from bgce_migrate.servers.place import digest
from bgce_migrate.servers.server import Server

LABEL = "bgce-migrate"
OFFICIAL = "docker-entrypoint.sh"
HOME = "var/lib/bgce"
NOBODY = 65534
START_SECONDS = 120

#: For images without the official entry point. Only the shell's own commands: an image may hold little else.
SCRIPT = """\
set -e
for folder in /usr/local/bin /usr/bin /usr/pgsql-*/bin /usr/local/pgsql/bin /usr/lib/postgresql/*/bin; do
  if [ -x "$folder/postgres" ] && [ -x "$folder/initdb" ]; then programs=$folder; fi
done
if [ -z "$programs" ]; then echo 'bgce-migrate: no initdb and postgres in this image' >&2; exit 3; fi
data=/var/lib/bgce/data
if [ ! -s "$data/PG_VERSION" ]; then
  for locale in C.UTF-8 C; do
    if printf '%s\\n' "$POSTGRES_PASSWORD" | "$programs/initdb" -D "$data" -U postgres --no-sync \\
      --auth=scram-sha-256 --pwfile=/dev/stdin --encoding=UTF8 --locale="$locale"; then break; fi
  done
  echo 'host all all all scram-sha-256' >> "$data/pg_hba.conf"
fi
exec "$programs/postgres" -D "$data" -c unix_socket_directories=/var/lib/bgce "$@"
"""


def start(
    root: Path,
    image: str,
    *,
    name: str = "server",
    settings: Mapping[str, str] | None = None,
    fast: bool = False,
    host_network: bool = False,
) -> Server:
    """Start the container `name` of `root`, or find it running; it stays when our process ends.

    Works with the official images and with any other that holds the server programs and `/bin/sh`.

    Args:
        image: pulled when the engine does not have it.
        settings: PostgreSQL settings, given when the container is made.
        host_network: for engines without a bridge; the server then listens on the engine's 127.0.0.1.

    Raises:
        UsageError: no `docker` package, no such image, or the name runs another image.
        Unavailable: no engine answers, or the server does not come up; its last output is in the message.
    """
    with _Engine() as engine:
        container = engine.find(root, name)
        if container is None:
            wanted = (FAST if fast else {}) | dict(settings or {})
            container = engine.make(root, image, name, wanted, host_network)
        elif container.labels.get(f"{LABEL}.image") != image:
            raise UsageError(
                f"the container {container.name} runs {container.labels.get(f'{LABEL}.image')}, not {image}",
                hint="remove it first, or give the new server another name",
            )
        if container.status != "running":
            container.start()
        server = engine.server(container)
        if not _comes_up(container, server):
            raise Unavailable(
                f"no server answers in the container {container.name} of {image}: {_tail(container)}",
                hint=f"see: docker logs {container.name}",
            )
        return engine.server(container)


def stop(root: Path, *, name: str = "server") -> tuple[Server, ...]:
    """Stop the container `name` of `root` if it runs; its data stays in it."""
    with _Engine() as engine:
        container = engine.find(root, name)
        if container is None or container.status != "running":
            return ()
        container.stop(timeout=30)
        container.reload()
        return (engine.server(container),)


def status(root: Path) -> tuple[Server, ...]:
    """All containers of `root`, running or not."""
    with _Engine() as engine:
        return tuple(engine.server(container) for container in engine.all(root))


def remove(root: Path, *, name: str) -> None:
    """End the container `name` of `root` and delete it with its data."""
    with _Engine() as engine:
        container = engine.find(root, name)
        if container is not None:
            container.remove(force=True, v=True)


class _Engine:
    """The connection to a docker engine; its errors become ours at the end of the block."""

    def __init__(self) -> None:
        try:
            import docker
            import docker.errors
        except ImportError as error:
            raise UsageError(
                "the provider docker needs the Python package 'docker'",
                hint="run: pip install 'bgce-migrate[docker]'",
            ) from error
        self._errors = (docker.errors.DockerException, OSError)
        self._missing = docker.errors.ImageNotFound
        try:
            self._client: Any = docker.from_env(timeout=300)
            self._client.ping()
        except self._errors as error:
            raise Unavailable(
                f"no docker engine answers: {error}", hint="start it, or set DOCKER_HOST to where it listens"
            ) from error

    def __enter__(self) -> _Engine:
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._client.close()
        if isinstance(error, self._errors) and not isinstance(error, BgceError):
            raise Unavailable(f"the docker engine refused: {error}") from error

    def all(self, root: Path) -> list[Any]:
        wanted = {"label": f"{LABEL}.root={digest(root.absolute())}"}
        found: list[Any] = self._client.containers.list(all=True, filters=wanted)
        return found

    def find(self, root: Path, name: str) -> Any | None:
        return next((c for c in self.all(root) if c.labels.get(f"{LABEL}.name") == name), None)

    def make(self, root: Path, image: str, name: str, settings: Mapping[str, str], host_network: bool) -> Any:
        """A container that is not started yet."""
        official = self._official(image)
        place = digest(root.absolute())
        port = free_port(FIRST_PORT + int(digest(root.absolute() / name), 16) % PORTS)
        ours = {"port": str(port), "listen_addresses": HOST if host_network else "*", "log_timezone": "UTC"}
        options = [part for k, v in (ours | dict(settings)).items() for part in ("-c", f"{k}={v}")]
        made = self._client.containers.create(
            image,
            name=f"bgce-{place}-{name}",
            command=["postgres", *options] if official else options,
            entrypoint=None if official else ["/bin/sh", "-c", SCRIPT, "bgce-migrate"],
            user=None if official else f"{NOBODY}:{NOBODY}",
            environment={
                "POSTGRES_PASSWORD": secrets.token_urlsafe(18),
                "POSTGRES_USER": ADMIN,
                "POSTGRES_INITDB_ARGS": "--encoding=UTF8 --locale=C.UTF-8 --auth-host=scram-sha-256",
            },
            labels={
                f"{LABEL}.root": place,
                f"{LABEL}.name": name,
                f"{LABEL}.image": image,
                f"{LABEL}.port": str(port),
            },
            network_mode="host" if host_network else None,
            ports=None if host_network else {f"{port}/tcp": (self._published(), port)},
        )
        if not official:
            self._settle(made)
        return made

    def server(self, container: Any) -> Server:
        container.reload()
        values = dict(line.split("=", 1) for line in container.attrs["Config"]["Env"] if "=" in line)
        # initdb says no version, so this is the server that runs; the last one after an upgrade of the image.
        versions = re.findall(rb"starting PostgreSQL ((\d+)\S*)", container.logs())
        version, major = versions[-1] if versions else (b"unknown", b"0")
        return Server(
            provider="docker",
            name=container.labels[f"{LABEL}.name"],
            major=int(major),
            version=version.decode(),
            host=self._host(),
            port=int(container.labels[f"{LABEL}.port"]),
            socket_dir=None,
            data=container.name,
            admin=ADMIN,
            admin_password=values["POSTGRES_PASSWORD"],
            pid=container.attrs["State"]["Pid"] or None,
        )

    def _official(self, image: str) -> bool:
        try:
            found = self._client.images.get(image)
        except self._missing:
            try:
                found = self._client.images.pull(image)
            except self._errors as error:
                raise UsageError(
                    f"no image {image}: {error}", hint="check its name, or docker login"
                ) from error
        return any(str(part).endswith(OFFICIAL) for part in found.attrs["Config"].get("Entrypoint") or ())

    def _settle(self, container: Any) -> None:
        """Give `nobody` a home and a name in the container: initdb wants both, and no image need have them."""
        try:
            chunks, _ = container.get_archive("/etc/passwd")
            with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
                member = archive.extractfile("passwd")
                users = member.read() if member else b""
        except self._errors:
            users = b""
        if not re.search(rb"^[^:]*:[^:]*:%d:" % NOBODY, users, re.MULTILINE):
            users = users.rstrip(b"\n") + b"\nnobody:x:%d:%d::/:/bin/sh\n" % (NOBODY, NOBODY)
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w") as archive:
            for folder in ("etc", "var", "var/lib", HOME):
                # Said with the usual modes: an engine makes unnamed parents for root only.
                parent = tarfile.TarInfo(folder)
                parent.type, parent.mode = tarfile.DIRTYPE, 0o755
                if folder == HOME:
                    parent.mode, parent.uid, parent.gid = 0o700, NOBODY, NOBODY
                archive.addfile(parent)
            entry = tarfile.TarInfo("etc/passwd")
            entry.size, entry.mode = len(users.lstrip(b"\n")), 0o644
            archive.addfile(entry, io.BytesIO(users.lstrip(b"\n")))
        container.put_archive("/", out.getvalue())

    def _remote(self) -> str | None:
        base = urlsplit(str(self._client.api.base_url))
        # A unix socket is shown as `http+docker://localhost`.
        return base.hostname if base.scheme in ("http", "https") else None

    def _host(self) -> str:
        return self._remote() or HOST

    def _published(self) -> str:
        """The address on the engine's machine: private, unless the engine is another machine."""
        return "0.0.0.0" if self._remote() else HOST


def _comes_up(container: Any, server: Server) -> bool:
    """Wait for the server, but no longer than its container lives."""
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end:
        if answers(server.host, server.port):
            return True
        container.reload()
        if container.status not in ("created", "running"):
            return False
        time.sleep(0.1)
    return False


def _tail(container: Any) -> str:
    text: bytes = container.logs(tail=8)
    return text.decode(errors="replace").strip()
