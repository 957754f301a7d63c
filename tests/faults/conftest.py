"""Fixtures of the fault tests: a site in either layout on a real server, and injections that undo themselves."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from bgce_migrate.db.statements import MIGRATOR
from bgce_migrate.servers import Server
from tests.faults.site import PLAIN_LOGIN, SECRET, Site
from tests.faults.zygote import Zygote
from tests.servers import DatabaseMaker

MakeSite = Callable[..., Site]


def build_site(server: Server, maker: DatabaseMaker, zygote: Zygote, root: Path, layout: str) -> Site:
    """An empty site: no migrations yet; a guarded one wants `bootstrap()` once its domains are written."""
    admin = maker()
    name = str(conninfo_to_dict(admin)["dbname"])
    root.mkdir(parents=True, exist_ok=True)
    (root / "migrations").mkdir(exist_ok=True)
    login = MIGRATOR
    if layout == "plain":
        login = PLAIN_LOGIN
        with psycopg.connect(admin, autocommit=True) as connection:
            if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [login]).fetchone() is None:
                connection.execute(f"CREATE ROLE {login} LOGIN PASSWORD '{SECRET}'".encode())
            connection.execute(f'ALTER DATABASE "{name}" OWNER TO {login}'.encode())
            # pg_database_owner owns `public` since 15, as it is on a fresh server.
    return Site(root, layout, admin, server.url(login, SECRET, name), server, zygote)


@pytest.fixture(scope="session")
def zygote(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Zygote]:
    """Starts commands as processes."""
    zygote = Zygote(tmp_path_factory.mktemp("commands"))
    yield zygote
    zygote.close()


@pytest.fixture
def maker(server: Server) -> Iterator[DatabaseMaker]:
    """Makes databases and drops them."""
    maker = DatabaseMaker(server)
    yield maker
    maker.clean()


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
