"""Where the servers of a project are: the primary's address, and each replica's from its variable."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field

from bgce_migrate.config import Project
from bgce_migrate.errors import ConfigError
from bgce_migrate.pools.model import DEFAULT_POOL
from bgce_migrate.routing import RoutingSettings, Served


class Places(Struct, frozen=True):
    """The servers and how to reach them; the primary comes first.

    Attributes:
        conninfos: one a server, for libpq. Never shown.
        pools: connections a service may have to each server.
        logins: the role of each service.
        missing: what is declared and not known here, in words.
    """

    servers: tuple[Served, ...]
    conninfos: tuple[str, ...]
    pools: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    logins: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    missing: tuple[str, ...] = ()

    @property
    def services(self) -> tuple[str, ...]:
        """Declared services, by the rank of their domain."""
        return tuple(self.pools)


def settings_of(project: Project) -> RoutingSettings:
    """What `[routing]` says, and the defaults of what it does not say."""
    return RoutingSettings(**project.routing.values)  # type: ignore[arg-type]


def of_project(project: Project, conninfo: str, environment: Mapping[str, str]) -> Places:
    """The declared servers.

    Args:
        conninfo: of the primary.
        environment: holds the variables of the replicas.

    Raises:
        ConfigError: a replica's variable is set and empty.
    """
    servers, conninfos, missing = [Served("primary", "primary")], [conninfo], []
    for replica in project.replicas:
        address = environment.get(replica.url_env)
        if address is None:
            missing.append(f"{replica.url_env} is not set, so nobody reads from {replica.name}")
            continue
        if not address.strip():
            raise ConfigError(
                f"{replica.url_env} is set and empty: it should hold the address of {replica.name}",
                hint="a missing secret arrives as an empty string; set it, or leave it undefined",
            )
        servers.append(Served(replica.name, "replica", replica.services))
        conninfos.append(address)
    services = [s for d in sorted(project.domains, key=lambda d: d.rank) for s in d.services]
    return Places(
        tuple(servers),
        tuple(conninfos),
        MappingProxyType({s.name: project.routing.pools.get(s.name) or s.pool or DEFAULT_POOL for s in services}),
        MappingProxyType({s.name: s.login for s in services}),
        tuple(missing),
    )
