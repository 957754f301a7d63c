"""Servers for one test alone: a primary that may die, and its physical standby made with pg_basebackup."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace
from pathlib import Path

import psycopg

from bgce_migrate import servers
from bgce_migrate.servers import Server
from bgce_migrate.servers import programs as server_programs
from bgce_migrate.servers.account import Account, server_account
from bgce_migrate.servers.cluster import FIRST_PORT, Cluster, free_port
from bgce_migrate.servers.local_server import _reachable_programs
from bgce_migrate.servers.programs import Programs
from tests.servers import PROVIDERS, SETTINGS

_count = itertools.count(1)


def start_primary(root: Path, major: int, **settings: str) -> Server:
    """A server of its own; `remove_primary` ends it."""
    name = f"own{next(_count)}"
    own = {**SETTINGS, "wal_level": "replica", **settings}
    return servers.start(root, provider=PROVIDERS[major], major=major, name=name, settings=own, fast=True)


def remove_primary(root: Path, server: Server) -> None:
    """End it and delete its data."""
    servers.remove(root, name=server.name)


@dataclass
class Standby:
    """A running standby. `server` names it as the primary's value does, with its own port."""

    server: Server
    cluster: Cluster
    programs: Programs

    def url(self, url: str) -> str:
        """The same database, login and password there."""
        return url.replace(f":{self._primary_port}/", f":{self.server.port}/")

    _primary_port: int = 0

    def promote(self) -> None:
        """Make it a primary and wait until it is."""
        done = self.cluster.account.run(
            [self.programs.path("pg_ctl"), "promote", "-D", "data", "-w", "-s"], folder=self.cluster.folder
        )
        assert done.returncode == 0, done.stderr

    def stop(self) -> None:
        """Stop it; its data stay."""
        self.cluster.stop("immediate")

    def start(self) -> None:
        """Start it (again)."""
        self.cluster.start(self.programs)

    def remove(self) -> None:
        """End it and delete its data."""
        self.stop()
        self.cluster.account.delete(self.cluster.folder)
        if self.cluster.folder.exists():
            self.cluster.folder.rmdir()  # made by root for the server's user, who may empty it only


def make_standby(primary: Server) -> Standby:
    """A physical standby that streams from `primary`."""
    home = Path(primary.data).parent
    account: Account = server_account(home.stat().st_uid)
    # In a checkout that only root can enter, the server's user runs the copies that its server runs.
    found, _ = _reachable_programs(home.parent, server_programs.find(primary.provider, primary.major), account)
    folder = home.with_name(f"{home.name}-standby{next(_count)}")
    account_folder(account, folder)
    source = f"host={primary.host} port={primary.port} user=postgres password={primary.admin_password} sslmode=disable"
    done = account.run(
        [found.path("pg_basebackup"), "-d", source, "-D", "data", "-R", "-X", "stream", "-c", "fast", "--no-sync"],
        folder=folder,
    )
    assert done.returncode == 0, done.stderr
    cluster = Cluster(folder, account)
    port = free_port(max(primary.port + 1, FIRST_PORT))
    cluster.configure(port, folder, {**SETTINGS, "wal_level": "replica", "fsync": "off", "full_page_writes": "off"})
    cluster.start(found)
    return Standby(replace(primary, port=port, data=str(folder / "data")), cluster, found, primary.port)


def account_folder(account: Account, folder: Path) -> None:
    """A private folder of the server's user, made by root for it where that is needed."""
    folder.mkdir(mode=0o700)
    if account.switch:
        import os

        os.chown(folder, account.uid, account.gid)


def caught_up(primary: str, standby: str) -> bool:
    """Whether the standby has replayed all that the primary has written."""
    with psycopg.connect(primary, autocommit=True) as one, psycopg.connect(standby, autocommit=True) as two:
        place = one.execute("SELECT pg_current_wal_lsn()::text").fetchone()
        try:
            row = two.execute("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", place).fetchone()
        except psycopg.errors.SerializationFailure:
            return False  # in the way of a replay that was paused for long
    return bool(row and row[0])
