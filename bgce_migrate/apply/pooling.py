"""Pools against real servers: where they are, what they have, and the limits of roles as a second fence."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence

from msgspec import Struct

from bgce_migrate.apply.target import Address
from bgce_migrate.config import Project
from bgce_migrate.db import statements as st
from bgce_migrate.db.session import Session, connect, endpoint
from bgce_migrate.db.target import read_facts, require_changeable
from bgce_migrate.db.wire import Command, Failed
from bgce_migrate.errors import ConfigError, Refused, UsageError
from bgce_migrate.pools.budget import ServerLimits, fence
from bgce_migrate.pools.model import DEFAULT_POOL, Layout, Place, Pool, PoolerSettings, ReplicaPlace

_LOOKS = 0.1  # seconds between two looks at the sessions


class Fence(Struct, frozen=True):
    """A login's limit: before, now, and the most sessions it was seen to have."""

    login: str
    before: int
    limit: int
    seen: int
    pool: int


def layout(project: Project, conninfo: str, settings: PoolerSettings, environment: Mapping[str, str]) -> Layout:
    """What the pooler's file is made of.

    Args:
        conninfo: of the primary; nobody connects to it here.

    Raises:
        ConfigError: a replica's variable is set and empty.
        UsageError: an address names several servers, or cannot stand in a file.
    """
    replicas = []
    for replica in project.replicas:
        url = environment.get(replica.url_env)
        if url == "":
            raise ConfigError(
                f"{replica.url_env} is set and empty: it should hold the address of {replica.name}",
                hint="a missing secret arrives as an empty string; set it, or leave it undefined",
            )
        place = None if url is None else place_of(url)
        replicas.append(ReplicaPlace(replica.name, replica.url_env, replica.services, place))
    return Layout(project.name, settings, place_of(conninfo), pools(project), tuple(replicas))


def pools(project: Project) -> tuple[Pool, ...]:
    """One pool a service, by the rank of its domain."""
    services = [s for d in sorted(project.domains, key=lambda d: d.rank) for s in d.services]
    return tuple(Pool(s.name, s.login, s.pool or DEFAULT_POOL, s.pool is not None) for s in services)


def place_of(conninfo: str) -> Place:
    """Host, port and database of an address; never its user or password."""
    known = endpoint(conninfo)
    for name, value in known.items():
        if not value.isprintable():
            raise UsageError(f"the {name} of the address cannot stand in a pooler's file: it is not one line of text")
    tls = tuple((key, known[key]) for key in ("sslmode", "sslrootcert") if key in known)
    return Place(known["host"], int(known["port"]), known["dbname"], tls)


def read_limits(conninfo: str, schema: str) -> ServerLimits:
    """What a live server has. One round trip after connecting."""
    with connect(conninfo, schema) as session:
        most, superuser, reserved = (int(value or 0) for value in session.ask("pooler", "limits")[0])
        return ServerLimits(most, superuser, reserved)


def enforce(
    address: Address, wanted: Sequence[tuple[str, Pool]], settings: PoolerSettings, watch: float
) -> tuple[Fence, ...]:
    """Give logins the limit of their pools, never below what they were seen to hold.

    Args:
        wanted: logins that may exist, each with its service's pool.
        watch: seconds to look at `pg_stat_activity` first.

    Raises:
        Refused: this login may not change roles.
    """
    with connect(address.conninfo, address.schema) as session:
        require_changeable(read_facts(session))
        by_login = dict(wanted)
        limits, seen = _watch(session, sorted(by_login), watch)
        out = [
            Fence(login, before, fence(by_login[login], settings, seen[login]), seen[login], by_login[login].size)
            for login, before in limits.items()
        ]
        changes = [Command(st.limit_connections(f.login, f.limit)) for f in out if f.limit != f.before]
        if changes:
            try:
                session.run([Command("BEGIN"), *changes, Command("COMMIT")])
            except Failed as failed:
                session.execute("ROLLBACK")
                raise Refused(
                    f"this login may not limit the services' connections: {failed.error.diag.message_primary}",
                    hint="run it as the administrator who ran bootstrap; nothing was changed",
                ) from None
            out = _raise(session, out)
        return tuple(out)


def _watch(session: Session, logins: Sequence[str], seconds: float) -> tuple[dict[str, int], dict[str, int]]:
    """Each login's limit, and the most sessions it has had while we looked."""
    listed = "{" + ",".join(f'"{login}"' for login in logins) + "}"
    end = time.monotonic() + seconds
    seen: dict[str, int] = {}
    while True:
        rows = session.ask("pooler", "sessions", listed)
        for login, _, count in rows:
            seen[login or ""] = max(seen.get(login or "", 0), int(count or 0))
        if time.monotonic() >= end:
            return {login or "": int(limit or -1) for login, limit, _ in rows}, seen
        time.sleep(_LOOKS)


def _raise(session: Session, fences: Sequence[Fence]) -> list[Fence]:
    """Once more after the change: sessions that came between the last look and it must find their place again."""
    _, now = _watch(session, [f.login for f in fences], 0)
    out = []
    for one in fences:
        count = now.get(one.login, 0)
        if count > one.limit:
            session.run([Command(st.limit_connections(one.login, count))])
            one = Fence(one.login, one.before, count, count, one.pool)
        out.append(one)
    return out
