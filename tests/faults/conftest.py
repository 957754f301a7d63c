"""Fixtures of the fault tests: a site in either layout on a real server, and injections that undo themselves."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from bgce_migrate.db.statements import MIGRATOR
from bgce_migrate.servers import Server
from tests.cli import program
from tests.faults.site import PLAIN_LOGIN, SECRET, Site
from tests.servers import DatabaseMaker, as_superuser, make_administrator
from tests.zygote import Zygote

MakeSite = Callable[..., Site]


def build_site(server: Server, maker: DatabaseMaker, zygote: Zygote, root: Path, layout: str) -> Site:
    """An empty site: no migrations yet; a guarded one wants `bootstrap()` once its domains are written."""
    fresh = maker()
    superuser = as_superuser(fresh)
    admin = make_administrator(fresh) if layout == "guarded" else ""
    if admin:
        # As managed servers' administrators have it: the migrator is to see who blocks it.
        with psycopg.connect(superuser, autocommit=True) as connection:
            connection.execute("GRANT pg_read_all_stats TO admin WITH ADMIN OPTION")
    name = str(conninfo_to_dict(fresh)["dbname"])
    root.mkdir(parents=True, exist_ok=True)
    (root / "migrations").mkdir(exist_ok=True)
    login = MIGRATOR
    if layout == "plain":
        login = PLAIN_LOGIN
        with psycopg.connect(superuser, autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [login]).fetchone() is None:
                connection.execute(f"CREATE ROLE {login} LOGIN PASSWORD '{SECRET}'".encode())
            connection.execute(f'ALTER DATABASE "{name}" OWNER TO {login}'.encode())
            # pg_database_owner owns `public` since 15, as it is on a fresh server.
    return Site(root, layout, admin, superuser, server.url(login, SECRET, name), server, zygote)


@pytest.fixture(scope="session")
def zygote() -> Zygote:
    """Starts commands as processes."""
    return program.zygote()


@pytest.fixture
def maker(make_database: DatabaseMaker) -> DatabaseMaker:
    """Makes databases on `server` and drops them."""
    return make_database


@pytest.fixture
def make_site(server: Server, maker: DatabaseMaker, zygote: Zygote, tmp_path: Path) -> MakeSite:
    """`make_site(layout)` gives a site; call it again for another database beside it."""
    count = itertools.count(1)

    def make(layout: str = "plain", root: Path | None = None) -> Site:
        return build_site(server, maker, zygote, root or tmp_path / f"site{next(count)}", layout)

    return make


@pytest.fixture
def plain(make_site: MakeSite) -> Site:
    """A site of undeclared folders."""
    return make_site("plain")


@pytest.fixture
def guarded(make_site: MakeSite) -> Site:
    """A declared project; write its domains, then `bootstrap()`."""
    return make_site("guarded")


@pytest.fixture(params=["plain", "guarded"])
def site(request: pytest.FixtureRequest, make_site: MakeSite) -> Site:
    """A site in each layout."""
    return make_site(request.param)
