"""A real PgBouncer in transaction mode in front of a server of ours."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import pytest

from bgce_migrate.servers import Server
from bgce_migrate.servers.account import server_account
from bgce_migrate.servers.cluster import FIRST_PORT, PORTS, free_port

CONFIG = """\
[databases]
* = host={host} port={port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {own_port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
auth_user = postgres
auth_query = SELECT usename, passwd FROM pg_shadow WHERE usename = $1
pool_mode = {mode}
default_pool_size = {pool_size}
max_client_conn = 200
logfile = {folder}/log
"""


@dataclass(frozen=True)
class Pooler:
    """A running PgBouncer."""

    host: str
    port: int
    log: Path

    def url(self, url: str) -> str:
        """The same URL through the pooler."""
        parts = urlsplit(url)
        login = parts.netloc.rpartition("@")[0]
        return urlunsplit(parts._replace(netloc=f"{login}@{self.host}:{self.port}"))


def find_pgbouncer() -> str | None:
    """The program's path, None where it is not installed."""
    return shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")


@contextmanager
def start_pgbouncer(
    server: Server, folder: Path | None = None, *, pool_size: int = 20, mode: str = "transaction"
) -> Iterator[Pooler]:
    """Run PgBouncer before `server` until the block ends; skips the test where it is not installed.

    Roles log in with their own passwords (SCRAM pass-through); any database of the server can be named.

    Args:
        folder: where its files go, not there yet; else beside the server's data.
    """
    program = find_pgbouncer()
    if program is None:
        pytest.skip("pgbouncer is not installed")
    port = free_port(FIRST_PORT + os.getpid() % PORTS)
    # PgBouncer refuses to run as root too; beside the server's data its user may write.
    home = Path(server.data).parent
    folder = folder or home / f"pgbouncer-{port}"
    account = server_account(home.stat().st_uid)
    folder.mkdir(mode=0o700)
    os.chown(folder, account.uid, account.gid)
    values = {"host": server.host, "port": server.port, "own_port": port, "folder": folder}
    account.write(folder / "pgbouncer.ini", CONFIG.format(**values, mode=mode, pool_size=pool_size))
    account.write(folder / "users", f'"{server.admin}" "{server.admin_password}"\n')
    process = subprocess.Popen(
        [program, "-q", str(folder / "pgbouncer.ini")],
        user=account.uid if account.switch else None,
        group=account.gid if account.switch else None,
        extra_groups=[] if account.switch else None,
        stdin=subprocess.DEVNULL,
        cwd="/",
    )
    try:
        wait_for(process, port, folder / "log")
        yield Pooler("127.0.0.1", port, folder / "log")
    finally:
        process.terminate()
        process.wait(10)
        account.delete(folder)


def wait_for(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    end = time.monotonic() + 10
    while time.monotonic() < end and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
            return
        except OSError:
            time.sleep(0.02)
    pytest.fail(f"pgbouncer did not start: {log.read_text() if log.exists() else 'no log'}")
