"""`grants` as callers of the library give it: compare and apply with one login."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from bgce_migrate import rights
from bgce_migrate.apply.context import RunInfo
from bgce_migrate.apply.granting import Found
from bgce_migrate.apply.target import Address, Target
from bgce_migrate.db.rights_sql import statement
from bgce_migrate.desk import Desk
from bgce_migrate.grants.scope import ABSENT, Absent, Mode, Scope
from tests.e2e.desks import OPTIONS
from tests.e2e.platform import Guarded


@lru_cache(maxsize=4)
def desk_of(project: Path) -> Desk:
    """A project whose declarations do not change any more."""
    return Desk.load(project)


@contextmanager
def opened(
    guarded: Guarded, url: str, absent: Collection[Absent] = ABSENT, changing: bool = True
) -> Iterator[tuple[Scope, Target]]:
    """A database and what grants are about there."""
    desk = desk_of(guarded.project)
    database = desk.project.database
    address = Address(url, database.bookkeeping_schema, database.mode, guarded.passwords)
    with rights.opened(address, changing=changing) as target:
        yield rights.scope_of(desk.project, desk.host, target, absent), target


def grant(guarded: Guarded, url: str, mode: Mode = Mode.AUTHORITATIVE, absent: Collection[Absent] = ABSENT) -> Found:
    """Make rights as declared."""
    with opened(guarded, url, absent) as (scope, target):
        return rights.apply(scope, target, RunInfo.new("grants apply"), OPTIONS, mode)


def compare(guarded: Guarded, url: str, mode: Mode = Mode.AUTHORITATIVE, absent: Collection[Absent] = ABSENT) -> Found:
    """What differs."""
    with opened(guarded, url, absent, changing=False) as (scope, target):
        return rights.compare(scope, target, mode)


@dataclass(frozen=True)
class Told:
    """A difference in words."""

    mends: list[str]
    causes: list[str]


def told(found: Found) -> Told:
    """The statements that mend what differs, and those that led to it."""
    version, changes = found.current.server_version, found.difference.changes
    return Told([statement(c, version) for c in changes], [statement(c.inverse, version) for c in changes])
