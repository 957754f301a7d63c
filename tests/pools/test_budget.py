"""The arithmetic of connections, and the file of a pooler, without any server."""

from __future__ import annotations

from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bgce_migrate.pools.budget import ServerLimits, budget, fence
from bgce_migrate.pools.drivers import advice
from bgce_migrate.pools.model import (
    OLDEST,
    Layout,
    Place,
    Pool,
    PoolerSettings,
    ReplicaPlace,
    Version,
    parse_version,
    share,
)
from bgce_migrate.pools.render import Listening, clashes, render

SETTINGS = PoolerSettings()
STRATEGY = (Pool("cortex", "cortex_user", 50), Pool("postal", "postal_user", 30), Pool("community", "community_user", 40))
PRIMARY = Place("db.example", 5432, "bgce_archive")
LOOKUP = "SELECT 1"


def ini(layout: Layout, listening: Listening | None = None) -> list[str]:
    return render(layout, LOOKUP, listening or Listening()).text.splitlines()


def layout(*pools: Pool, version: Version = OLDEST, replicas: tuple[ReplicaPlace, ...] = ()) -> Layout:
    settings = PoolerSettings(version=version)
    return Layout("archive", settings, PRIMARY, pools, replicas)


def test_the_strategy_documents_pools_do_not_fit() -> None:
    found = budget("primary", ServerLimits(100), SETTINGS, STRATEGY)
    assert (found.wanted, found.free, found.allowed, found.over) == (120, 84, 67, 53)
    assert found.sums() == (
        "cortex 50 + postal 30 + community 40 = 120",
        "max_connections 100 - superuser_reserved_connections 3 - migrator 4 - exporter 2 - backup 2 - admin 3 - spare 2"
        " = 84, x 0.8 headroom = 67",
    )
    bare = replace(SETTINGS, headroom=1.0, reserve=MappingProxyType({}))
    alone = budget("primary", ServerLimits(100), bare, STRATEGY)
    assert (alone.allowed, alone.over) == (97, 23), "even with nothing kept for anybody"
    assert alone.sums()[1] == "max_connections 100 - superuser_reserved_connections 3 = 97"


def test_the_platforms_pools_fit() -> None:
    sizes = (20, 20, 24, 12, 14, 10, 10, 6, 6, 6, 6, 5, 5)
    pools = tuple(Pool(f"s{n}", f"s{n}_user", size) for n, size in enumerate(sizes))
    found = budget("primary", ServerLimits(200), SETTINGS, pools)
    assert (found.wanted, found.allowed, found.over) == (144, 147, -3)
    newer = budget("primary", ServerLimits(200), replace(SETTINGS, version=Version(1, 21)), pools)
    assert (newer.wanted, newer.over) == (146, -1), "look-ups have an entry of their own"
    reserved = budget("primary", ServerLimits(200, 3, 5), SETTINGS, pools)
    assert reserved.allowed == 143
    assert "reserved_connections 5" in reserved.sums()[1]


def test_several_poolers_share() -> None:
    two = budget("primary", ServerLimits(100), replace(SETTINGS, processes=2), STRATEGY)
    assert two.wanted == 120
    assert two.sums()[0] == "(cortex 25 + postal 15 + community 20) x 2 poolers = 120"
    many = budget("primary", ServerLimits(100), replace(SETTINGS, processes=60), STRATEGY)
    assert many.wanted == 180, "each needs one connection a service"


@given(size=st.integers(1, 10_000), processes=st.integers(1, 100), seen=st.integers(0, 500))
def test_the_fence_never_stops_what_is_allowed(size: int, processes: int, seen: int) -> None:
    pool = Pool("a", "a_user", size)
    limit = fence(pool, replace(SETTINGS, processes=processes), seen)
    assert limit >= max(size, seen, share(pool, processes) * processes)
    assert limit <= max(size, seen, processes)


