"""Repositories that many tests begin with."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.git.repos import Site, git_environment, shop

pytest.importorskip("git", reason="needs GitPython")


@pytest.fixture(autouse=True)
def own_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Our own calls of git see no settings of the person who runs the tests."""
    for name, value in git_environment().items():
        if name.startswith("GIT_"):
            monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def first_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop, recorded and committed once."""
    return shop(tmp_path_factory.mktemp("shops") / "shop").root


@pytest.fixture
def site(tmp_path: Path, first_shop: Path) -> Site:
    """A copy of the shop, on main."""
    return Site(Path(shutil.copytree(first_shop, tmp_path / "shop", symlinks=True)))
