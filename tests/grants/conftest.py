"""One guarded database of the shipped domains a module and major: bootstrapped, applied, granted."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bgce_migrate.servers import Server
from tests.e2e.platform import Guarded, bootstrap, copy_platform
from tests.grants.running import grant
from tests.servers import DatabaseMaker


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
