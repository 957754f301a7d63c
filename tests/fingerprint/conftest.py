"""One database with one of everything, on each major."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bgce_migrate.db import catalog_reader
from bgce_migrate.db.session import Session, connect
from bgce_migrate.fingerprint.model import Catalog
from bgce_migrate.servers import Server
from tests.fingerprint.scene import BASE, made, run
from tests.servers import as_superuser


@pytest.fixture(scope="module")
def everything(any_server: Server) -> Iterator[tuple[Session, Catalog]]:
    """A session in a database with one of everything, and its catalog."""
    with made(any_server) as make:
        url = make()
        run(as_superuser(url), BASE)
        with connect(as_superuser(url), "bgce_migrate") as session:
            session.execute("SET search_path = app")
            yield session, catalog_reader.read(session)
