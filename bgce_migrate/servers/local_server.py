"""Servers we start ourselves from programs on this machine (providers `embedded` and `local`)."""

from __future__ import annotations

import contextlib
import secrets
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bgce_migrate.errors import Unavailable, UsageError
from bgce_migrate.servers import place
from bgce_migrate.servers.account import Account, server_account
from bgce_migrate.servers.cluster import ADMIN, FAST, FIRST_PORT, HOST, PORTS, Cluster, free_port
from bgce_migrate.servers.programs import Programs, find
from bgce_migrate.servers.record import Record, locked, read_record, read_records, write_record
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
    with locked(private, key):
        record = _believed(private, key)
        if record and record.provider != provider:
            raise UsageError(
                f"the server {key} in {private} was made by provider {record.provider}, not {provider}",
                hint="use that provider, or give the new server another name",
            )
        if record and (pid := _cluster(record).pid()):
            return _server(record, pid)
        record, cluster, programs = _prepared(private, programs, name, record)
        return _started(private, record, cluster, programs, (FAST if fast else {}) | dict(settings or {}))


def stop(
    root: Path, *, name: str = "server", major: int | None = None, mode: str = "fast"
) -> tuple[Server, ...]:
    """Stop the servers `name` of `root` that run (all majors without `major`) and return them.

    Raises:
        UsageError: `mode` is none of smart, fast, immediate.
        Unavailable: a server did not stop within a minute.
    """
    stopped = []
    private = root.absolute() / place.PRIVATE
    for record in _chosen(private, name, major):
        with locked(private, record.key):
            cluster = _cluster(record)
            if cluster.pid() is not None:
                cluster.stop(mode)
                stopped.append(_server(record, None))
    return tuple(stopped)


def status(root: Path) -> tuple[Server, ...]:
    """All servers of `root`, running or not; never starts or changes anything."""
    private = root.absolute() / place.PRIVATE
    return tuple(_server(record, _cluster(record).pid()) for record in _chosen(private, None, None))


def remove(root: Path, *, name: str, major: int | None = None) -> None:
    """Stop the servers `name` of `root` at once and delete their data."""
    private = root.absolute() / place.PRIVATE
    for record in _chosen(private, name, major):
        with locked(private, record.key):
            cluster = _cluster(record)
            cluster.stop("immediate")
            for folder in (Path(record.socket_dir), cluster.folder):
                cluster.account.delete(folder)
                # As root the folder itself lies among root's; its content is gone.
                with contextlib.suppress(OSError):
                    folder.rmdir()
            (private / f"{record.key}.json").unlink(missing_ok=True)


def _used_major(private: Path, provider: str, name: str) -> int | None:
    """The newest major that this server was started with, so that an upgrade of the programs keeps it."""
    records = [record for record in read_records(private) if record.name == name]
    return next((record.major for record in records if record.provider == provider), None)


def _chosen(private: Path, name: str | None, major: int | None) -> list[Record]:
    if not private.is_dir():
        return []
    keys = [r.key for r in read_records(private) if name in (None, r.name) and major in (None, r.major)]
    return [record for key in keys if (record := _believed(private, key))]


def _believed(private: Path, key: str) -> Record | None:
    """The record, unless it names a folder that is not ours: as root we would act on it."""
    record = read_record(private, key)
    if record and (record.key != key or Path(record.folder) not in place.allowed_folders(private, key)):
        if (private / key).is_dir():
            # The checkout was moved with its server stopped; its files moved along.
            return replace(record, folder=str(private / key), socket_dir=str(private / key / "socket"))
        raise UsageError(
            f"{private / key}.json speaks of the folder {record.folder}, which is not this server's",
            hint="the checkout was moved or copied: remove that file to begin with an empty server",
        )
    return record


def _cluster(record: Record) -> Cluster:
    folder = Path(record.folder)
    return Cluster(folder, server_account(folder.stat().st_uid if folder.is_dir() else None))


def _prepared(
    private: Path, programs: Programs, name: str, record: Record | None
) -> tuple[Record, Cluster, Programs]:
    """A data directory with its record; programs copied where the server's user cannot reach them."""
    key = f"{name}-{programs.major}"
    notes: tuple[str, ...] = ()
    if record and Path(record.folder).is_dir():
        cluster, notes = _cluster(record), record.notes
    else:
        account = server_account(private.stat().st_uid)
        folder, notes = place.reachable_folder(private, account, key)
        cluster, record = Cluster(folder, account), None
    programs, copied = _reachable_programs(private, programs, cluster.account)
    notes = tuple(dict.fromkeys((*notes, *copied)))
    if record is None and cluster.made:
        raise UsageError(
            f"there is a server's data in {cluster.folder}, but no record with its password",
            hint=f"bring {private / key}.json back, or move that folder away to begin with an empty server",
        )
    record = Record(
        provider=programs.provider,
        name=name,
        major=programs.major,
        version=programs.version,
        # From the place alone, so that the port is the same after the server was removed and made again.
        port=record.port if record else FIRST_PORT + int(place.digest(cluster.folder), 16) % PORTS,
        folder=str(cluster.folder),
        socket_dir=str(place.socket_folder(cluster.folder, cluster.account)),
        password=record.password if record else secrets.token_urlsafe(18),
        notes=notes,
    )
    write_record(private, record)
    cluster.initialise(programs, record.password)
    return record, cluster, programs


def _reachable_programs(
    private: Path, programs: Programs, account: Account
) -> tuple[Programs, tuple[str, ...]]:
    if not account.switch or _runs(programs, account):
        return programs, ()
    if programs.provider != "embedded":
        raise UsageError(
            f"the user {account.name} cannot run {programs.path('postgres')}",
            hint="install the server where every user can run it, or use --provider embedded",
        )
    copy = place.programs_folder(private, programs.version, programs.folder.parent, account)
    note = f"the user {account.name} cannot reach {programs.folder}, so the programs were copied to {copy}"
    return replace(programs, folder=copy), (note,)


def _runs(programs: Programs, account: Account) -> bool:
    with contextlib.suppress(Unavailable):
        asked = [account.run([programs.path(name), "--version"]) for name in ("initdb", "postgres", "pg_ctl")]
        return all(done.returncode == 0 for done in asked)
    return False


def _started(
    private: Path, record: Record, cluster: Cluster, programs: Programs, settings: Mapping[str, str]
) -> Server:
    """Start on the recorded port, or on another one when somebody has taken it meanwhile."""
    attempts = 3
    while True:
        record = replace(record, port=free_port(record.port))
        write_record(private, record)
        cluster.configure(record.port, Path(record.socket_dir), settings)
        try:
            return _server(record, cluster.start(programs))
        except Unavailable as error:
            attempts -= 1
            if "could not bind" not in error.message or not attempts:
                raise
            record = replace(record, port=record.port + 1)


def _server(record: Record, pid: int | None) -> Server:
    return Server(
        provider=record.provider,
        name=record.name,
        major=record.major,
        version=record.version,
        host=HOST,
        port=record.port,
        socket_dir=Path(record.socket_dir),
        data=f"{record.folder}/data",
        admin=ADMIN,
        admin_password=record.password,
        pid=pid,
        notes=record.notes,
    )
