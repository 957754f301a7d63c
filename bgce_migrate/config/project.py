"""A project's settings as frozen values."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Literal, TypeAlias

from msgspec import Struct, field

from bgce_migrate.domain import Domain
from bgce_migrate.metrics.alerts import Thresholds
from bgce_migrate.migration import Finding, Severity
from bgce_migrate.notifying.model import Notices
from bgce_migrate.pools.model import PoolerSettings
from bgce_migrate.registry import Registry

Mode: TypeAlias = Literal["role", "login"]
Provider: TypeAlias = Literal["embedded", "local", "docker", "url"]


class Database(Struct, frozen=True):
    """How the database is found, and what the engine keeps in it."""

    url_env: tuple[str, ...] = ("DATABASE_URL",)
    bookkeeping_schema: str = "bgce_migrate"
    extensions: tuple[str, ...] = ()
    mode: Mode = "role"
    restore_points: bool = False


class Environment(Struct, frozen=True):
    """A named database, e.g. production, and the branch that is deployed to it."""

    name: str
    url_env: tuple[str, ...]
    branch: str | None = None


class Replica(Struct, frozen=True):
    """A server for the reads of some services."""

    name: str
    url_env: str
    services: tuple[str, ...] = ()


class Routing(Struct, frozen=True):
    """How reads are routed.

    Attributes:
        values: fields of `routing.RoutingSettings` that are not as by default.
        key_env: the variable with the key of tokens.
        pools: connections to each server, by service, instead of the declared ones.
    """

    values: Mapping[str, float] = field(default_factory=lambda: MappingProxyType({}))
    key_env: str = "BGCE_ROUTING_KEY"
    pools: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))


class Compat(Struct, frozen=True):
    """What is kept true for other tools. `golang_migrate` is a table name, with `{service}` in it for the domain's."""

    golang_migrate: str | None = None

    def tables(self, domains: Iterable[Domain]) -> dict[str, tuple[str, str]]:
        """golang-migrate's table of each domain, as (schema, name); none where it is not asked for."""
        name = self.golang_migrate
        return {d.name: (d.schema, name.replace("{service}", d.name)) for d in domains} if name is not None else {}


class Scratch(Struct, frozen=True):
    """Where throw-away servers come from; all None: chosen by need."""

    provider: Provider | None = None
    major: int | None = None
    image: str | None = None


class Lint(Struct, frozen=True):
    """How strict lint is.

    Attributes:
        target: the oldest major of PostgreSQL that migrations must run on.
        fail_on: from this severity on `lint` exits 1.
        severities: by rule; None switches it off.
        hot: tables whose writers must not wait, as `domain:table`.
    """

    target: int = 16
    fail_on: Severity = Severity.ERROR
    severities: Mapping[str, Severity | None] = field(default_factory=lambda: MappingProxyType({}))
    hot: tuple[str, ...] = ()


class CodeOwners(Struct, frozen=True):
    """How teams are called where pull requests are reviewed.

    Attributes:
        file: relative to the project's folder.
        owner: for teams that are not in `teams`, with `{team}` in it; None: such a team has no owner.
        teams: owners by team, several separated by blanks.
    """

    file: str = ".github/CODEOWNERS"
    owner: str | None = None
    teams: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))


class Project(Struct, frozen=True):
    """Everything `bgce.toml` and the declarations say.

    Attributes:
        root: the folder of `bgce.toml`; of an undeclared tree, the folder given.
        domains: by rank.
        plugins: names of entry points that may be loaded.
        file: `bgce.toml` or `pyproject.toml`; None for an undeclared tree.
        patterns: `domains` as written.
        notes: what was left aside, and that ownership rules are off.
    """

    root: Path
    name: str
    domains: tuple[Domain, ...]
    registry: Registry
    lock_path: Path
    plugins: tuple[str, ...] = ()
    history_view: str | None = None
    timezone: str = "UTC"
    database: Database = Database()
    environments: Mapping[str, Environment] = field(default_factory=lambda: MappingProxyType({}))
    replicas: tuple[Replica, ...] = ()
    routing: Routing = field(default_factory=Routing)
    compat: Compat = Compat()
    scratch: Scratch = Scratch()
    lint: Lint = Lint()
    pooler: PoolerSettings = field(default_factory=PoolerSettings)
    code_owners: CodeOwners = CodeOwners()
    alerts: Thresholds = Thresholds()
    notices: Notices = Notices()
    file: Path | None = None
    patterns: tuple[str, ...] = ()
    notes: tuple[Finding, ...] = ()

    @property
    def declared(self) -> bool:
        """False for a tree given by `--migrations`: ownership rules are off."""
        return self.file is not None
