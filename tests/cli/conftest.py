"""Projects to run the program in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import PLAIN, SHOP, write


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """Two declared domains: posts refer to users."""
    return write(tmp_path / "shop", SHOP)


@pytest.fixture
def plain(tmp_path: Path) -> Path:
    """A folder of golang-migrate's files, three pairs; the project's folder is above it."""
    write(tmp_path / "db", PLAIN)
    return tmp_path
