"""What programs set in their drivers, for a pooler of a given version in transaction mode."""

from __future__ import annotations

from msgspec import Struct

from bgce_migrate.pools.model import Version

#: Named prepared statements follow a client over server connections, with `max_prepared_statements`.
PREPARED_SINCE = Version(1, 21)
#: psycopg's statements are closed by protocol from libpq 17 on, and the pooler knows DEALLOCATE ALL.
PSYCOPG_SINCE = Version(1, 22)


class Advice(Struct, frozen=True):
    """Lines for one driver."""

    driver: str
    lines: tuple[str, ...]


def advice(version: Version, pool: str = "N") -> tuple[Advice, ...]:
    """For database/sql, pgx, GORM and psycopg.

    Args:
        pool: what stands for the size of a program's own pool.
    """
    prepared = version >= PREPARED_SINCE
    psycopg = version >= PSYCOPG_SINCE
    return (
        Advice(
            "database/sql",
            (
                f"db.SetMaxOpenConns({pool}); db.SetMaxIdleConns({pool}); db.SetConnMaxLifetime(30 * time.Minute)",
                "lib/pq: binary_parameters=yes in the address; without it a query with arguments takes two trips,"
                " which may reach two servers",
                "lib/pq and pgx/stdlib: db.Prepare works" if prepared else "never db.Prepare: use db.Query with arguments",
                "pool_max_conns is no parameter of lib/pq: it hands it to the server, which refuses it",
            ),
        ),
        Advice(
            "pgx",
            (
                f"pgxpool: pool_max_conns={pool} in the address (pgxpool alone reads it)",
                "default_query_exec_mode=cache_statement, the default, works"
                if prepared
                else "default_query_exec_mode=exec in the address: nothing is prepared by name",
            ),
        ),
        Advice(
            "GORM",
            (
                "gorm.Config{PrepareStmt: true} is possible"
                if prepared
                else "postgres.Config{PreferSimpleProtocol: true} and gorm.Config{PrepareStmt: false}",
                f"sqlDB, _ := db.DB(); sqlDB.SetMaxOpenConns({pool})",
                "no AutoMigrate: services have no right to change tables",
            ),
        ),
        Advice(
            "psycopg",
            (
                "prepare_threshold may stay with psycopg 3.2 and libpq 17 or newer; else prepare_threshold=None"
                if psycopg
                else "prepare_threshold=None in connect()",
                f"ConnectionPool(max_size={pool}); no options= in the address"
                + ("" if version >= (1, 20) else ", the pooler refuses it"),
            ),
        ),
    )
