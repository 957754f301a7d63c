"""Fixtures for all tests: real servers, fresh databases, a clean environment."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest
from hypothesis import settings

from bgce_migrate.servers import programs as server_programs
from tests import servers as test_servers
from tests.servers import (
    administrator,
    any_database,
    any_server,
    database,
    database15,
    debian15,
    make_database,
    maker,
    pgbouncer,
    proxy,
    server,
    server_root,
)

__all__ = [
    "administrator",
    "any_database",
    "any_server",
    "database",
    "database15",
    "debian15",
    "make_database",
    "maker",
    "pgbouncer",
    "proxy",
    "server",
    "server_root",
]

# The same examples every time, so that a change is judged and not the dice; `make test-long` throws them.
settings.register_profile("same", derandomize=True, database=None)
if "BGCE_TEST_RANDOM" not in os.environ:
    settings.load_profile("same")

OWN_PREFIXES = ("BGCE_", "PG")
OWN_NAMES = ("DATABASE_URL",)


@pytest.fixture(autouse=True)
def signals_are_heard() -> None:
    """A run in the background begins with Ctrl-C ignored, a command run in this process ends so: programs would inherit it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--pg",
        action="append",
        type=int,
        metavar="MAJOR",
        help="run database tests on this major only (repeatable)",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line("markers", "postgres(*majors): majors a test of `server`/`database` runs on")
    config.addinivalue_line("markers", "superuser(why): here the product is run by a superuser, too")
    if not hasattr(config, "workerinput"):
        test_servers.sweep()
    # One root a process: roles belong to a whole server, so xdist's workers cannot share one.
    root = test_servers.make_root()
    test_servers.prepare_root(root)
    config.stash[test_servers.ROOT_KEY] = root


def pytest_unconfigure(config: pytest.Config) -> None:
    if test_servers.ROOT_KEY in config.stash:
        test_servers.remove_root(config.stash[test_servers.ROOT_KEY])


def pytest_report_header(config: pytest.Config) -> list[str]:
    found = [*server_programs.embedded(), *server_programs.local()]
    return ["servers: " + (", ".join(f"{p.provider} {p.version}" for p in found) or "none")]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "server" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("postgres")
    majors = marker.args if marker else test_servers.DEFAULT_MAJORS
    chosen = metafunc.config.getoption("--pg")
    wanted = [major for major in majors if not chosen or major in chosen]
    metafunc.parametrize(
        "server", wanted, indirect=True, ids=[f"pg{major}" for major in wanted], scope="session"
    )


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test sees the database variables of the person who runs it."""
    for name in list(os.environ):
        if name.startswith(OWN_PREFIXES) or name in OWN_NAMES:
            monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def never_superuser(request: pytest.FixtureRequest) -> Iterator[None]:
    """No session of the product was a superuser's: the servers' own logs say so."""
    yield
    found = test_servers.superuser_sessions()
    if request.node.get_closest_marker("superuser") is None:
        assert found == [], "the product ran as superuser"
