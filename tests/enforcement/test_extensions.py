"""Declared extensions: made by the administrator, or said with the statement of who can."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgce_migrate.errors import Refused
from tests.cli.program import SHOP, bgce
from tests.e2e.desks import require_done, up
from tests.e2e.platform import bootstrap
from tests.e2e.scene import make_owner, query, write
from tests.servers import as_superuser

INSTALLED = "SELECT extname::text FROM pg_extension WHERE extname <> 'plpgsql' ORDER BY 1"
OURS = "SELECT count(*) FROM pg_roles WHERE rolname ~ '^(bgce|cortex|postal)_'"


def shop(folder: Path, *extensions: str) -> Path:
    listed = ", ".join(f'"{name}"' for name in extensions)
    return write(folder, {**SHOP, "bgce.toml": f"{SHOP['bgce.toml']!s}[database]\nextensions = [{listed}]\n"})


def test_trusted_ones_are_made_by_an_administrator_who_is_no_superuser(database15: str, tmp_path: Path) -> None:
    project = shop(tmp_path, "pg_trgm", "uuid-ossp")
    write(project, {
        "migrations/cortex/000003_find.up.sql": "CREATE INDEX users_email ON users USING gin (email gin_trgm_ops);",
        "migrations/cortex/000003_find.down.sql": "DROP INDEX users_email;",
    })  # fmt: skip
    guarded = bootstrap(project, database15)
    assert query(database15, INSTALLED) == [("pg_trgm",), ("uuid-ossp",)]
    assert 'CREATE EXTENSION IF NOT EXISTS "uuid-ossp"' in guarded.statements
    assert bootstrap(project, database15, guarded.admin).statements == ()
    require_done(up(project, guarded.url))


def test_others_are_a_superusers_and_the_statement_is_said(database15: str, tmp_path: Path) -> None:
    project, admin = shop(tmp_path, "pg_trgm", "dblink", "file_fdw"), make_owner(database15, "admin", "CREATEROLE")
    answer = bgce("bootstrap", "-d", admin, cwd=project)
    assert answer.code == 3
    assert "this login may not make extensions dblink, file_fdw: not trusted, so a superuser's" in answer.err
    statements = 'CREATE EXTENSION IF NOT EXISTS "dblink"; CREATE EXTENSION IF NOT EXISTS "file_fdw"'
    assert f"a superuser runs, in this database: {statements}; then bootstrap again" in answer.err
    assert (query(database15, INSTALLED), query(database15, OURS)) == ([], [(0,)]), "nothing was changed"
    for statement in statements.split("; "):
        query(as_superuser(database15), statement)
    assert bgce("bootstrap", "-d", admin, cwd=project).code == 0
    assert query(database15, INSTALLED) == [("dblink",), ("file_fdw",), ("pg_trgm",)]


@pytest.mark.postgres(18)
def test_one_that_the_server_does_not_have(database: str, tmp_path: Path) -> None:
    """The wheel's servers come without contrib."""
    with pytest.raises(Refused, match="extension pg_trgm is not installed on this server") as caught:
        bootstrap(shop(tmp_path, "pg_trgm"), database)
    assert caught.value.exit_code == 3 and "nothing was changed" in (caught.value.hint or "")
    assert query(database, OURS) == [(0,)]
