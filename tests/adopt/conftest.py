"""One scratch server for all tests of a folder, kept running between them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bgce_migrate import servers
from bgce_migrate.scratch.place import NAME
from tests.e2e.platform import copy_platform


@pytest.fixture(scope="session")
def ground(server_root: Path) -> Iterator[Path]:
    """The platform's project, whose scratch server runs already: commands called in it need not start and stop one."""
    folder = server_root / "adopt"
    folder.mkdir(exist_ok=True)
    folder.chmod(0o711)
    copy_platform(folder)
    servers.start(folder, provider="embedded", major=18, name=NAME, fast=True)
    yield folder
    servers.stop(folder, name=NAME)


@pytest.fixture
def here(ground: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in that folder."""
    monkeypatch.chdir(ground)
    return ground
