"""A throw-away database on a server of our own, bootstrapped like a real one, and clones of it."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate import servers
from bgce_migrate.apply.target import Address
from bgce_migrate.config import Project
from bgce_migrate.config.project import Compat
from bgce_migrate.db.session import connect, in_database
from bgce_migrate.db.statements import MIGRATOR, clone_database, drop_database
from bgce_migrate.local import ready_address
from bgce_migrate.servers import Server
from bgce_migrate.servers.choose import choose

#: Not the server that `up` uses: its files may be lost.
NAME = "scratch"


class Scratch(Struct, frozen=True):
    """A throw-away database.

    Attributes:
        address: the migrator's.
        guarded: it has owner roles; else the migrator owns it.
    """

    server: Server
    address: Address
    name: str
    guarded: bool

    @contextmanager
    def clone(self) -> Iterator[Address]:
        """A copy of the database as it is now; nobody may be connected to it."""
        copy = f"{self.name}_copy"
        with connect(self.server.url(), self.address.schema) as admin:
            # Its owner has rights on schema public that others lack.
            owner = self.server.admin if self.guarded else MIGRATOR
            admin.execute(clone_database(copy, self.name, owner))
            try:
                yield replace(self.address, conninfo=in_database(self.address.conninfo, copy))
            finally:
                admin.execute(drop_database(copy))


@contextmanager
def beside(place: Scratch, project: Project) -> Iterator[Scratch]:
    """A second fresh database of the same project on the same server, as the first was at first."""
    name = f"{place.name}_beside"
    address = ready_address(place.server, _alike(project), name)
    try:
        yield replace(place, address=address, name=name)
    finally:
        with connect(place.server.url(), "") as admin:
            admin.execute(drop_database(name))


def _alike(project: Project) -> Project:
    """One login for all domains: a step runs as its owner's role either way. Nothing is kept for other tools."""
    return replace(project, database=replace(project.database, mode="role"), compat=Compat())


@contextmanager
def scratch(
    project: Project, extensions: Iterable[str], *, provider: str | None, major: int | None, plain: bool = False
) -> Iterator[Scratch]:
    """A fresh database for a project; it and its server are gone at the end.

    Args:
        extensions: those that the migrations create: they choose the provider where none is given.
        plain: without roles of domains, whatever is declared.

    Raises:
        UsageError: no server has everything.
        Unavailable: it does not start.
    """
    root = project.root if project.declared else Path.cwd()
    chosen = choose(flag=provider, major=major, extensions=(*extensions, *project.database.extensions))
    ran = any(s.name == NAME and s.running for s in servers.status(root))
    server = servers.start(root, provider=chosen.provider, major=chosen.major, name=NAME, fast=True)
    name = f"scratch_{os.getpid()}"
    used = replace(_alike(project), file=None if plain else project.file)
    try:
        yield Scratch(server, ready_address(server, used, name), name, used.declared)
    finally:
        with connect(server.url(), "") as admin:
            admin.execute(drop_database(name))
            # Another run may have begun meanwhile.
            others = bool(admin.ask("target", "scratch_databases"))
        if not ran and not others:
            servers.stop(root, name=NAME)
