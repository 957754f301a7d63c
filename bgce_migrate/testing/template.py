"""One migrated database, kept as a template on a throw-away server of our own, and copies of it for tests."""

from __future__ import annotations

import hashlib
import itertools
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate import __version__, servers
from bgce_migrate.apply.context import Options, RunInfo
from bgce_migrate.config import Project
from bgce_migrate.db.scram import verifier
from bgce_migrate.db.session import connect
from bgce_migrate.db.statements import (
    MIGRATOR,
    clone_database,
    drop_database,
    open_template,
    seal_template,
    set_verifier,
)
from bgce_migrate.desk import Desk
from bgce_migrate.errors import BgceError, UsageError
from bgce_migrate.local import login_password, ready_address
from bgce_migrate.servers import Server
from bgce_migrate.servers.choose import choose
from bgce_migrate.testing.holders import Holders

#: Not the server that `up` or `verify` uses.
NAME = "pytest"
PREFIX = "bgce_template_"

_numbers = itertools.count(1)


class Database(Struct, frozen=True):
    """A test's own database.

    Attributes:
        name: on the server.
        url: of the one who may do everything in it: the administrator, or in a plain tree the tables' owner.
        service_urls: by service, as its own login with just the rights that are declared.
    """

    name: str
    url: str
    service_urls: Mapping[str, str]

    def service_url(self, service: str) -> str:
        """As a service sees it.

        Raises:
            UsageError: no such service is declared.
        """
        if service not in self.service_urls:
            known = ", ".join(sorted(self.service_urls)) or "none is declared"
            raise UsageError(f"there is no service '{service}'", hint=f"the services are: {known}")
        return self.service_urls[service]


class Template(Struct, frozen=True):
    """The database that tests copy; nobody can connect to it."""

    server: Server
    name: str
    project: Project

    @contextmanager
    def copy(self) -> Iterator[Database]:
        """A database of its own for one test; gone at the end, with whoever is still connected."""
        server, name = self.server, f"test_{os.getpid()}_{next(_numbers)}"
        guarded = self.project.declared
        with connect(server.url(), "") as admin:
            admin.execute(clone_database(name, self.name, server.admin if guarded else MIGRATOR))
        role, password = (None, None) if guarded else (MIGRATOR, login_password(server, MIGRATOR))
        services = {
            s.name: server.url(s.login, login_password(server, s.login), name)
            for d in self.project.domains
            for s in d.services
        }
        try:
            yield Database(name, server.url(role, password, name), services)
        finally:
            with connect(server.url(), "") as admin:
                admin.execute(drop_database(name))


@contextmanager
def template(desk: Desk, root: Path, major: int | None) -> Iterator[Template]:
    """The template of a project's migrations as they are now, made by the first who asks.

    Several processes share it: xdist's workers, and sessions side by side. The last of them stops the server.

    Args:
        root: where the server's files are kept for a tree without a project.

    Raises:
        BgceError: the migrations cannot be applied, or no server is there.
    """
    project = desk.project
    home = project.root if project.declared else root
    planned = desk.plan(None, allow_unlocked=True)
    wanted = {name for names in planned.extensions.values() for name in names} | set(project.database.extensions)
    chosen = choose(major=major, extensions=wanted)
    name = PREFIX + _digest(desk)
    holders = Holders.of(home)
    with holders.alone():
        server = servers.start(home, provider=chosen.provider, major=chosen.major, name=NAME, fast=True)
        holders.enter(name)
        try:
            _ensure(desk, server, name, holders.held())
        except BaseException:
            _leave(holders, home)
            raise
    try:
        yield Template(server, name, project)
    finally:
        with holders.alone():
            _leave(holders, home)


def _leave(holders: Holders, home: Path) -> None:
    holders.leave()
    if not holders.held():
        servers.stop(home, name=NAME)


def _ensure(desk: Desk, server: Server, name: str, held: frozenset[str]) -> None:
    """Make the template unless it is there whole; drop older ones that nobody holds."""
    with connect(server.url(), "") as admin:
        sealed = {row[0] or "": row[1] == "true" for row in admin.ask("target", "test_templates")}
        for old in sealed:
            if old not in held or not sealed[old]:
                admin.execute(open_template(old))
                admin.execute(drop_database(old))
        if sealed.get(name):
            return
        _fill(desk, server, name)
        admin.execute(seal_template(name))


def _fill(desk: Desk, server: Server, name: str) -> None:
    project = desk.project
    alike = replace(project, database=replace(project.database, mode="role"))
    with desk.open(ready_address(server, alike, name)) as target:
        report = desk.up(target, RunInfo.new("test"), Options(), allow_unlocked=True)
    if report.failure is not None:
        raise report.failure
    logins = [s.login for d in project.domains for s in d.services]
    with connect(server.url(database=name), "") as admin:
        for login in logins:
            admin.execute(set_verifier(login, verifier(admin, login, login_password(server, login))))


def _digest(desk: Desk) -> str:
    """Of everything that decides what the template holds."""
    project = desk.project
    files = [(str(i), m.up.sha256, m.down.sha256 if m.down else "") for i, m in desk.tree.migrations.items()]
    parts = (__version__, project.domains, project.database, project.history_view, project.timezone, files)
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def explained(error: BgceError) -> str:
    """An error as the command line tells it."""
    lines = [f"error: {error.message}", *(f"  {p}" for p in error.problems if str(p) != error.message)]
    if error.hint:
        lines.append(f"hint: {error.hint}")
    if error.where is not None:
        lines.append(f"at: {error.where}")
    return "\n".join(lines)
