"""The keys of `bgce.toml` and `domain.toml`, with their types and defaults."""

from __future__ import annotations

from msgspec import UNSET, Struct, UnsetType, field


class ProjectTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[project]`."""

    name: str
    domains: list[str] = field(default_factory=list)
    plugins: list[str] = field(default_factory=list)
    history_view: str | None = None
    timezone: str = "UTC"


class DatabaseTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[database]`."""

    url_env: list[str] | str = field(default_factory=lambda: ["DATABASE_URL"])
    bookkeeping_schema: str = "bgce_migrate"
    extensions: list[str] = field(default_factory=list)
    mode: str = "role"
    restore_points: bool = False


class EnvironmentTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[environments.NAME]`."""

    url_env: list[str] | str | UnsetType = UNSET
    branch: str | None = None


class ReplicaTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[replica]]`."""

    name: str
    url_env: str
    services: list[str] = field(default_factory=list)


class CompatTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[compat]`."""

    golang_migrate: str | None = None


class ScratchTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[scratch]`."""

    provider: str | None = None
    major: int | None = None
    image: str | None = None


class LintTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[lint]`."""

    target: int = 16
    fail_on: str = "error"
    severity: dict[str, str] = field(default_factory=dict)
    hot: list[str] = field(default_factory=list)


class PgbouncerTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[pgbouncer]`."""

    version: str = "1.18"
    processes: int = 1
    clients: int = 1000
    headroom: float = 0.8
    reserve: dict[str, int] = field(default_factory=dict)


class CodeownersTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[codeowners]`."""

    file: str = ".github/CODEOWNERS"
    owner: str | None = None
    teams: dict[str, str] = field(default_factory=dict)


class AlertsTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[alerts]`."""

    slow_seconds: float = 60.0
    pending_hours: int = 24
    lock_wait_seconds: float = 5.0
    silent_minutes: int = 15


class NotificationsTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[notifications]`."""

    url_env: str = "BGCE_WEBHOOK_URL"
    on: list[str] = field(default_factory=lambda: ["failure", "success"])
    timeout: float = 5.0
    environments: list[str] = field(default_factory=list)


class RoutingTable(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[routing]`; the defaults of what is not said are those of `routing.RoutingSettings`."""

    poll_seconds: float | UnsetType = UNSET
    max_wait_seconds: float | UnsetType = UNSET
    max_lag_bytes: int | UnsetType = UNSET
    max_lag_seconds: float | UnsetType = UNSET
    return_below: float | UnsetType = UNSET
    silence_seconds: float | UnsetType = UNSET
    token_seconds: float | UnsetType = UNSET
    failures: int | UnsetType = UNSET
    rest_seconds: float | UnsetType = UNSET
    rest_most_seconds: float | UnsetType = UNSET
    patience_seconds: float | UnsetType = UNSET
    key_env: str = "BGCE_ROUTING_KEY"
    pools: dict[str, int] = field(default_factory=dict)


class BgceToml(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of `bgce.toml`, or of `[tool.bgce-migrate]`."""

    project: ProjectTable
    database: DatabaseTable = DatabaseTable()
    environments: dict[str, EnvironmentTable] = field(default_factory=dict)
    replica: list[ReplicaTable] = field(default_factory=list)
    routing: RoutingTable = RoutingTable()
    compat: CompatTable = CompatTable()
    scratch: ScratchTable = ScratchTable()
    lint: LintTable = LintTable()
    pgbouncer: PgbouncerTable = PgbouncerTable()
    codeowners: CodeownersTable = CodeownersTable()
    alerts: AlertsTable = AlertsTable()
    notifications: NotificationsTable = NotificationsTable()


class TableToml(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[tables.NAME]`."""

    columns: dict[str, str] = field(default_factory=dict)
    sets: dict[str, list[str]] = field(default_factory=dict)


class ServiceToml(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`[[services]]`."""

    name: str
    login: str | None = None
    pool: int | None = None
    writes: list[str] | UnsetType = UNSET
    reads: list[str] = field(default_factory=list)
    calls: list[str] = field(default_factory=list)


class DomainToml(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of `domain.toml`."""

    name: str
    title: str = ""
    team: str = ""
    requires: list[str] = field(default_factory=list)
    schema: str = "public"
    functions: dict[str, str] = field(default_factory=dict)
    loose: list[str] = field(default_factory=list)
    shares: dict[str, list[str]] = field(default_factory=dict)
    tables: dict[str, TableToml] = field(default_factory=dict)
    services: list[ServiceToml] = field(default_factory=list)
