"""One guarded database of the shipped domains a module and major: bootstrapped, applied, granted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bgce_migrate.servers import Server
from tests.e2e.platform import Guarded, bootstrap, copy_platform
from tests.grants.running import grant
from tests.servers import DatabaseMaker, start_server

MAJORS = {18: "pg18", 16: "pg16", 15: "pg15"}


@pytest.fixture(scope="module", params=list(MAJORS), ids=list(MAJORS.values()))
def any_server(request: pytest.FixtureRequest, server_root: Path) -> Server:
    """18 and 16 from the wheel, Debian's 15."""
    chosen = request.config.getoption("--pg")
    if chosen and request.param not in chosen:
        pytest.skip(f"PostgreSQL {request.param} was not asked for")
    return start_server(server_root, request.param)


@pytest.fixture(scope="module")
def platform(any_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """The eleven domains, applied by the migrator; all rights made by the migrator and the administrator."""
    maker = DatabaseMaker(any_server)
    guarded = bootstrap(copy_platform(tmp_path_factory.mktemp("platform")), maker())
    from tests.e2e.desks import require_done, up

    require_done(up(guarded.project, guarded.url))
    grant(guarded, guarded.url)
    grant(guarded, guarded.admin)
    yield guarded
    maker.clean()


@pytest.fixture
def any_database(any_server: Server) -> Iterator[str]:
    """The superuser's address of a fresh database on each major."""
    maker = DatabaseMaker(any_server)
    yield maker()
    maker.clean()
