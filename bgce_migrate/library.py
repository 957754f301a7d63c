"""For services that call the engine at start-up: `up`, `status` and `wait`, without global state."""

from __future__ import annotations

import os
import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec.structs import replace

from bgce_migrate.desk import Desk
from bgce_migrate.errors import Refused, Unavailable, UsageError
from bgce_migrate.migration import MigrationId
from bgce_migrate.outcome import RunReport, StatusRow

if TYPE_CHECKING:
    from bgce_migrate.apply.target import Address

_POLL = 0.05  # seconds


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
    jobs: int = 1,
    deployment: str | None = None,
    environment: Mapping[str, str] | None = None,
) -> RunReport:
    """Apply what is pending. Safe to call from many processes at once; with nothing to do takes no lock.

    Args:
        directory: where the search for `bgce.toml` begins.
        database_url: instead of the project's variables.
        migrations: an undeclared tree instead of a project.
        lock_wait: seconds to wait for another run.
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

    desk = _desk(directory, migrations)
    info = RunInfo.new("up", deployment=deployment)
    options = Options(limits=replace(Limits(), lock_wait=lock_wait), jobs=jobs)
    with desk.open(_address(desk, database_url, environment)) as target:
        return desk.up(target, info, options, domain=domain, allow_unlocked=allow_unlocked)


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
    needs: Sequence[str],
    *,
    database_url: str = "",
    schema: str = "bgce_migrate",
    timeout: float = 60.0,
) -> None:
    """Wait until the named migrations are applied; for pods that start beside a migration job.

    Needs no migration files and no right but SELECT on `migration_state`.

    Args:
        needs: `domain/version`, e.g. "cortex/000003".
        database_url: for libpq; empty takes libpq's own variables.
        timeout: seconds; also bridges a server that does not answer yet.

    Raises:
        UsageError: a need is not of that form.
        Unavailable: not there in time; says what is missing.
        Refused: this login may not look.
    """
    wanted = {_need(text) for text in needs}
    deadline = time.monotonic() + timeout
    while True:
        missing, reason = _missing(wanted, database_url, schema, deadline)
        if not missing:
            return
        if time.monotonic() >= deadline:
            names = ", ".join(m.short for m in sorted(missing))
            raise Unavailable(
                f"not applied within {timeout:g} s: {names}" + (f" ({reason})" if reason else ""),
                hint="look at `bgce-migrate status`, and whether the migration job runs",
            )
        time.sleep(_POLL * random.uniform(0.5, 1.5))


def _need(text: str) -> MigrationId:
    domain, _, version = text.partition("/")
    digits = version.split("_", 1)[0]
    if not domain or not digits.isdigit():
        raise UsageError(f"'{text}' is not of the form domain/version", hint="for example cortex/000003")
    return MigrationId(domain, int(digits))


def _missing(
    wanted: set[MigrationId], conninfo: str, schema: str, deadline: float
) -> tuple[set[MigrationId], str]:
    """What is not applied yet; polls one connection until it breaks, everything is there, or time is up."""
    from bgce_migrate.db.session import connect
    from bgce_migrate.db.wire import Failed, Lost

    missing = set(wanted)
    try:
        with connect(conninfo, schema) as session:
            while missing and time.monotonic() < deadline:
                rows = session.ask("history", "applied")
                applied = {MigrationId(r[0] or "", int(r[1] or 0)) for r in rows if r[3] == "true"}
                missing = wanted - applied
                if missing:
                    time.sleep(_POLL * random.uniform(0.5, 1.5))
    except Unavailable as error:
        return missing, error.message
    except Lost as lost:
        return missing, str(lost)
    except Failed as failed:
        if failed.error.sqlstate == "42501":
            raise Refused(
                f"this login may not see what is applied: {failed.error}",
                hint=f"GRANT SELECT ON {schema}.migration_state to it; bootstrap does for declared services",
            ) from None
        return missing, str(failed.error)
    return missing, ""
