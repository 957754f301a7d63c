"""Real servers for tests, started through `bgce_migrate.servers`, and fresh databases on them.

Every database belongs to a login that is no superuser; `as_superuser` is for faults and for looking, never for the product.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from bgce_migrate import servers
from bgce_migrate.servers import Server
from bgce_migrate.servers import programs as server_programs
from tests.pooler import Pooler, start_pgbouncer
from tests.proxy import Proxy

#: Majors that `server` and `database` run on; a test asks for others with `@pytest.mark.postgres(18, 15)`.
DEFAULT_MAJORS = (18, 16)
#: Majors of `any_server`.
ANY = (18, 16, 15)
#: Where each major comes from.
PROVIDERS = {18: "embedded", 16: "embedded", 17: "local", 15: "local", 14: "local"}
SETTINGS = {
    "max_connections": "200",
    "max_prepared_transactions": "20",
    "autovacuum": "off",
    "synchronous_commit": "on",  # a COMMIT answers when it is done, as everywhere
    "log_connections": "on",  # who logged in with which program: see `superuser_sessions`
}
#: Owns the databases of tests: what a managed server's first login may, but without CREATEROLE.
OWNER, OWNER_PASSWORD = "tests_login", "owner's secret"
OWNER_IS_IN = "pg_read_all_stats, pg_signal_backend"
ROOT_PREFIX = "bgce-tests-"

_counter = itertools.count(1)


def make_root() -> Path:
    """A short folder for this process's servers, whose name tells who is to remove it."""
    return Path(tempfile.mkdtemp(prefix=f"{ROOT_PREFIX}{os.getpid()}-", dir="/tmp"))


def prepare_root(root: Path) -> None:
    """Let the server's user walk through (as root the server runs as somebody else)."""
    root.chmod(0o711)


def remove_root(root: Path) -> None:
    """Stop everything that runs under `root` and delete it."""
    with contextlib.suppress(Exception):
        for server in servers.status(root):
            servers.remove(root, name=server.name, major=server.major)
    shutil.rmtree(root, ignore_errors=True)


def sweep() -> None:
    """Remove what earlier test runs left that were killed."""
    for root in Path("/tmp").glob(f"{ROOT_PREFIX}*"):
        match = re.match(rf"{ROOT_PREFIX}(\d+)-", root.name)
        with contextlib.suppress(FileNotFoundError):  # another run has just ended and removed its own
            if match and root.stat().st_uid == os.getuid() and not _lives(int(match[1])):
                remove_root(root)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True


def reason_missing(major: int) -> str | None:
    """Why no server of this major can run here, or None."""
    provider = PROVIDERS.get(major, "local")
    if any(found.major == major for found in server_programs.available(provider)):
        return None
    return f"PostgreSQL {major} ({provider}) is not installed"


def start_server(root: Path, major: int) -> Server:
    """The running server of `major` for this process, or a skip with a reason."""
    reason = reason_missing(major)
    if reason:
        pytest.skip(reason)
    provider = PROVIDERS.get(major, "local")
    return servers.start(root, provider=provider, major=major, name="tests", settings=SETTINGS, fast=True)


#: Servers with databases of tests, by port.
_known: dict[int, Server] = {}
#: How much of each server's log has been looked at, by its path.
_looked: dict[Path, int] = {}
_AUTHORIZED = re.compile(rb"connection authorized: user=postgres database=(\S+) application_name=(bgce-migrate\S*)")


def as_superuser(url: str) -> str:
    """The superuser's address of a test's database: for faults, and for looking at what nobody else may see."""
    known = conninfo_to_dict(url)
    return _known[int(str(known["port"]))].url(database=str(known["dbname"]))


