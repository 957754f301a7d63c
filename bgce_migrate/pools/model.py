"""What pools are made of: the pooler's version, what a project says about it, servers, and one pool a service."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from msgspec import Struct, field

#: Connections of a service whose declaration says nothing.
DEFAULT_POOL = 5
#: Who the pooler logs in as to look up verifiers, and the schema of its function.
LOOKUP = "bgce_pooler"
#: Connections of the pooler's own look-ups, where they have an entry of their own.
LOOKUP_POOL = 2

_VERSION = re.compile(r"(?:PgBouncer\s+)?(\d{1,3})\.(\d{1,3})(?:\.\d+)?(?:\s.*)?\Z", re.DOTALL)


class Version(NamedTuple):
    """A release of PgBouncer, e.g. 1.18."""

    major: int
    minor: int

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}"


#: Debian 12's.
OLDEST = Version(1, 18)


def parse_version(text: str) -> Version | None:
    """`1.21`, `1.21.0`, or what `pgbouncer --version` prints; None for anything else."""
    found = _VERSION.match(text.strip())
    return Version(int(found[1]), int(found[2])) if found else None


class PoolerSettings(Struct, frozen=True):
    """`[pgbouncer]` of `bgce.toml`.

    Attributes:
        version: the oldest release that is to read the file.
        processes: how many poolers run with it; each has its part of every pool.
        clients: connections of programs that one process takes.
        headroom: the part of the server's free connections that pools may have, above 0 and at most 1.
        reserve: connections kept for others, by what they are for.
    """

    version: Version = OLDEST
    processes: int = 1
    clients: int = 1000
    headroom: float = 0.8
    reserve: Mapping[str, int] = field(
        default_factory=lambda: MappingProxyType({"migrator": 4, "exporter": 2, "backup": 2, "admin": 3, "spare": 2})
    )


class Pool(Struct, frozen=True):
    """What a service may hold on one server. `declared` is False where its declaration says nothing."""

    service: str
    login: str
    size: int
    declared: bool = True


def share(pool: Pool, processes: int) -> int:
    """What one of several poolers has of a pool: at least one connection, or it could not serve."""
    return max(pool.size // processes, 1)


class Place(Struct, frozen=True):
    """A server's database as a pooler reaches it.

    Attributes:
        host: a name, an address or the folder of a socket.
        tls: libpq's words for it as the address has them: `sslmode`, `sslrootcert`.
    """

    host: str
    port: int
    database: str
    tls: tuple[tuple[str, str], ...] = ()


class ReplicaPlace(Struct, frozen=True):
    """A replica and whose reads go there. `place` is None where its variable is not set."""

    name: str
    variable: str
    services: tuple[str, ...]
    place: Place | None = None


class Layout(Struct, frozen=True):
    """Everything that the pooler's file is made of."""

    project: str
    settings: PoolerSettings
    primary: Place
    pools: tuple[Pool, ...]
    replicas: tuple[ReplicaPlace, ...] = ()
