"""A server of a hundred connections with three services on it, and PgBouncer with the rendered file before it."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from bgce_migrate.apply.passwords import set_password
from bgce_migrate.apply.target import Address
from bgce_migrate.servers import Server, programs
from bgce_migrate.servers.account import Account, server_account
from bgce_migrate.servers.cluster import FIRST_PORT, PORTS, free_port
from tests.cli.program import bgce, write
from tests.pooler import find_pgbouncer, wait_for
from tests.servers import as_superuser, make_administrator

SECRET = "a secret of 1 service"
SERVICES = {"cortex": 5, "postal": 3, "community": 4}


def project(folder: Path, sizes: dict[str, int] | None = None, more: str = "") -> Path:
    """Three services with a table each; postal and community read from a replica."""
    sizes = sizes or SERVICES
    files: dict[str, str | bytes] = {
        "bgce.toml": (
            '[project]\nname = "archive"\ndomains = ["migrations/cortex", "migrations/postal", "migrations/community"]\n'
            f'[[replica]]\nname = "replica1"\nurl_env = "REPLICA_URL"\nservices = ["postal", "community"]\n{more}'
        )
    }
    for name, size in sizes.items():
        files[f"migrations/{name}/domain.toml"] = (
            f'name = "{name}"\n[tables.{name}_rows]\n[[services]]\nname = "{name}"\npool = {size}\n'
        )
    return write(folder, files)


@dataclass(frozen=True)
class Pooled:
    """PgBouncer on the file that `pgbouncer render` wrote."""

    folder: Path
    port: int
    superuser: str
    administrator: str
    program: Path
    account: Account

    def url(self, entry: str, login: str, password: str = SECRET) -> str:
        return make_conninfo(host="127.0.0.1", port=self.port, dbname=entry, user=login, password=password)

    def show(self, what: str) -> list[dict[str, str]]:
        """A console command, as the pooler's own system user by its socket."""
        done = self.account.run(
            [self.program, "-h", self.folder, "-p", str(self.port), "-U", "pgbouncer", "-d", "pgbouncer", "-A", "-X",
             "-F", "\t", "-c", f"SHOW {what}"]
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        head, *rows = [line.split("\t") for line in done.stdout.splitlines() if "\t" in line]
        return [dict(zip(head, row, strict=True)) for row in rows]


def prepare(url: str, folder: Path) -> None:
    """What an administrator does once: roles, passwords, and, as only a superuser may, the look-up."""
    administrator = make_administrator(url)
    write(folder / "bootstrap", {})
    assert bgce("bootstrap", "-d", administrator, cwd=folder).code == 0
    for service in SERVICES:
        set_password(Address(administrator), f"{service}_user", SECRET)
    script = bgce("pgbouncer", "render", "--lookup-sql", cwd=folder)
    assert script.code == 0, script.err
    with psycopg.connect(as_superuser(url), autocommit=True) as connection:
        connection.execute(script.out.encode())


def let_in(server: Server) -> None:
    """The pooler's role comes in by peer: its system user is the server's own here."""
    account = server_account(Path(server.data).stat().st_uid)
    hba = Path(server.data) / "pg_hba.conf"
    lines = hba.read_text()
    if "bgce_pooler" not in lines:
        account.write(hba, f"local all bgce_pooler peer map=pooler\n{lines}")
        account.write(Path(server.data) / "pg_ident.conf", f"pooler {account.name} bgce_pooler\n")
    with psycopg.connect(server.url(), autocommit=True) as connection:
        connection.execute("SELECT pg_reload_conf()")


@contextmanager
def pooled(server: Server, superuser: str, project: Path, *words: str, replica: str | None = None) -> Iterator[Pooled]:
    """Render the file, start the pooler on it, stop it at the end.

    Args:
        replica: the address of a standby; the server itself stands in for one by default.
    """
    program = find_pgbouncer()
    if program is None:
        pytest.skip("pgbouncer is not installed")
    account = server_account(Path(server.data).stat().st_uid)
    port = free_port(FIRST_PORT + (os.getpid() * 7) % PORTS)
    assert server.socket_dir is not None
    folder = server.socket_dir / f"p{port}"
    account.make_folder(folder)
    name = psycopg.conninfo.conninfo_to_dict(superuser)["dbname"]
    by_socket = make_conninfo(host=str(server.socket_dir), port=server.port, dbname=str(name))
    file = project / "pgbouncer.ini"
    answer = bgce(
        "pgbouncer", "render", "--listen-port", str(port), "--socket-dir", folder, "--output", file, *words,
        "-d", by_socket, cwd=project, env={"REPLICA_URL": replica or by_socket},
    )  # fmt: skip
    assert answer.code == 0, answer.err
    account.write(folder / "pgbouncer.ini", file.read_text())
    with (project / "pooler.log").open("wb") as log:
        process = subprocess.Popen(
            [program, str(folder / "pgbouncer.ini")], stdin=subprocess.DEVNULL, stderr=log, cwd="/",
            user=account.uid if account.switch else None, group=account.gid if account.switch else None,
            extra_groups=[] if account.switch else None,
        )  # fmt: skip
    try:
        wait_for(process, port, project / "pooler.log")
        psql = next(p for p in (*programs.embedded(), *programs.local()) if p.major == server.major).path("psql")
        yield Pooled(folder, port, superuser, make_administrator(superuser), psql, account)
    finally:
        process.terminate()
        process.wait(10)
        account.delete(folder)
