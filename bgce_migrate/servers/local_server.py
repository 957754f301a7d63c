"""Servers we start ourselves from programs on this machine (providers `embedded` and `local`)."""

from __future__ import annotations

import contextlib
import secrets
import shutil
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bgce_migrate.errors import Unavailable, UsageError
from bgce_migrate.servers import place
from bgce_migrate.servers.account import Account, current, server_account
from bgce_migrate.servers.cluster import ADMIN, FAST, HOST, Cluster, free_port
from bgce_migrate.servers.place import Record
from bgce_migrate.servers.programs import Programs, find
from bgce_migrate.servers.server import Server


def start(
    root: Path,
    *,
    provider: str = "embedded",
    major: int | None = None,
    name: str = "server",
    settings: Mapping[str, str] | None = None,
    fast: bool = False,
) -> Server:
    """Start the server `name` of `root`, or find it running; it stays when our process ends.

    Its files are in `root/.bgce` and private. Without `major` the one used before, else the newest.

    Args:
        settings: PostgreSQL settings beside ours, in force from the next start on.
        fast: give up durability (for throw-away servers).

    Raises:
        UsageError: no programs, no user to run it as, no place for it, or a name in use otherwise.
        Unavailable: it does not start; safe to retry.
    """
    if not name.isidentifier():
        raise UsageError(f"'{name}' is not a name for a server", hint="use letters, digits and _")
    private = place.private_folder(root)
    programs = find(provider, major or _used_major(private, provider, name))
    key = f"{name}-{programs.major}"
    with place.locked(private, key):
        record = place.read_record(private, key)
        if record and record.provider != provider:
            raise UsageError(
                f"the server {key} in {private} was made by provider {record.provider}, not {provider}",
                hint="use that provider, or give the new server another name",
            )
        cluster, notes = _cluster(private, programs, key, record)
        if record and (pid := cluster.pid()):
            return _server(record, programs, cluster, pid)
        record = _prepared(cluster, key, name, record, notes)
        wanted = (FAST if fast else {}) | dict(settings or {})
        record, pid = _started(private, cluster, record, wanted)
        return _server(record, programs, cluster, pid)


def stop(
    root: Path, *, name: str = "server", major: int | None = None, mode: str = "fast"
) -> tuple[Server, ...]:
    """Stop the servers `name` of `root` that run (all majors without `major`) and return them.

    Raises:
        Unavailable: a server did not stop within a minute.
    """
    stopped = []
    private = root.absolute() / place.PRIVATE
    for record in _chosen(private, name, major):
        with place.locked(private, f"{record.name}-{record.major}"):
            cluster = _recorded_cluster(record)
            if cluster.pid() is not None:
                cluster.stop(mode)
                stopped.append(_server(record, cluster.programs, cluster, None))
    return tuple(stopped)


def status(root: Path) -> tuple[Server, ...]:
    """All servers of `root`, running or not; never starts or changes anything."""
    servers = []
    for record in _chosen(root.absolute() / place.PRIVATE, None, None):
        cluster = _recorded_cluster(record)
        servers.append(_server(record, cluster.programs, cluster, cluster.pid()))
    return tuple(servers)


def remove(root: Path, *, name: str, major: int | None = None) -> None:
    """Stop the servers `name` of `root` at once and delete their data."""
    private = root.absolute() / place.PRIVATE
    for record in _chosen(private, name, major):
        key = f"{record.name}-{record.major}"
        with place.locked(private, key):
            cluster = _recorded_cluster(record)
            if cluster.pid() is not None:
                cluster.stop("immediate")
            for folder in (Path(record.socket_dir), cluster.folder):
                shutil.rmtree(folder, ignore_errors=True)
            (private / f"{key}.json").unlink(missing_ok=True)


def _used_major(private: Path, provider: str, name: str) -> int | None:
    """The newest major that this server was started with, so that an upgrade of the programs keeps it."""
    records = [record for record in place.read_records(private) if record.name == name]
    return next((record.major for record in records if record.provider == provider), None)


def _chosen(private: Path, name: str | None, major: int | None) -> list[Record]:
    if not private.is_dir():
        return []
    records = place.read_records(private)
    return [r for r in records if name in (None, r.name) and major in (None, r.major)]


