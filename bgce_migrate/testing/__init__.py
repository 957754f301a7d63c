"""A plugin for pytest: `bgce_db`, a freshly migrated database for a test, and `bgce_migrations_proven`.

Loaded by every pytest where the package is installed, so it imports nothing until a fixture is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from bgce_migrate.desk import Desk
    from bgce_migrate.testing.template import Database, Template
    from bgce_migrate.verify.model import Proof

_SETTINGS = {
    "bgce_project": "folder in which the search for bgce.toml begins, from the root of the tests (the root)",
    "bgce_migrations": "folder of plain golang-migrate files, instead of a project",
    "bgce_domain": "the domain whose downs bgce_migrations_proven proves (all)",
    "bgce_pg": "PostgreSQL's major for both fixtures (the newest)",
}


def pytest_addoption(parser: pytest.Parser) -> None:
    """Settings of pytest's own configuration file."""
    for name, words in _SETTINGS.items():
        parser.addini(name, f"bgce-migrate: {words}", default="")


@pytest.fixture(scope="session")
def bgce_template(pytestconfig: pytest.Config) -> Iterator[Template]:
    """The database that `bgce_db` copies: made once for all tests, and for all of xdist's workers."""
    from bgce_migrate.testing.template import template

    with _explained(), template(_desk(pytestconfig), pytestconfig.rootpath, _major(pytestconfig)) as made:
        yield made


@pytest.fixture
def bgce_db(bgce_template: Template) -> Iterator[Database]:
    """A database in which every migration is applied, the test's own: `bgce_db.url`, `bgce_db.service_url(name)`."""
    with bgce_template.copy() as database:
        yield database


@pytest.fixture(scope="session")
def bgce_migrations_proven(pytestconfig: pytest.Config) -> tuple[Proof, ...]:
    """What `bgce-migrate verify` says; whoever asks for it fails where a down does not undo its up."""
    from bgce_migrate.testing.proving import failures, prove

    with _explained():
        proofs = prove(_desk(pytestconfig), pytestconfig.getini("bgce_domain") or None, _major(pytestconfig))
    if lines := failures(proofs):
        pytest.fail("\n".join(lines), pytrace=False)
    return proofs


def _desk(config: pytest.Config) -> Desk:
    from bgce_migrate.desk import Desk

    root = config.rootpath
    migrations = config.getini("bgce_migrations")
    return Desk.load(root / config.getini("bgce_project"), migrations=root / migrations if migrations else None)


def _major(config: pytest.Config) -> int | None:
    said = str(config.getini("bgce_pg"))
    return int(said) if said else None


@contextmanager
def _explained() -> Iterator[None]:
    """An error of ours is told as the command line tells it, without a traceback."""
    from bgce_migrate.errors import BgceError

    try:
        yield
    except BgceError as error:
        from bgce_migrate.testing.template import explained

        pytest.fail(explained(error), pytrace=False)
