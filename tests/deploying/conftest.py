"""A shop whose next deployment takes something away, and what its database looks like."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from bgce_migrate.db.catalog_reader import read as read_catalog
from bgce_migrate.db.session import connect
from bgce_migrate.fingerprint.model import Catalog
from tests.cli.program import SHOP, bgce, write

#: What the deployment brings: steps old programs do not mind, one that they do, and one that builds on it.
NEXT: dict[str, str | bytes] = {
    "migrations/cortex/000003_add_phone.up.sql": "ALTER TABLE users ADD COLUMN phone text;\n",
    "migrations/cortex/000003_add_phone.down.sql": "ALTER TABLE users DROP COLUMN phone;\n",
    "migrations/cortex/000004_drop_bio.up.sql": "-- bgce: phase contract\nALTER TABLE users DROP COLUMN bio;\n",
    "migrations/cortex/000004_drop_bio.down.sql": "ALTER TABLE users ADD COLUMN bio text;\n",
    "migrations/cortex/000005_index.up.sql": "CREATE INDEX users_phone ON users (phone);\n",
    "migrations/cortex/000005_index.down.sql": "DROP INDEX users_phone;\n",
}


@pytest.fixture
def shop(tmp_path: Path, database: str) -> Path:
    """Applied as it was; the next deployment's files are there."""
    root = write(tmp_path / "shop", SHOP)
    assert bgce("up", "-d", database, "--deployment", "earlier", cwd=root).code == 0
    return write(root, NEXT)


@pytest.fixture
def catalog(database: str) -> Callable[[], Catalog]:
    """Reads everything of the database that a migration can change."""

    def read() -> Catalog:
        with connect(database, "bgce_migrate") as session:
            return read_catalog(session, without=["bgce_migrate"])

    return read


def applied(database: str) -> list[str]:
    """Short ids, in order of application."""
    query = (
        "SELECT service_name || '/' || version FROM bgce_migrate.migration_state WHERE applied ORDER BY history_id"
    )
    with psycopg.connect(database) as connection:
        return [row[0] for row in connection.execute(query)]


def words_of(database: str) -> list[str]:
    """What history says of deployments, in its order."""
    query = "SELECT deployment || ' ' || error FROM bgce_migrate.migration_history WHERE name = 'deployment' ORDER BY id"
    with psycopg.connect(database) as connection:
        return [row[0] for row in connection.execute(query)]
