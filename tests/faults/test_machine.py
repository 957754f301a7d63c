"""Faults of the machine that need root: a network that swallows everything, full disks."""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bgce_migrate import servers
from bgce_migrate.servers import Server
from bgce_migrate.servers.account import server_account
from tests.faults.cluster import remove_primary, start_primary
from tests.faults.conftest import build_site
from tests.faults.site import PLAIN_LOGIN, Site, until
from tests.servers import DatabaseMaker
from tests.zygote import Zygote

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="needs root (firewall rules, mounts)")
needs_iptables = pytest.mark.skipif(shutil.which("iptables") is None, reason="iptables is not installed")


@contextlib.contextmanager
def swallowed(*ports: int) -> Iterator[None]:
    """Nothing from or to these client ports arrives any more, and nobody is told."""
    rules = [[chain, "-i" if chain == "INPUT" else "-o", "lo", "-p", "tcp", way, str(port), "-j", "DROP"]
             for port in ports for chain in ("INPUT", "OUTPUT") for way in ("--sport", "--dport")]  # fmt: skip
    try:
        for rule in rules:
            added = subprocess.run(["iptables", "-w", "-I", *rule], capture_output=True, text=True, check=False)
            if added.returncode:
                pytest.skip(f"firewall rules cannot be set here: {added.stderr.strip()}")
        yield
    finally:
        for rule in rules:
            subprocess.run(["iptables", "-w", "-D", *rule], capture_output=True, check=False)


@contextlib.contextmanager
def small_disk(folder: Path, size: str) -> Iterator[None]:
    """A file system of this size at `folder`, which belongs to the server's user."""
    account = server_account()
    folder.mkdir(mode=0o700, exist_ok=True)
    options = f"size={size},mode=0700,uid={account.uid},gid={account.gid}"
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", options, "tmpfs", folder], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"nothing can be mounted here: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", folder], check=False)


@needs_root
@needs_iptables
@pytest.mark.postgres(18)
def test_half_open_connections(plain: Site) -> None:
    """F18: both sides notice within 15 s: the locks are freed, the client exits 4 or 6, and the next run is whole."""
    site = plain
    site.write("core", 1, "CREATE TABLE one (id int);", "DROP TABLE one;")
    # Long on the connections of now, short on those that come later.
    sleep = "SELECT pg_sleep(coalesce(current_setting('test.sleep', true), '300')::float);"
    site.write("core", 2, f"CREATE TABLE two (id int);\n{sleep}", "DROP TABLE two;")
    run = site.start("up", "--retry-for", "1")
    until(lambda: site.working("SELECT pg_sleep"))
    ports = [row[0] for row in site.query(
        "SELECT client_port FROM pg_stat_activity WHERE datname = current_database()"
        " AND application_name LIKE 'bgce-migrate%'"
    )]  # fmt: skip
    site.query(f"ALTER ROLE {PLAIN_LOGIN} SET test.sleep = '0'")
    began = time.monotonic()
    with swallowed(*ports):
        until(lambda: not site.query("SELECT 1 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%%'"
                                     " AND client_port = ANY (%s)", ports), 20)  # fmt: skip
        assert time.monotonic() - began < 16
        # The client comes back on new connections, which arrive.
        done = run.wait(60)
    assert done.code in (0, 4, 6), done.stderr
    assert site.run("up").code == 0
    assert site.applied() == ["core/1", "core/2"]


@needs_root
def test_data_disk_full(plain: Site, server: Server) -> None:
    """F35: 53100: exit 5, nothing of the step stands, it is not tried again; with room it works."""
    plain.write("core", 1, "CREATE TABLE one (id int);")
    fill = "INSERT INTO big SELECT repeat(md5(g::text), 30) FROM generate_series(1, 20000) g;"
    plain.write("core", 2, f"CREATE TABLE big (t text) TABLESPACE small;\n{fill}")
    folder = Path(server.data).parent / "small"
    with small_disk(folder, "4m"):
        plain.query(f"CREATE TABLESPACE small LOCATION '{folder}'")
        try:
            plain.query(f"GRANT CREATE ON TABLESPACE small TO {PLAIN_LOGIN}")
            done = plain.run("up")
            assert done.code == 5, done.stderr
            assert "53100" in done.stderr and "disk is full" in done.stderr
            assert done.document["steps"][1]["retries"] == 0
            assert plain.tables() == {"one"}
            plain.write("core", 2, f"CREATE TABLE big (t text);\n{fill}")
            assert plain.run("up").code == 0
        finally:
            plain.query("DROP TABLESPACE small")


@pytest.fixture
def cramped(server: Server, server_root: Path) -> Iterator[Server]:
    """A server of its own that this test may break."""
    own = start_primary(server_root, server.major, min_wal_size="32MB", max_wal_size="1GB")
    yield own
    remove_primary(server_root, own)


@needs_root
def test_wal_disk_full(cramped: Server, server_root: Path, zygote: Zygote, tmp_path: Path) -> None:
    """F36: the server goes down: exit 4 or 6; with room it comes back, and the next run applies everything once."""
    site = build_site(cramped, DatabaseMaker(cramped), zygote, tmp_path / "site", "plain")
    site.write("core", 1, "CREATE TABLE one (id int);")
    site.write("core", 2, "CREATE TABLE big AS SELECT repeat(md5(g::text), 30) AS t FROM generate_series(1, 120000) g;")
    servers.stop(server_root, name=cramped.name)
    wal = Path(cramped.data) / "pg_wal"
    aside = Path(cramped.data).parent / "wal-aside"
    with small_disk(aside, "64m"):
        subprocess.run(["sh", "-c", f"cp -a {wal}/. {aside}/ && rm -rf {wal} && ln -s {aside} {wal}"], check=True)
        settings = {"max_wal_size": "1GB", "min_wal_size": "32MB"}
        servers.start(server_root, provider=cramped.provider, major=cramped.major, name=cramped.name,
                      settings=settings, fast=True)  # fmt: skip
        run = site.in_background(limits={"resolve_timeout": 3.0})
        report = run.result()
        assert report.exit_code in (4, 6), report.failure
        subprocess.run(["mount", "-o", "remount,size=1g", aside], check=True)
        servers.stop(server_root, name=cramped.name, mode="immediate")
        servers.start(server_root, provider=cramped.provider, major=cramped.major, name=cramped.name,
                      settings=settings, fast=True)  # fmt: skip
        assert site.applied() == ["core/1"]
        assert site.run("up").code == 0
        assert site.applied() == ["core/1", "core/2"]
        servers.stop(server_root, name=cramped.name, mode="immediate")
