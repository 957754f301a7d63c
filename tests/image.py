"""A docker image made of the PostgreSQL that is installed here, and an engine to run it."""

from __future__ import annotations

import io
import os
import re
import shutil
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bgce_migrate.servers.programs import Programs

#: What a server needs beside its own files: a shell for initdb, a locale, time zones.
SYSTEM_FILES = ("/bin/sh", "/usr/lib/locale/C.utf8", "/usr/share/zoneinfo/Etc", "/usr/share/zoneinfo/UTC")


@contextmanager
def docker_engine(folder: Path) -> Iterator[str]:
    """An engine's DOCKER_HOST: one that answers here, else one that we start (as root), else a skip."""
    docker = pytest.importorskip("docker", reason="the Python package docker is not installed")
    host = os.environ.get("DOCKER_HOST", "unix:///var/run/docker.sock")
    if _answers(docker, host):
        yield host
        return
    daemon = shutil.which("dockerd")
    if daemon is None or os.getuid() != 0:
        pytest.skip("no docker engine answers, and none can be started (dockerd and root are needed)")
    host = f"unix://{folder}/socket"
    # vfs copies everything for each layer, and works everywhere.
    started = (_start(docker, daemon, folder, driver, host) for driver in ("overlay2", "vfs"))
    process = next((found for found in started if found is not None), None)
    if process is None:
        pytest.skip(f"dockerd does not start here: {(folder / 'log').read_text()[-300:]}")
    try:
        yield host
    finally:
        _end(process, folder)


def import_image(client: Any, programs: Programs, name: str) -> None:
    """Import an image of the server programs and what they are linked to, without any entry point."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", dereference=True) as archive:
        files = _files(programs)
        parents = {str(parent).lstrip("/") for path in files for parent in Path(path).parents} | {"tmp"}
        for parent in sorted(parents - {""}):
            entry = tarfile.TarInfo(parent)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o1777 if parent == "tmp" else 0o755
            archive.addfile(entry)
        for path in sorted(files):
            archive.add(path, path.lstrip("/"))
    repository, tag = name.split(":")
    client.api.import_image_from_data(out.getvalue(), repository=repository, tag=tag)


def _start(docker: Any, daemon: str, folder: Path, driver: str, host: str) -> subprocess.Popen[bytes] | None:
    """The engine once it answers; None where this driver does not work here."""
    options = [f"--storage-driver={driver}", "--iptables=false", "--ip6tables=false", "--bridge=none"]
    places = [f"--data-root={folder}/data", f"--exec-root={folder}/exec", f"--pidfile={folder}/pid"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([daemon, *options, *places, "-H", host], stdout=log, stderr=log)
    end = time.monotonic() + 30
    while not _answers(docker, host):
        if process.poll() is not None or time.monotonic() > end:
            _end(process, folder)
            return None
        time.sleep(0.2)
    return process


def _end(process: subprocess.Popen[bytes], folder: Path) -> None:
    process.terminate()
    process.wait(30)
    _unmount(folder)


def _unmount(folder: Path) -> None:
    """Take away the mounts that a daemon leaves in its own folder (its network name space)."""
    points = [line.split()[1] for line in Path("/proc/mounts").read_text().splitlines()]
    for point in reversed(points):
        if Path(point).is_relative_to(folder):
            subprocess.run(["umount", point], check=False)


def _files(programs: Programs) -> set[str]:
    own = [programs.path("initdb"), programs.path("postgres")]
    folders = [_ask(programs, "--pkglibdir"), _ask(programs, "--sharedir")]
    libraries = [str(path) for path in Path(folders[0]).glob("*.so") if "llvmjit" not in path.name]
    found = {str(path) for path in own} | set(libraries)
    found |= {str(path) for path in Path(folders[1]).rglob("*") if path.is_file()}
    for system in SYSTEM_FILES:
        path = Path(system)
        found |= {str(p) for p in path.rglob("*") if p.is_file()} if path.is_dir() else {system}
    linked = subprocess.run(
        ["ldd", *map(str, own), "/bin/sh", *libraries], capture_output=True, text=True, check=False
    ).stdout
    found |= {path for path in re.findall(r"(/\S+) \(0x", linked) if Path(path).exists()}
    return {path for path in found if Path(path).exists()}


def _ask(programs: Programs, option: str) -> str:
    said = subprocess.run([programs.path("pg_config"), option], capture_output=True, text=True, check=True)
    return said.stdout.strip()


def _answers(docker: Any, host: str) -> bool:
    try:
        client = docker.DockerClient(base_url=host, timeout=5)
        try:
            return bool(client.ping())
        finally:
            client.close()
    except Exception:  # whatever the engine or the network says: it does not answer
        return False
