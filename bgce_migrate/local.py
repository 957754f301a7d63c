"""Servers of our own made ready for a project, and `bootstrap` on any server: what an administrator does."""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from bgce_migrate import servers
from bgce_migrate.apply import bootstrap
from bgce_migrate.apply.target import Address
from bgce_migrate.config import Project
from bgce_migrate.db import statements as st
from bgce_migrate.db.scram import verifier
from bgce_migrate.db.session import Session, connect, in_database, parameters
from bgce_migrate.domain import Domain
from bgce_migrate.errors import Unavailable
from bgce_migrate.servers import Server


def embedded_address(project: Project) -> tuple[Address, tuple[str, ...]]:
    """The project's database on a server of its own: started, made and bootstrapped where needed.

    Returns:
        The migrator's address, and lines to say first.
    """
    root = project.root if project.declared else Path.cwd()
    server = servers.start(root, provider=provider())
    name = database_name(project)
    lines = [f"PostgreSQL {server.version} ({server.provider}) on {server.host}:{server.port}, database {name}"]
    lines += server.notes
    return ready_address(server, project, name), tuple(lines)


def ready_address(server: Server, project: Project, name: str) -> Address:
    """The migrator's address of a database on a server of ours, which is made and bootstrapped where needed."""
    ensure_database(server, project, name)
    password = login_password(server, st.MIGRATOR)
    url = server.url(role=st.MIGRATOR, password=password, database=name)
    domains = project.domains if project.database.mode == "login" else ()
    return Address(
        url,
        project.database.bookkeeping_schema,
        project.database.mode,
        {d.migrator: login_password(server, d.migrator) for d in domains},
        server.url(database=name),
    )


def provider() -> str:
    """`embedded` where its wheel is installed, else the machine's own programs."""
    from bgce_migrate.servers import programs

    return "embedded" if programs.embedded() else "local"


def database_name(project: Project) -> str:
    """The project's name as a database name."""
    return re.sub(r"[^a-z0-9_]+", "_", project.name.lower()).strip("_")[:63] or "bgce"


def ensure_database(server: Server, project: Project, name: str) -> None:
    """Make the database and everything an administrator must make in it; cheap when all is there."""
    schema = project.database.bookkeeping_schema
    if not project.declared:
        with connect(server.url(), schema) as session:
            _plain_database(session, server, name)
        return
    _create_database(server.url(), name, schema)
    logins = [st.MIGRATOR, *(d.migrator for d in project.domains if project.database.mode == "login")]
    with connect(server.url(database=name), schema) as session:
        verifiers = {login: verifier(session, login, login_password(server, login)) for login in logins}
        statements, _ = bootstrap.plan(session, wanted(project, project.domains), verifiers)
        bootstrap.run(session, statements, project.database.extensions)


def _plain_database(session: Session, server: Server, name: str) -> None:
    """Undeclared trees: an ordinary role that owns its database and everything in it."""
    login = st.MIGRATOR
    if not session.ask("roles", "role", login):
        session.execute(st.create_role(login, "LOGIN"))
        secret = verifier(session, login, login_password(server, login))
        session.execute(st.set_verifier(login, secret))
    if not session.ask("roles", "database", name):
        session.execute(f"{st.create_database(name)} OWNER {st.identifier(login)}")


def _create_database(url: str, name: str, schema: str) -> None:
    with connect(url, schema) as session:
        if not session.ask("roles", "database", name):
            session.execute(st.create_database(name))


def login_password(server: Server, login: str) -> str:
    """A login's password on a server of ours: derived from the administrator's, so that nothing more has to be kept."""
    return hmac.new(server.admin_password.encode(), login.encode(), hashlib.sha256).hexdigest()[:32]


def wanted(project: Project, domains: tuple[Domain, ...]) -> bootstrap.Wanted:
    """What the declarations ask of an administrator."""
    database = project.database
    return bootstrap.Wanted(
        domains,
        database.bookkeeping_schema,
        database.mode,
        database.extensions,
        project.history_view,
        _shared(project, domains),
        project.compat.tables(domains),
        database.restore_points,
    )


def _shared(project: Project, domains: tuple[Domain, ...]) -> tuple[bootstrap.Shared, ...]:
    """The functions that these domains share, and those that others share with them."""
    out = []
    for home in project.domains:
        for name in (n for n, kind in home.functions.items() if kind == "shared"):
            who = [d.owner for d in domains if home.name in d.requires]
            call = f"{home.name}:{name}"
            who += [s.login for d in domains for s in d.services if call in s.calls]
            if who:
                out.append(bootstrap.Shared(home.schema, name, home.owner, tuple(who)))
    return tuple(out)


def run_bootstrap(
    project: Project,
    address: Address,
    only: tuple[str, ...],
    print_only: bool,
    passwords: Mapping[str, str],
    before: Callable[[Sequence[str]], None] | None = None,
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Make what is missing on a given server, the database itself included.

    Args:
        before: is told the statements before the first of them runs.

    Returns:
        The statements, as they ran or would run, and warnings.

    Raises:
        Refused: the server refused one of them; nothing but the database was made.
    """
    domains = tuple(d for d in project.domains if not only or d.name in only)
    name = parameters(address.conninfo).get("dbname")
    first: tuple[str, ...] = ()
    # The database itself first: an administrator of a managed server need not have a way into another.
    try:
        session = connect(address.conninfo, address.schema)
    except Unavailable:
        elsewhere = in_database(address.conninfo, "postgres")
        if not name or _exists(elsewhere, address.schema, name):
            raise
        first = (st.create_database(name),)
        session = connect(elsewhere, address.schema)
    with session:
        verifiers = {login: verifier(session, login, secret) for login, secret in passwords.items()}
        new = name if first else None
        statements, warnings = bootstrap.plan(session, wanted(project, domains), verifiers, new=new)
        if before is not None:
            before((*first, *statements))
        if not print_only and not first:
            bootstrap.run(session, statements, project.database.extensions)
        elif not print_only:
            bootstrap.make_database(session, name or "")
    if first and not print_only:
        with connect(address.conninfo, address.schema) as made:
            # Planned anew: a template may have brought something along.
            statements, warnings = bootstrap.plan(made, wanted(project, domains), verifiers)
            bootstrap.run(made, statements, project.database.extensions)
    return (*first, *statements), tuple(warnings)


def _exists(conninfo: str, schema: str, name: str) -> bool:
    with connect(conninfo, schema) as session:
        return bool(session.ask("roles", "database", name))
