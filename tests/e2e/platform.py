"""The platform's eleven domains as a project of its own in a temporary folder, on guarded databases."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import tomli
from psycopg.conninfo import make_conninfo

from bgce_migrate.apply.target import Address
from bgce_migrate.db.statements import MIGRATOR
from bgce_migrate.desk import Desk
from tests.e2e.scene import PASSWORD, as_role, make_owner, write
from tests.servers import as_superuser

ROOT = Path(__file__).resolve().parents[2]


def shipped_domains() -> list[str]:
    """The eleven, in the order of `bgce.toml`."""
    project = tomli.loads((ROOT / "bgce.toml").read_text(encoding="utf-8"))["project"]
    return [Path(folder).name for folder in project["domains"]]


def toml(domains: list[str], mode: str = "role", extra: str = "") -> str:
    """A `bgce.toml` without plugins."""
    folders = ", ".join(f'"migrations/{name}"' for name in domains)
    return (
        f'[project]\nname = "archive"\ndomains = [{folders}]\nhistory_view = "public.migration_history"\n{extra}\n'
        f'[database]\nmode = "{mode}"\n'
    )


def copy_platform(folder: Path, mode: str = "role", more: tuple[str, ...] = ()) -> Path:
    """The shipped domains, without lock file and plugins; `more` names domains that the caller writes."""
    shutil.copytree(ROOT / "migrations", folder / "migrations")
    return write(folder, {"bgce.toml": toml([*shipped_domains(), *more], mode)})


@dataclass
class Guarded:
    """A bootstrapped database of a project.

    Attributes:
        superuser: for looking and for what only a superuser may.
        admin: NOSUPERUSER CREATEROLE, owner of the database.
        url: the migrator's.
    """

    project: Path
    superuser: str
    admin: str
    url: str
    passwords: Mapping[str, str] = field(default_factory=dict)
    statements: tuple[str, ...] = ()


def logins(desk: Desk) -> dict[str, str]:
    """Passwords for the migrator logins of a project."""
    domains = desk.project.domains if desk.project.database.mode == "login" else ()
    return dict.fromkeys([MIGRATOR, *(d.migrator for d in domains)], PASSWORD)


def bootstrap(project: Path, url: str, admin: str | None = None) -> Guarded:
    """Make the database that `url` names ready, as an ordinary administrator who owns it."""
    admin = admin or make_owner(url, "admin", "CREATEROLE")
    desk = Desk.load(project)
    database = desk.project.database
    passwords = logins(desk)
    at = Address(admin, database.bookkeeping_schema, database.mode)
    statements, _ = desk.bootstrap(at, passwords=passwords)
    return Guarded(project, as_superuser(url), admin, as_role(url, MIGRATOR), passwords, statements)


def service(guarded: Guarded, login: str) -> str:
    """The address of a service's login, with a password given by the administrator's hand."""
    import psycopg

    with psycopg.connect(guarded.superuser, autocommit=True) as connection:
        connection.execute(f"ALTER ROLE {login} PASSWORD '{PASSWORD}'".encode())
    return make_conninfo(guarded.superuser, user=login, password=PASSWORD)
