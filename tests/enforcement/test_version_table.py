"""The version table of a previous tool: an old image that starts its own runner goes on starting."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from tests.e2e.desks import require_done, up
from tests.e2e.platform import Guarded, bootstrap, copy_platform, service
from tests.e2e.scene import query
from tests.grants.running import grant
from tests.servers import as_superuser

TABLE = "cortex_schema_migrations"


@pytest.fixture(params=["cortex_user", "cortex_owner"])
def platform(request: pytest.FixtureRequest, database: str, tmp_path: Path) -> Guarded:
    """Made by the service's own login, or handed over to the domain's owner."""
    project = copy_platform(tmp_path)
    declared = project / "bgce.toml"
    declared.write_text(declared.read_text() + '[compat]\ngolang_migrate = "{service}_schema_migrations"\n')
    guarded = bootstrap(project, database)
    query(as_superuser(database), f"DROP TABLE {TABLE}")
    query(as_superuser(database), f"CREATE TABLE {TABLE} (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)")
    query(as_superuser(database), f"ALTER TABLE {TABLE} OWNER TO {request.param}")
    bootstrap(project, database, guarded.admin)
    return guarded


def start(url: str) -> tuple[int, bool]:
    """What golang-migrate asks at start with its drivers `postgres` and `pgx`: its lock, its table, its version."""
    with psycopg.connect(url, autocommit=True) as c:
        c.execute("SELECT pg_advisory_lock(1234567890)")
        seen = c.execute(
            "SELECT COUNT(1) FROM information_schema.tables WHERE table_schema = 'public' AND table_name = %s LIMIT 1", [TABLE]
        ).fetchone()
        if seen == (0,):
            c.execute(f'CREATE TABLE IF NOT EXISTS "public"."{TABLE}" (version bigint not null primary key, dirty boolean not null)'.encode())
        row = c.execute(f'SELECT version, dirty FROM "public"."{TABLE}" LIMIT 1'.encode()).fetchone()
        c.execute("SELECT pg_advisory_unlock(1234567890)")
    assert row is not None
    return int(str(row[0])), bool(row[1])


def test_an_old_image_starts_before_and_after_rights_are_made_true(platform: Guarded) -> None:
    require_done(up(platform.project, platform.url))
    newest = max(int(file.name.partition("_")[0]) for file in (platform.project / "migrations" / "cortex").glob("*.up.sql"))
    grant(platform, platform.admin)
    assert start(service(platform, "cortex_user")) == (newest, False)
    grant(platform, platform.admin)
    assert start(service(platform, "cortex_user")) == (newest, False), "the second time, too"
    require_done(up(platform.project, platform.url))
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(service(platform, "postal_user"), f"SELECT version FROM {TABLE}")
