"""One guarded database of the shipped domains, applied and granted, whose expected catalog is kept after the first look."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bgce_migrate import servers
from tests.drift.scene import look
from tests.e2e.desks import require_done, up
from tests.e2e.platform import Guarded, bootstrap, copy_platform
from tests.grants.running import grant
from tests.servers import DatabaseMaker, start_server


@pytest.fixture(scope="package")
def platform(server_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """The eleven domains on PostgreSQL 18; the tests leave the database as they found it."""
    maker = DatabaseMaker(start_server(server_root, 18))
    guarded = bootstrap(copy_platform(tmp_path_factory.mktemp("platform")), maker())
    require_done(up(guarded.project, guarded.url))
    grant(guarded, guarded.url)
    grant(guarded, guarded.admin)
    found = look(guarded.project, guarded.url)
    assert (found.drifts, found.cached, found.applied) == ((), False, 50)
    yield guarded
    maker.clean()
    for server in servers.status(guarded.project):
        servers.remove(guarded.project, name=server.name, major=server.major)
