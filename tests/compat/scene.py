"""Three domains whose version rows golang-migrate is to find true, and what it would have to find, worked out anew."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import psycopg

from bgce_migrate.apply.target import Address
from bgce_migrate.desk import Desk
from tests.e2e.platform import Guarded, bootstrap
from tests.e2e.scene import make_owner, query, write
from tests.servers import as_superuser

DOMAINS = ("alpha", "beta", "gamma")
COMPAT = '[compat]\ngolang_migrate = "{service}_schema_migrations"\n'
Rows = list[tuple[object, ...]]


def pair(domain: str, version: int) -> dict[str, str]:
    """One migration: a table of its own, made and dropped whatever `force` has said of it."""
    name = f"migrations/{domain}/{version:06}_t"
    return {
        f"{name}.up.sql": f"CREATE TABLE IF NOT EXISTS {domain}_{version} (id int PRIMARY KEY);\n",
        f"{name}.down.sql": f"DROP TABLE IF EXISTS {domain}_{version};\n",
    }


def files(mode: str = "role", versions: tuple[int, ...] = (10, 20, 30), compat: str = COMPAT) -> dict[str, str]:
    """A project; every version is a table that nobody else needs."""
    out = {
        "bgce.toml": f'[project]\nname = "three"\ndomains = ["migrations/*"]\n[database]\nmode = "{mode}"\n{compat}',
    }
    for domain in DOMAINS:
        out[f"migrations/{domain}/domain.toml"] = f'name = "{domain}"\n[[services]]\nname = "{domain}"\nlogin = "{domain}_user"\n'
        for version in versions:
            out |= pair(domain, version)
    return out


class World:
    """A project and its database, in layout plain (mode "") or guarded.

    Attributes:
        url: of the login that runs.
        superuser: for looking.
    """

    def __init__(self, folder: Path, database: str, mode: str, **more: str) -> None:
        self.project = write(folder / "three", {**files(mode or "role"), **more})
        self.superuser = as_superuser(database)
        self.guarded: Guarded | None = None
        if mode:
            self.guarded = bootstrap(self.project, database)
            self.url, self.passwords = self.guarded.url, dict(self.guarded.passwords)
        else:
            self.url, self.passwords = make_owner(database), {}

    def bootstrap(self, *, print_only: bool = False) -> tuple[str, ...]:
        """Once more, as the administrator."""
        assert self.guarded is not None
        desk = Desk.load(self.project)
        at = Address(self.guarded.admin, "bgce_migrate", desk.project.database.mode)
        return desk.bootstrap(at, print_only=print_only)[0]

    def write(self, more: Mapping[str, str]) -> None:
        """Further files."""
        write(self.project, more)

    def query(self, text: str) -> Rows:
        """As the superuser."""
        return query(self.superuser, text)

    def rows(self, domain: str) -> Rows:
        """What golang-migrate reads at its start."""
        return self.query(f"SELECT version, dirty FROM {domain}_schema_migrations")

    def all_rows(self) -> dict[str, Rows]:
        """Of every domain."""
        return {domain: self.rows(domain) for domain in DOMAINS}

    def expected(self) -> dict[str, Rows]:
        """What golang-migrate would have to find: the highest version that has nothing missing at or below it.

        From the files in the folders and the last word of history on each version, and from nothing else.
        """
        last: dict[tuple[str, int], bool] = {}
        history = (
            "SELECT service_name, version, direction FROM bgce_migrate.migration_history"
            " WHERE success AND version IS NOT NULL ORDER BY id"
        )
        for domain, version, direction in self.query(history):
            last[str(domain), int(str(version))] = direction in ("up", "mark_applied")
        out: dict[str, Rows] = {}
        for domain in DOMAINS:
            applied = {version for (name, version), is_applied in last.items() if name == domain and is_applied}
            on_disk = {int(f.name.partition("_")[0]) for f in (self.project / "migrations" / domain).glob("*.up.sql")}
            everything = applied | on_disk
            good = [v for v in applied if all(below in applied for below in everything if below <= v)]
            out[domain] = [(max(good), False)] if good else []
        return out

    def require_true(self, after: object) -> None:
        """The tables say what they should."""
        assert self.all_rows() == self.expected(), after


def execute(url: str, *texts: str) -> None:
    """Statements of some login, each by itself."""
    with psycopg.connect(url, autocommit=True) as connection:
        for text in texts:
            connection.execute(text.encode())
