"""One database with one of everything, on each major."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bgce_migrate.db import catalog_reader
from bgce_migrate.db.session import Session, connect
from bgce_migrate.fingerprint.model import Catalog
from bgce_migrate.servers import Server
from tests.fingerprint.scene import BASE, made, run
from tests.servers import start_server

MAJORS = {18: "pg18", 16: "pg16", 15: "pg15"}


@pytest.fixture(scope="module", params=list(MAJORS), ids=list(MAJORS.values()))
def any_server(request: pytest.FixtureRequest, server_root: Path) -> Server:
    """18 and 16 from the wheel, Debian's 15."""
    chosen = request.config.getoption("--pg")
    if chosen and request.param not in chosen:
        pytest.skip(f"PostgreSQL {request.param} was not asked for")
    return start_server(server_root, request.param)


@pytest.fixture(scope="module")
def everything(any_server: Server) -> Iterator[tuple[Session, Catalog]]:
    """A session in a database with one of everything, and its catalog."""
    with made(any_server) as make:
        url = make()
        run(url, BASE)
        with connect(url, "bgce_migrate") as session:
            session.execute("SET search_path = app")
            yield session, catalog_reader.read(session)


@pytest.fixture
def any_database(any_server: Server) -> Iterator[str]:
    """The superuser's address of a fresh database."""
    with made(any_server) as make:
        yield make()
