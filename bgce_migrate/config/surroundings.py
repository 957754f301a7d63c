"""`[pgbouncer]`, `[codeowners]`, `[alerts]` and `[notifications]` of `bgce.toml`: what stands around the database."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from types import MappingProxyType
from typing import cast

from bgce_migrate.config.project import CodeOwners
from bgce_migrate.config.schema import AlertsTable, CodeownersTable, NotificationsTable, PgbouncerTable
from bgce_migrate.metrics.alerts import Thresholds, bound_fault
from bgce_migrate.notifying.model import EVENTS, Event, Notices
from bgce_migrate.pools.model import OLDEST, PoolerSettings, parse_version
from bgce_migrate.registry.references import KeyPath, did_you_mean, printable

Fault = tuple[KeyPath, str, "str | None"]

_RESERVE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,62}\Z")
#: @user, @organisation/team or an address, as GitHub and GitLab take them.
_OWNER = re.compile(r"@[A-Za-z0-9][A-Za-z0-9._-]*(?:/[A-Za-z0-9][A-Za-z0-9._/-]*)?\Z|[^\s@]+@[^\s@]+\.[^\s@]+\Z")
_FILE = re.compile(r"[A-Za-z0-9._][A-Za-z0-9._/-]{0,250}\Z")
_MOST = 100_000
_LONGEST = 30.0  # seconds


def check_pooler(said: PgbouncerTable) -> Iterator[Fault]:
    """Every wrong value of `[pgbouncer]`."""
    version = parse_version(said.version)
    if version is None:
        yield ("pgbouncer", "version"), f"'{printable(said.version[:40])}' is not a version such as 1.21", None
    elif version < OLDEST:
        yield ("pgbouncer", "version"), f"PgBouncer {version} is older than {OLDEST}, the oldest we write for", None
    for name, value, least in (("processes", said.processes, 1), ("clients", said.clients, 1)):
        if not least <= value <= _MOST:
            yield ("pgbouncer", name), f"{value} is not a number from {least} to {_MOST}", None
    if not 0 < said.headroom <= 1:
        yield ("pgbouncer", "headroom"), f"{said.headroom:g} is not above 0 and at most 1", None
    for name, count in said.reserve.items():
        path: KeyPath = ("pgbouncer", "reserve", name)
        if not _RESERVE.match(name):
            yield path, f"'{printable(name[:80])}' is not a name of letters, digits and blanks", None
        if not 0 <= count <= _MOST:
            yield path, f"{count} is not a number from 0 to {_MOST}", None


def pooler(said: PgbouncerTable) -> PoolerSettings:
    """The checked table as a value; what it does not say of the reserve stays as it is by default."""
    usual = PoolerSettings()
    return PoolerSettings(
        version=parse_version(said.version) or OLDEST,
        processes=said.processes,
        clients=said.clients,
        headroom=said.headroom,
        reserve=MappingProxyType({**usual.reserve, **said.reserve}),
    )


def check_code_owners(said: CodeownersTable) -> Iterator[Fault]:
    """Every wrong value of `[codeowners]`."""
    if not _FILE.match(said.file) or ".." in said.file.split("/"):
        message = f"'{printable(said.file[:80])}' is not the name of a file below this one"
        yield ("codeowners", "file"), message, "CODEOWNERS, .github/CODEOWNERS or docs/CODEOWNERS"
    if said.owner is not None:
        yield from _owners(said.owner.replace("{team}", "team"), ("codeowners", "owner"))
    for team, owners in said.teams.items():
        yield from _owners(owners, ("codeowners", "teams", team))


def _owners(text: str, path: KeyPath) -> Iterator[Fault]:
    if not text.split():
        yield path, "names nobody", "for example @organisation/team"
    for one in text.split():
        if not _OWNER.match(one):
            yield path, f"'{printable(one[:80])}' is not @user, @organisation/team or an address", None


def code_owners(said: CodeownersTable) -> CodeOwners:
    """The checked table as a value."""
    teams = {team: " ".join(owners.split()) for team, owners in said.teams.items()}
    return CodeOwners(said.file, said.owner, MappingProxyType(teams))


def check_alerts(said: AlertsTable) -> Iterator[Fault]:
    """Every wrong value of `[alerts]`."""
    if fault := bound_fault(said.slow_seconds):
        yield ("alerts", "slow_seconds"), fault, None
    for name, value in (
        ("pending_hours", said.pending_hours), ("lock_wait_seconds", said.lock_wait_seconds),
        ("silent_minutes", said.silent_minutes),
    ):  # fmt: skip
        if not 0 < value <= _MOST:
            yield ("alerts", name), f"{value:g} is not above 0 and at most {_MOST}", None


def thresholds(said: AlertsTable) -> Thresholds:
    """The checked table as a value."""
    return Thresholds(said.slow_seconds, said.pending_hours, said.lock_wait_seconds, said.silent_minutes)


def check_notices(said: NotificationsTable, environments: Collection[str]) -> Iterator[Fault]:
    """Every wrong value of `[notifications]`, but for the variable's name."""
    for i, event in enumerate(said.on):
        if event not in EVENTS:
            yield ("notifications", "on", i), f"'{printable(event[:40])}' is not failure or success", None
    # A deployment waits for it, and so does whoever presses Ctrl-C.
    if not 0 < said.timeout <= _LONGEST:
        yield ("notifications", "timeout"), f"{said.timeout:g} is not above 0 and at most {_LONGEST:g} seconds", None
    for i, name in enumerate(said.environments):
        if name not in environments:
            hint = did_you_mean(name, environments) or f"[environments.{printable(name[:40])}] declares it"
            yield ("notifications", "environments", i), f"there is no environment '{printable(name[:40])}'", hint


def notices(said: NotificationsTable) -> Notices:
    """The checked table as a value."""
    on = tuple(cast(Event, event) for event in dict.fromkeys(said.on))
    return Notices(said.url_env, on, said.timeout, tuple(said.environments))