def _cluster(
    private: Path, programs: Programs, key: str, record: Record | None
) -> tuple[Cluster, tuple[str, ...]]:
    """Folder and user of a server: as recorded, else chosen; programs copied where they are out of reach."""
    if record and Path(record.folder).is_dir():
        folder, notes = Path(record.folder), record.notes
        account = server_account(folder.stat().st_uid)
    else:
        account = server_account(private.stat().st_uid)
        folder, notes = place.reachable_folder(private, account, key)
    if not account.switch or _runs(programs, account):
        return Cluster(folder, programs, account), notes
    if programs.provider != "embedded":
        raise UsageError(
            f"the user {account.name} cannot run {programs.path('postgres')}",
            hint="install the server where every user can run it, or use --provider embedded",
        )
    copy = place.programs_folder(folder, programs.version, programs.folder.parent, account)
    note = f"the user {account.name} cannot reach {programs.folder}, so the programs were copied to {copy}"
    return Cluster(folder, replace(programs, folder=copy), account), tuple(dict.fromkeys((*notes, note)))


def _runs(programs: Programs, account: Account) -> bool:
    with contextlib.suppress(Unavailable):
        asked = [account.run([programs.path(name), "--version"]) for name in ("initdb", "postgres", "pg_ctl")]
        return all(done.returncode == 0 for done in asked)
    return False


def _recorded_cluster(record: Record) -> Cluster:
    """A server as recorded, also when its programs have been uninstalled since."""
    folder = Path(record.folder)
    account = server_account(folder.stat().st_uid) if folder.is_dir() else current()
    try:
        programs = find(record.provider, record.major)
    except UsageError:
        programs = Programs(record.provider, record.major, str(record.major), Path("/nonexistent"))
    copy = folder.parent / f"programs-{programs.version}" / programs.folder.parent.parent.name
    copy = copy / programs.folder.parent.name / "bin"
    return Cluster(folder, replace(programs, folder=copy) if copy.is_dir() else programs, account)


def _prepared(
    cluster: Cluster, key: str, name: str, record: Record | None, notes: tuple[str, ...]
) -> Record:
    """The record of a server whose data directory is there."""
    known = record if record and (cluster.data / "PG_VERSION").exists() else None
    password = known.password if known else secrets.token_urlsafe(18)
    if not known:
        shutil.rmtree(cluster.data, ignore_errors=True)  # made by a start that never got to its record
    cluster.initialise(password)
    sockets = place.socket_folder(cluster.folder, cluster.account, known.socket_dir if known else None)
    # A port below the ephemeral range that depends on the place only, so that it is the same after a removal.
    wanted = known.port if known else 15432 + int(place.digest(cluster.folder), 16) % 10000
    return Record(
        provider=cluster.programs.provider,
        name=name,
        major=cluster.programs.major,
        port=wanted,
        folder=str(cluster.folder),
        socket_dir=str(sockets),
        password=password,
        notes=notes,
    )


def _started(
    private: Path, cluster: Cluster, record: Record, settings: Mapping[str, str]
) -> tuple[Record, int]:
    """Start on the recorded port, or on another one when somebody has taken it meanwhile."""
    for attempt in range(3):
        record = replace(record, port=free_port(record.port + attempt))
        place.write_record(private, record)
        cluster.configure(record.port, Path(record.socket_dir), settings)
        try:
            cluster.start()
        except Unavailable as error:
            if "could not bind" not in error.message or attempt == 2:
                raise
        else:
            break
    pid = cluster.pid()
    if pid is None:
        raise Unavailable(f"the server in {cluster.folder} ended right after its start")
    return record, pid


def _server(record: Record, programs: Programs, cluster: Cluster, pid: int | None) -> Server:
    return Server(
        provider=record.provider,
        name=record.name,
        major=record.major,
        version=programs.version,
        host=HOST,
        port=record.port,
        socket_dir=Path(record.socket_dir),
        data=str(cluster.data),
        admin=ADMIN,
        admin_password=record.password,
        pid=pid,
        notes=record.notes,
    )