@pytest.mark.parametrize(("text", "version"), [
    ("1.21", (1, 21)), ("PgBouncer 1.18.0\nlibevent 2.1.12-stable", (1, 18)), ("1.25.2", (1, 25)), ("latest", None), ("1", None),
])  # fmt: skip
def test_versions(text: str, version: tuple[int, int] | None) -> None:
    assert parse_version(text) == version


GATES = {
    "auth_dbname = bgce_pooler": (1, 19), "track_extra_parameters = IntervalStyle": (1, 20),
    "max_prepared_statements = 200": (1, 21),
}  # fmt: skip


@pytest.mark.parametrize("minor", range(18, 26))
def test_options_by_version(minor: int) -> None:
    lines = ini(layout(*STRATEGY, version=Version(1, minor)))
    for option, since in GATES.items():
        assert (option in lines) == ((1, minor) >= since), option
        comment = f"; {option}   (needs PgBouncer {since[0]}.{since[1]}:"
        assert any(line.startswith(comment) for line in lines) == ((1, minor) < since)
    entry = "bgce_pooler = host=db.example port=5432 dbname=bgce_archive pool_size=2 max_db_connections=2"
    assert (entry in lines) == (minor >= 19)


def test_replicas() -> None:
    one = ReplicaPlace("one", "URL_1", ("postal", "cortex"), Place("r1", 5433, "bgce_archive"))
    two = ReplicaPlace("two", "URL_2", ("postal",), Place("r2", 5433, "bgce_archive"))
    odd = ReplicaPlace("odd", "URL_3", ("cortex",), Place("r3", 5434, "bgce_archive"))
    gone = ReplicaPlace("gone", "URL_4", ("community",))
    for version in (Version(1, 18), Version(1, 24)):
        made = render(layout(*STRATEGY, version=version, replicas=(one, two, odd, gone)), LOOKUP, Listening())
        lines = made.text.splitlines()
        balance = " load_balance_hosts=round-robin" if version >= (1, 24) else ""
        assert f"postal_ro = host=r1,r2 port=5433 dbname=bgce_archive pool_size=30 max_db_connections=30{balance}" in lines
        assert "cortex_ro = host=r1 port=5433 dbname=bgce_archive pool_size=50 max_db_connections=50" in lines
        assert "; community_ro: the address of gone is not known here" in lines
        assert made.notes == (
            "cortex reads from one only: odd has another port or database, and an entry takes one",
            "URL_4 is not set, so gone is left out for community",
        )
        assert "max_user_connections = 100" in lines


def test_values_that_need_quotes() -> None:
    odd = Place("/run/my server", 5432, "it's; a=b %include x")
    lines = ini(Layout("archive", SETTINGS, odd, STRATEGY[:1]), Listening(users_file="/etc/u"))
    assert (
        "cortex = host='/run/my server' port=5432 dbname='it''s; a=b %include x' pool_size=50 max_db_connections=50" in lines
    )
    assert "auth_file = /etc/u" in lines


def test_names_that_clash() -> None:
    assert clashes(["cortex", "postal"]) == []
    assert clashes(["a", "a_ro", "pgbouncer"]) == [
        "service pgbouncer has the name of an entry that the pooler needs itself",
        "service a_ro has the name of a's entry for reads",
    ]


def test_drivers_by_version() -> None:
    old, new = ({a.driver: " ".join(a.lines) for a in advice(v)} for v in (Version(1, 18), Version(1, 22)))
    assert list(old) == list(new) == ["database/sql", "pgx", "GORM", "psycopg"]
    assert "default_query_exec_mode=exec" in old["pgx"]
    assert "cache_statement" in new["pgx"]
    assert "PreferSimpleProtocol: true" in old["GORM"]
    assert "PrepareStmt: true" in new["GORM"]
    assert "prepare_threshold=None in connect()" in old["psycopg"]
    assert "may stay" in new["psycopg"]
    assert "may stay" not in " ".join(next(a.lines for a in advice(Version(1, 21)) if a.driver == "psycopg"))
