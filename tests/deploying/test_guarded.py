"""Deployments on the platform itself, guarded, with its real logins: what failed leaves no right behind either."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bgce_migrate import library
from bgce_migrate.db.catalog_reader import read
from bgce_migrate.db.session import connect
from bgce_migrate.fingerprint.compare import compare
from bgce_migrate.fingerprint.model import Catalog
from bgce_migrate.servers import Server
from tests.cli.program import Answer, bgce
from tests.e2e.platform import Guarded, bootstrap, copy_platform
from tests.servers import DatabaseMaker

pytestmark = pytest.mark.postgres(18, 16)


@pytest.fixture
def platform(server: Server, tmp_path: Path) -> Iterator[Guarded]:
    """Bootstrapped, nothing applied."""
    maker = DatabaseMaker(server)
    yield bootstrap(copy_platform(tmp_path / "platform"), maker())
    maker.clean()


def everything(platform: Guarded) -> Catalog:
    with connect(platform.url, "bgce_migrate") as session:
        return read(session, without=["bgce_migrate"])


def failing(platform: Guarded, *words: str) -> Answer:
    line = ("deploy", "--deployment", "d1", "--undo", "all", "--allow-unlocked", *words, "--", "false")
    return bgce(*line, cwd=platform.project, env={"BGCE_DATABASE_URL": platform.url})


def test_all_domains_and_back(platform: Guarded) -> None:
    before = everything(platform)
    answer = failing(platform, "--all-domains")
    assert answer.code == 1, answer.err
    assert compare(before, everything(platform)) == ()


@pytest.mark.parametrize("there", ["cortex", "postal"])
def test_one_domain_and_what_it_needs_and_back(there: str, platform: Guarded) -> None:
    report = library.up(platform.project, database_url=platform.url, allow_unlocked=True, domain=there)
    assert report.failure is None
    before = everything(platform)
    answer = failing(platform, "--domain", "community")
    assert answer.code == 1, answer.err
    assert compare(before, everything(platform)) == ()
