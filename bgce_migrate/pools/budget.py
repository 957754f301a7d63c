"""The arithmetic of connections: what all pools of all poolers may hold against what a server has."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from bgce_migrate.pools.model import LOOKUP_POOL, Pool, PoolerSettings, Version, share

#: From this release on look-ups have an entry of their own; before they share the services' (`auth_dbname`).
LOOKUP_SINCE = Version(1, 19)


class ServerLimits(Struct, frozen=True):
    """What a server has: `max_connections` and what it keeps for superusers and reserved roles."""

    max_connections: int
    superuser_reserved: int = 3
    reserved: int = 0


class Budget(Struct, frozen=True):
    """One server's sum.

    Attributes:
        server: "primary" or a replica's name.
        reserve: connections of others, by what they are for.
        headroom: the part of the rest that pools may have.
        lookups: connections of the pooler's own.
    """

    server: str
    limits: ServerLimits
    reserve: Mapping[str, int]
    headroom: float
    pools: tuple[Pool, ...]
    processes: int
    lookups: int = 0

    @property
    def free(self) -> int:
        """What is left for pools after everything that is kept."""
        kept = self.limits.superuser_reserved + self.limits.reserved + sum(self.reserve.values())
        return self.limits.max_connections - kept

    @property
    def allowed(self) -> int:
        """What pools may have of it."""
        return max(int(self.free * self.headroom + 1e-9), 0)

    @property
    def wanted(self) -> int:
        """What all pools of all processes may hold at once."""
        each = sum(share(pool, self.processes) for pool in self.pools)
        return (each + self.lookups) * self.processes

    @property
    def over(self) -> int:
        """How many too many; 0 or less: it fits."""
        return self.wanted - self.allowed

    def sums(self) -> tuple[str, str]:
        """Both sides of the comparison, spelled out."""
        parts = [f"{pool.service} {share(pool, self.processes)}" for pool in self.pools]
        if self.lookups:
            parts.append(f"look-ups {self.lookups}")
        added = " + ".join(parts) or "no pools"
        if self.processes > 1:
            added = f"({added}) x {self.processes} poolers"
        kept = [("superuser_reserved_connections", self.limits.superuser_reserved)]
        if self.limits.reserved:
            kept.append(("reserved_connections", self.limits.reserved))
        kept += [(name, count) for name, count in self.reserve.items() if count]
        left = f"max_connections {self.limits.max_connections} - " + " - ".join(f"{name} {n}" for name, n in kept)
        times = f", x {self.headroom:g} headroom = {self.allowed}" if self.headroom != 1 else ""
        return f"{added} = {self.wanted}", f"{left} = {self.free}{times}"


def budget(
    server: str, limits: ServerLimits, settings: PoolerSettings, pools: Sequence[Pool], *, primary: bool = True
) -> Budget:
    """The sum for one server. On a replica nothing is kept for the migrator, which never goes there."""
    kept = {name: n for name, n in settings.reserve.items() if primary or name != "migrator"}
    lookups = LOOKUP_POOL if primary and settings.version >= LOOKUP_SINCE else 0
    return Budget(server, limits, kept, settings.headroom, tuple(pools), settings.processes, lookups)


def fence(pool: Pool, settings: PoolerSettings, seen: int) -> int:
    """The CONNECTION LIMIT of a login: what its pools may hold, and never less than it was seen to hold."""
    return max(share(pool, settings.processes) * settings.processes, pool.size, seen)
