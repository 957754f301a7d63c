"""A project and its database: what drift is found there, and statements run as whoever would run them."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from bgce_migrate.desk import Desk
from bgce_migrate.drift.find import find
from bgce_migrate.drift.model import Found
from bgce_migrate.errors import BgceError
from tests.e2e.desks import address, open_desk
from tests.e2e.platform import Guarded


def look(place: Path, url: str, **said: Any) -> Found:
    """What `drift` finds."""
    desk = _desk(place)
    with desk.open(address(desk, url), check=False) as target:
        return find(desk.tree, desk.host, target, **said)


@lru_cache(maxsize=2)
def _desk(place: Path) -> Desk:
    return open_desk(place)


def texts(found: Found) -> list[str]:
    """What is told of each change, with its domain."""
    return [f"{drift.domain or 'nobody'}: {drift.text}" for drift in found.drifts]


def run(url: str, statements: Iterable[str], role: str = "") -> None:
    """Statements one after the other, each in its own transaction, as a role."""
    with psycopg.connect(url, autocommit=True) as connection:
        if role:
            connection.execute(sql.SQL("SET ROLE {}").format(sql.Identifier(role)))
        for statement in statements:
            connection.execute(statement.encode())


def as_owner(guarded: Guarded, domain: str, statements: Iterable[str]) -> None:
    """As a step of that domain would, else as superuser."""
    run(guarded.superuser, statements, f"{domain}_owner" if domain else "")


def reason(error: BgceError) -> str:
    """Message and hint."""
    return f"{error.message} | {error.hint}"


#: What a session that only looks may say.
LOOKS = re.compile(r"\s*(--[^\n]*\n\s*)*(SELECT|WITH|SHOW|BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY|BEGIN READ ONLY|COMMIT|ROLLBACK|SET LOCAL)\b", re.IGNORECASE)


@contextmanager
def logged(server_root: Path, name: str, major: int) -> Iterator[list[str]]:
    """The statements that a server of the tests logs meanwhile; filled at the end."""
    log = next(p for p in server_root.rglob("log") if p.is_file() and p.parent.name == f"{name}-{major}")
    begun = log.stat().st_size
    said: list[str] = []
    yield said
    with log.open(encoding="utf-8", errors="replace") as file:
        file.seek(begun)
        said += re.findall(r"LOG:  (?:statement|execute [^:]*): (.*(?:\n\t.*)*)", file.read())
