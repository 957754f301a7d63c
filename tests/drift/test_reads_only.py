"""`drift` and `verify --client` write nothing: as a role with CONNECT and SELECT only, with the server's statement log read afterwards."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.cli.program import bgce, write
from tests.drift.scene import LOOKS, logged, look, run, texts
from tests.e2e.platform import Guarded
from tests.e2e.scene import PASSWORD, as_role


@pytest.fixture
def reader(platform: Guarded) -> str:
    """An address of a role that may connect and select, and whose every statement is logged."""
    database = str(conninfo_to_dict(platform.superuser)["dbname"])
    run(platform.superuser, [
        f"CREATE ROLE looker LOGIN PASSWORD '{PASSWORD}'",
        "ALTER ROLE looker SET log_statement = 'all'",
        f"GRANT CONNECT ON DATABASE {database} TO looker",
        "GRANT USAGE ON SCHEMA bgce_migrate TO looker",
        "GRANT SELECT ON ALL TABLES IN SCHEMA bgce_migrate TO looker",
    ])  # fmt: skip
    return as_role(platform.superuser, "looker")


def test_nothing_is_written(platform: Guarded, reader: str, server_root: Path, tmp_path: Path) -> None:
    before = _books(platform.superuser)
    clients = write(tmp_path, {"c.sql": "UPDATE posts SET title = $1 WHERE id = $2;\nDELETE FROM posts;\n"}) / "c.sql"
    run(platform.superuser, ["ALTER TABLE posts ADD COLUMN by_hand text"])
    with logged(server_root, "tests", 18) as said:
        try:
            for words in (("drift", "--no-cache"), ("drift", "--json"), ("drift", "--watch-ddl=print"), ("verify", "--client", clients)):
                answer = bgce(*words, "-d", reader, cwd=platform.project)
                assert answer.code == (1 if words[0] == "drift" and "print" not in words[1] else 0), answer.err
            refused = bgce("drift", "--watch-ddl", "-d", reader, cwd=platform.project)
            assert refused.code == 3 and "only one can make an event trigger" in refused.err
        finally:
            run(platform.superuser, ["ALTER TABLE posts DROP COLUMN by_hand"])
    assert len(said) > 60
    assert [text for text in said if not LOOKS.match(text)] == []
    assert not [text for text in said if re.search(r"\b(nextval|setval|pg_advisory\w*)\(", text)]
    assert _books(platform.superuser) == before
    run(platform.superuser, ["DROP OWNED BY looker", "DROP ROLE looker"])
    assert texts(look(platform.project, platform.url)) == []


def _books(url: str) -> list[tuple[object, ...]]:
    with psycopg.connect(url) as connection:
        query = "SELECT c.relname, pg_stat_get_tuples_inserted(c.oid) + pg_stat_get_tuples_updated(c.oid) + pg_stat_get_tuples_deleted(c.oid)"
        return connection.execute(f"{query} FROM pg_class c WHERE relkind = 'r' AND relnamespace <> 'pg_catalog'::regnamespace ORDER BY 1".encode()).fetchall()
