"""Commands as callers of the library give them: a desk, a run and its options in one call each."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from msgspec.structs import replace

from bgce_migrate.apply.context import Limits, Options, RunInfo
from bgce_migrate.apply.losses import Loss
from bgce_migrate.apply.target import Address
from bgce_migrate.desk import Desk
from bgce_migrate.migration import MigrationId
from bgce_migrate.outcome import Head, RunReport
from bgce_migrate.undoing import DownSelection

Place = Path | Desk
OPTIONS = Options(limits=replace(Limits(), lock_wait=10.0, retry_for=10.0))


def yes(losses: tuple[Loss, ...]) -> bool:
    """Consent to everything."""
    return True


def no(losses: tuple[Loss, ...]) -> bool:
    """Consent to nothing."""
    return False


def open_desk(place: Place, no_plugins: Sequence[str] = ()) -> Desk:
    """A project where `place` has a bgce.toml, else a plain tree."""
    if isinstance(place, Desk):
        return place
    if (place / "bgce.toml").is_file():
        return Desk.load(place, no_plugins=no_plugins)
    return Desk.load(place, migrations=place)


def address(place: Place, url: str, passwords: Mapping[str, str] | None = None) -> Address:
    """The address of a run: the project's bookkeeping schema and mode."""
    database = open_desk(place).project.database
    return Address(url, database.bookkeeping_schema, database.mode, passwords or {})


def up(
    place: Place, url: str, *, passwords: Mapping[str, str] | None = None, jobs: int = 1,
    expect: str | None = None, atomic: bool = False, deployment: str | None = None, **selection: Any,
) -> RunReport:  # fmt: skip
    """Apply; `selection` is that of `Desk.up`."""
    desk = open_desk(place)
    options = replace(OPTIONS, jobs=jobs, expect=expect, atomic=atomic)
    with desk.open(address(desk, url, passwords)) as target:
        return desk.up(target, RunInfo.new("up", deployment=deployment), options, **selection)


def down(
    place: Place, url: str, *, passwords: Mapping[str, str] | None = None,
    consent: Callable[[tuple[Loss, ...]], bool] = yes, source: Literal["history", "file"] | None = None,
    jobs: int = 1, **selection: Any,
) -> RunReport:  # fmt: skip
    """Undo; `selection` is a `DownSelection`."""
    desk = open_desk(place)
    with desk.open(address(desk, url, passwords)) as target:
        return desk.down(
            target, RunInfo.new("down"), replace(OPTIONS, jobs=jobs), DownSelection(**selection),
            consent=consent, source=source,
        )  # fmt: skip


def goto(
    place: Place, url: str, domain: str | None, version: int,
    consent: Callable[[tuple[Loss, ...]], bool] = yes,
) -> RunReport:  # fmt: skip
    """Bring one domain to a version."""
    desk = open_desk(place)
    with desk.open(address(desk, url)) as target:
        return desk.goto(target, RunInfo.new("goto"), OPTIONS, domain, version, consent=consent)


def force(place: Place, url: str, domain: str | None, version: int) -> tuple[MigrationId, ...]:
    """Record a version."""
    desk = open_desk(place)
    with desk.open(address(desk, url)) as target:
        return desk.force(target, RunInfo.new("force"), OPTIONS.limits, domain, version)


def version(place: Place, url: str, domain: str | None = None) -> dict[str, int | None]:
    """The highest applied version of each domain."""
    desk = open_desk(place)
    with desk.open(address(desk, url)) as target:
        return desk.version(target, domain)


def states(place: Place, url: str) -> dict[str, str]:
    """State by short id."""
    desk = open_desk(place)
    with desk.open(address(desk, url)) as target:
        return {row.id.short: row.state for row in desk.status(target)}


def require_done(report: RunReport) -> RunReport:
    """The report, if everything in it was applied."""
    assert report.failure is None, (report.failure, report.failure.hint, report.failure.facts)
    assert report.result in ("done", "nothing_to_do")
    return report


Heads = Mapping[str, Head]
