"""For services that call the engine at start-up: `up`, `status` and `wait`, without global state."""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from bgce_migrate.desk import Desk
from bgce_migrate.errors import BgceError
from bgce_migrate.migration import MigrationId
from bgce_migrate.outcome import RunReport, StatusRow

if TYPE_CHECKING:
    from bgce_migrate.apply.target import Address, Target


def _desk(directory: str | Path, migrations: str | Path | None) -> Desk:
    return Desk.load(Path(directory), migrations=Path(migrations) if migrations is not None else None)


def _address(desk: Desk, database_url: str | None, environment: Mapping[str, str] | None) -> Address:
    address, _ = desk.address(
        url=database_url,
        env=None,
        embedded=False,
        terminal=False,
        environment=os.environ if environment is None else environment,
    )
    return address


def up(
    directory: str | Path = ".",
    *,
    database_url: str | None = None,
    migrations: str | Path | None = None,
    domain: str | None = None,
    allow_unlocked: bool = False,
    lock_wait: float = 60.0,
    jobs: int | None = None,
    deployment: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> RunReport:
    """Apply what is pending. Safe to call from many processes at once; with nothing to do takes no lock.

    Args:
        directory: where the search for `bgce.toml` begins.
        database_url: instead of the project's variables.
        migrations: an undeclared tree instead of a project.
        lock_wait: seconds to wait for another run.
        jobs: lanes that run at once; None: one, or up to four where nothing is applied yet.
        environment: instead of `os.environ`.

    Returns:
        The receipt. A step that failed is in `failure`; nothing is raised for it.

    Raises:
        BgceError: refused before anything changed, or no server.

    Example:
        >>> report = up("/srv/app", domain="billing")  # doctest: +SKIP
        >>> if report.failure:  # doctest: +SKIP
        ...     raise report.failure
    """
    from bgce_migrate.apply.context import Limits, Options, RunInfo
    from bgce_migrate.naming import replicas

    desk = _desk(directory, migrations)
    info = RunInfo.new("up", deployment=deployment)
    asked = replicas(desk.project, os.environ if environment is None else environment)
    options = Options(limits=replace(Limits(), lock_wait=lock_wait), jobs=jobs, replicas=asked)
    name: str | None = None
    try:
        with desk.open(_address(desk, database_url, environment)) as target:
            name = _environment(desk, target)
            report = desk.up(target, info, options, domain=domain, allow_unlocked=allow_unlocked)
    except BgceError as error:
        report = RunReport(info.run_id, "failed", failure=error, deployment=deployment)
        for warning in _told(desk, report, name).warnings:
            logging.getLogger("bgce_migrate").warning("%s", warning)
        raise
    return _told(desk, report, name)


def _environment(desk: Desk, target: Target) -> str | None:
    """What the history says this database is; asked only where a plugin wants to hear it."""
    if not desk.host.hears_runs:
        return None
    from bgce_migrate.apply.environments import recorded_environment

    return recorded_environment(target)


def _told(desk: Desk, report: RunReport, environment: str | None) -> RunReport:
    """The report, with what plugins could not do with it among its warnings."""
    if report.result == "nothing_to_do":
        return report
    warnings = desk.host.run_ended(replace(report, command="up", environment=environment))
    return replace(report, warnings=(*report.warnings, *warnings)) if warnings else report


def status(
    directory: str | Path = ".",
    *,
    database_url: str | None = None,
    migrations: str | Path | None = None,
    environment: Mapping[str, str] | None = None,
) -> tuple[StatusRow, ...]:
    """Every migration and where it stands. Changes nothing.

    Raises:
        BgceError: configuration mistakes, or no server.
    """
    desk = _desk(directory, migrations)
    with desk.open(_address(desk, database_url, environment)) as target:
        return desk.status(target)


def wait(
    needs: str | Sequence[str],
    *,
    database_url: str = "",
    schema: str = "bgce_migrate",
    timeout: float = 60.0,
) -> None:
    """Wait until the named migrations are applied; for pods that start beside a migration job.

    Needs no migration files, no project and no right that not every login has. Takes no lock but ACCESS SHARE,
    and holds no transaction between two looks. A bookkeeping that is not there yet, a server that does not
    answer yet and a role that does not exist yet mean "not yet".

    Args:
        needs: "cortex>=000004" or "cortex/000004": that version is applied, and none below it is undone.
        database_url: for libpq; empty takes libpq's own variables.
        timeout: seconds.

    Raises:
        UsageError: a need is not of that form.
        NotReady: not there in time; says what is missing.
        Unavailable: nobody answered to the end.
        Refused: this login may not look.

    Example:
        >>> wait("cortex>=000004", database_url="postgresql://...")  # doctest: +SKIP
    """
    from bgce_migrate.db.gate import Gate

    with Gate(_needs(needs), database_url, schema, timeout) as gate:
        while (seen := gate.look()).missing:
            if gate.left <= 0:
                raise gate.closed(seen)
            time.sleep(min(seen.pause, max(gate.left, 0)))


async def wait_async(
    needs: str | Sequence[str],
    *,
    database_url: str = "",
    schema: str = "bgce_migrate",
    timeout: float = 60.0,
) -> None:
    """`wait` for programs with an event loop, which goes on meanwhile; may be cancelled."""
    import asyncio

    from bgce_migrate.db.gate import Gate

    with Gate(_needs(needs), database_url, schema, timeout) as gate:
        # Shielded: a look that is under way ends by itself before the connection is closed.
        while (seen := await asyncio.shield(asyncio.to_thread(gate.look))).missing:
            if gate.left <= 0:
                raise gate.closed(seen)
            await asyncio.sleep(min(seen.pause, max(gate.left, 0)))


def _needs(said: str | Sequence[str]) -> tuple[MigrationId, ...]:
    from bgce_migrate.db.gate import need

    return tuple(need(text) for text in ([said] if isinstance(said, str) else said))
