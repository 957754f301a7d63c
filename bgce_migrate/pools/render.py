"""`pgbouncer.ini` as text: an entry for each service and for its reads of replicas, and options by version."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from msgspec import Struct

from bgce_migrate.pools.budget import LOOKUP_SINCE
from bgce_migrate.pools.drivers import PREPARED_SINCE, advice
from bgce_migrate.pools.model import (
    DEFAULT_POOL,
    LOOKUP,
    LOOKUP_POOL,
    Layout,
    Place,
    Pool,
    ReplicaPlace,
    Version,
    share,
)

#: The entry through which the pooler looks up verifiers, where its version can say so.
LOOKUP_ENTRY = LOOKUP
#: PgBouncer's own database.
RESERVED = frozenset({"pgbouncer", LOOKUP_ENTRY})

_BALANCE_SINCE = Version(1, 24)
_PLAIN = re.compile(r"[A-Za-z0-9_./:@,-]+\Z")
_TLS = {"sslmode": "server_tls_sslmode", "sslrootcert": "server_tls_ca_file"}


class Listening(Struct, frozen=True):
    """Where the pooler is met: by TCP, and by a socket in `socket_folder` if that is not empty.

    Attributes:
        users_file: a file of users besides those that are looked up; empty for none.
    """

    address: str = "127.0.0.1"
    port: int = 6432
    socket_folder: str = ""
    users_file: str = ""


class Rendered(Struct, frozen=True):
    """The file, and what a person should know of what is not in it."""

    text: str
    notes: tuple[str, ...] = ()


class _Option(Struct, frozen=True):
    name: str
    value: str
    since: Version | None = None
    why: str = ""


def read_entry(service: str) -> str:
    """The name under which a service reads from replicas."""
    return f"{service}_ro"


def clashes(services: Sequence[str]) -> list[str]:
    """Why entries of these services could not stand in one file; empty: they can."""
    out = [f"service {name} has the name of an entry that the pooler needs itself" for name in services if name in RESERVED]
    names = set(services)
    return out + [f"service {read_entry(n)} has the name of {n}'s entry for reads" for n in services if read_entry(n) in names]


def render(layout: Layout, lookup_query: str, listening: Listening) -> Rendered:
    """The whole file. Deterministic; holds no password.

    Args:
        lookup_query: `auth_query`, of the function that an administrator makes.
    """
    notes: list[str] = []
    version = layout.settings.version
    lines = [
        f"; {layout.project}, for PgBouncer {version} and newer. Written by `bgce-migrate pgbouncer render`:",
        "; change the declarations and render it again. Users are looked up in the database; no password stands here.",
        "",
        "[databases]",
    ]
    for pool in layout.pools:
        lines.append(_entry(pool.service, [layout.primary], pool, layout))
    if version >= LOOKUP_SINCE:
        lookups = Pool(LOOKUP_ENTRY, LOOKUP, LOOKUP_POOL * layout.settings.processes)
        lines.append(_entry(LOOKUP_ENTRY, [layout.primary], lookups, layout))
    for block in _reads(layout, notes):
        lines.append(block)
    lines += ["", "[pgbouncer]", *_options(layout, lookup_query, listening), "", "; What programs set:"]
    for one in advice(version):
        lines += [f"; {one.driver}: {line}" for line in one.lines]
    return Rendered("\n".join(lines) + "\n", tuple(notes))


def _reads(layout: Layout, notes: list[str]) -> Iterator[str]:
    for pool in layout.pools:
        replicas = [r for r in layout.replicas if pool.service in r.services]
        if not replicas:
            continue
        known = [r for r in replicas if r.place is not None]
        for replica in replicas:
            if replica.place is None:
                notes.append(f"{replica.variable} is not set, so {replica.name} is left out for {pool.service}")
        if not known:
            yield f"; {read_entry(pool.service)}: the address of {', '.join(r.name for r in replicas)} is not known here"
            continue
        yield _entry(read_entry(pool.service), _together(pool, known, notes), pool, layout)


def _together(pool: Pool, replicas: Sequence[ReplicaPlace], notes: list[str]) -> list[Place]:
    """The servers of one entry: they must have port and database in common."""
    first = replicas[0].place
    assert first is not None
    places = [first]
    for replica in replicas[1:]:
        place = replica.place
        if place is None:
            continue
        if (place.port, place.database) == (first.port, first.database) and not place.host.startswith("/"):
            places.append(place)
        else:
            notes.append(
                f"{pool.service} reads from {replicas[0].name} only: {replica.name} has another port or database,"
                " and an entry takes one"
            )
    return places


def _entry(name: str, places: Sequence[Place], pool: Pool, layout: Layout) -> str:
    size = share(pool, layout.settings.processes)
    words = {
        "host": ",".join(p.host for p in places),
        "port": str(places[0].port),
        "dbname": places[0].database,
        "pool_size": str(size),
        # Two logins that take turns, or somebody else's, get no more together.
        "max_db_connections": str(size),
    }
    if len(places) > 1 and layout.settings.version >= _BALANCE_SINCE:
        words["load_balance_hosts"] = "round-robin"
    return f"{name} = " + " ".join(f"{key}={_quoted(value)}" for key, value in words.items())


def _options(layout: Layout, lookup_query: str, listening: Listening) -> Iterator[str]:
    for option in _all_options(layout, lookup_query, listening):
        line = f"{option.name} = {option.value}"
        if option.since is None or layout.settings.version >= option.since:
            yield line
        else:
            yield f"; {line}   (needs PgBouncer {option.since}: {option.why})"


def _all_options(layout: Layout, lookup_query: str, listening: Listening) -> Iterator[_Option]:
    yield _Option("listen_addr", listening.address)
    yield _Option("listen_port", str(listening.port))
    yield _Option("unix_socket_dir", listening.socket_folder)
    yield _Option("auth_type", "scram-sha-256")
    if listening.users_file:
        yield _Option("auth_file", listening.users_file)
    yield _Option("auth_user", LOOKUP)
    yield _Option("auth_query", lookup_query)
    yield _Option("auth_dbname", LOOKUP_ENTRY, LOOKUP_SINCE, "look-ups then need none of the services' connections")
    yield _Option("pool_mode", "transaction")
    yield _Option("max_client_conn", str(layout.settings.clients))
    yield _Option("default_pool_size", str(DEFAULT_POOL))
    yield _Option("max_user_connections", str(_most(layout)))
    yield _Option("query_wait_timeout", "30")
    yield _Option("ignore_startup_parameters", "extra_float_digits")
    yield _Option("track_extra_parameters", "IntervalStyle", Version(1, 20), "keeps what a client set for intervals")
    yield _Option("max_prepared_statements", "200", PREPARED_SINCE, "prepared statements by name")
    for key, value in layout.primary.tls:
        if key in _TLS:
            yield _Option(_TLS[key], value)


def _most(layout: Layout) -> int:
    """What the service with the largest need holds: its own entry and that for reads."""
    return max(
        (
            share(pool, layout.settings.processes) * (1 + any(pool.service in r.services for r in layout.replicas))
            for pool in layout.pools
        ),
        default=DEFAULT_POOL,
    )


def _quoted(value: str) -> str:
    """As the entries of `[databases]` are read: quotes doubled inside quotes."""
    return value if _PLAIN.match(value) else "'" + value.replace("'", "''") + "'"