def make_administrator(url: str, role: str = "admin", options: str = "CREATEROLE") -> str:
    """Give a test's database to a login that is no superuser and may make roles; its address."""
    name, secret = str(conninfo_to_dict(url)["dbname"]), "secret"
    with psycopg.connect(as_superuser(url), autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone() is None:
            create = f"CREATE ROLE {{}} LOGIN PASSWORD {{}} NOSUPERUSER {options}"
            connection.execute(sql.SQL(create).format(sql.Identifier(role), sql.Literal(secret)))
        alter = sql.SQL("ALTER DATABASE {} OWNER TO {}").format(sql.Identifier(name), sql.Identifier(role))
        connection.execute(alter)
    return make_conninfo(url, user=role, password=secret)


def superuser_sessions() -> list[str]:
    """Sessions that the product began as the superuser since the last call, as the servers' logs tell."""
    found = []
    for server in _known.values():
        path = Path(server.data).parent / "log"
        with contextlib.suppress(FileNotFoundError), path.open("rb") as log:
            log.seek(_looked.get(path, 0))
            text = log.read()
            _looked[path] = log.tell()
            found += [f"{name.decode()} in {base.decode()}" for base, name in _AUTHORIZED.findall(text)]
    return found


class DatabaseMaker:
    """Makes empty databases on one server; `clean` drops them and every role made since."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._made: list[str] = []
        _known[server.port] = server
        with self._admin() as connection:
            self._roles = self._role_names(connection)
            if OWNER not in self._roles:
                text = "CREATE ROLE {} LOGIN PASSWORD {} NOSUPERUSER NOCREATEROLE IN ROLE " + OWNER_IS_IN
                connection.execute(sql.SQL(text).format(sql.Identifier(OWNER), sql.Literal(OWNER_PASSWORD)))
                self._roles.add(OWNER)

    def __call__(self, name: str | None = None) -> str:
        """The URL of a fresh, empty database as its owner, who is no superuser and makes no roles."""
        name = name or f"test_{os.getpid()}_{next(_counter)}"
        with self._admin() as connection:
            text = sql.SQL("CREATE DATABASE {} OWNER {}")
            connection.execute(text.format(sql.Identifier(name), sql.Identifier(OWNER)))
        self._made.append(name)
        return self.server.url(OWNER, OWNER_PASSWORD, name)

    def copy(self, url: str) -> str:
        """The same login's URL of a copy of a database that nobody uses; rights on the database itself do not come along."""
        known, name = conninfo_to_dict(url), f"test_{os.getpid()}_{next(_counter)}"
        with self._admin() as connection:
            text = sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE {}")
            roles = map(sql.Identifier, (name, str(known["user"]), str(known["dbname"])))
            connection.execute(text.format(*roles))
        self._made.append(name)
        return make_conninfo(url, dbname=name)

    def clean(self) -> None:
        """Drop the databases, ending their connections, then the roles (they belong to the whole server)."""
        with self._admin() as connection:
            connection.execute("SET synchronous_commit = off")  # a test may have left a ghost standby
            for name in self._made:
                self._end_prepared(connection, name)
                statement = sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)")
                connection.execute(statement.format(sql.Identifier(name)))
            self._made.clear()
            left = sorted(self._role_names(connection) - self._roles)
            if left:
                # Together: roles that granted memberships to each other cannot be dropped one by one.
                names = sql.SQL(", ").join(map(sql.Identifier, left))
                connection.execute(sql.SQL("DROP OWNED BY {}").format(names))
                connection.execute(sql.SQL("DROP ROLE {}").format(names))

    def _admin(self) -> psycopg.Connection[tuple[object, ...]]:
        return psycopg.connect(self.server.url(), autocommit=True)

    def _end_prepared(self, connection: psycopg.Connection[tuple[object, ...]], name: str) -> None:
        query = "SELECT gid FROM pg_prepared_xacts WHERE database = %s"
        left = [row[0] for row in connection.execute(query, [name])]
        if left:
            with psycopg.connect(self.server.url(database=name), autocommit=True) as inside:
                for gid in left:
                    inside.execute(sql.SQL("ROLLBACK PREPARED {}").format(sql.Literal(gid)))

    @staticmethod
    def _role_names(connection: psycopg.Connection[tuple[object, ...]]) -> set[str]:
        return {str(row[0]) for row in connection.execute("SELECT rolname FROM pg_roles")}


ROOT_KEY = pytest.StashKey[Path]()


@pytest.fixture(scope="session")
def server_root(pytestconfig: pytest.Config) -> Path:
    """The folder whose `.bgce` holds this process's servers."""
    return pytestconfig.stash[ROOT_KEY]


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest, server_root: Path) -> Server:
    """A running server; the test runs once a major (ids pg18, pg16)."""
    return start_server(server_root, request.param)


@pytest.fixture(scope="session")
def debian15(server_root: Path) -> Server:
    """A running server of Debian's PostgreSQL 15 with contrib, or a skip."""
    return start_server(server_root, 15)


@pytest.fixture(scope="module", params=list(ANY), ids=[f"pg{major}" for major in ANY])
def any_server(request: pytest.FixtureRequest, server_root: Path) -> Server:
    """18 and 16 from the wheel and Debian's 15, one after the other for a whole module."""
    chosen = request.config.getoption("--pg")
    if chosen and request.param not in chosen:
        pytest.skip(f"PostgreSQL {request.param} was not asked for")
    return start_server(server_root, request.param)


@pytest.fixture
def maker(any_server: Server) -> Iterator[DatabaseMaker]:
    """Makes databases on `any_server`; they and new roles are dropped after the test."""
    maker = DatabaseMaker(any_server)
    yield maker
    maker.clean()


@pytest.fixture
def any_database(maker: DatabaseMaker) -> str:
    """Like `database`, on each of `any_server`."""
    return maker()


@pytest.fixture
def make_database(server: Server) -> Iterator[Callable[..., str]]:
    """Call it for the owner's URL of one more fresh database on `server`."""
    maker = DatabaseMaker(server)
    yield maker
    maker.clean()


@pytest.fixture
def database(make_database: Callable[..., str]) -> str:
    """Its owner's URL of a fresh, empty database; database and new roles are dropped after the test."""
    return make_database()


@pytest.fixture
def administrator(database: str) -> str:
    """Who owns `database` and makes roles: what `bootstrap` is run by."""
    return make_administrator(database)


@pytest.fixture
def database15(debian15: Server) -> Iterator[str]:
    """Like `database`, on Debian's PostgreSQL 15."""
    maker = DatabaseMaker(debian15)
    yield maker()
    maker.clean()


@pytest.fixture
def proxy(server: Server) -> Iterator[Proxy]:
    """A TCP proxy before `server`: `proxy.url(database)`."""
    with Proxy(server.host, server.port) as running:
        yield running


@pytest.fixture
def pgbouncer(server: Server) -> Iterator[Pooler]:
    """PgBouncer in transaction mode before `server`: `pgbouncer.url(database)`; a skip where it is missing."""
    with start_pgbouncer(server) as running:
        yield running
