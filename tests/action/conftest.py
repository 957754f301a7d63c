"""A repository with a pull request, its events, and a machine to run the Action on."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.action.events import Proposal, make_checkout
from tests.action.github_stub import Stub, serving
from tests.git.repos import Site


@pytest.fixture
def github() -> Iterator[Stub]:
    """GitHub's interface on loopback."""
    with serving() as stub:
        yield stub


@pytest.fixture(scope="session")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str, str]:
    """A project on `main` and a branch `feature` with a bad migration; made once, copied for each test."""
    root = tmp_path_factory.mktemp("action") / "checkout"
    return (root, *make_checkout(root))


@pytest.fixture
def proposal(tmp_path: Path, github: Stub, checkout: tuple[Path, str, str]) -> Proposal:
    """The project, for this test alone."""
    made, before, head = checkout
    root = tmp_path / "checkout"
    shutil.copytree(made, root)
    return Proposal(Site(root), tmp_path, github, before, head)
