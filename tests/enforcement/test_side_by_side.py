"""What other lanes commit while a step runs is not taken for the step's own."""

from __future__ import annotations

import psycopg

from bgce_migrate.db.statements import bookkeeping
from tests.servers import as_superuser

CHANGED = "SELECT relname FROM bgce_migrate.held('nobody') WHERE kind = 'changed' ORDER BY 1"


def test_younger_rows_of_others_are_not_ours(any_database: str) -> None:
    url = as_superuser(any_database)
    with psycopg.connect(url, autocommit=True) as other, psycopg.connect(url) as step:
        for statement in bookkeeping("bgce_migrate", "plain"):
            other.execute(statement)
        step.execute("CREATE TYPE mine AS ENUM ('a')")
        other.execute("CREATE TYPE theirs AS ENUM ('a')")
        other.execute("CREATE FUNCTION theirs() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        other.execute("ALTER TYPE theirs RENAME TO theirs_too")
        other.execute("CREATE SCHEMA theirs")
        other.execute("ALTER SCHEMA theirs RENAME TO theirs_too")
        # Each look begins only where something was changed in place.
        step.execute("ALTER TYPE mine RENAME TO mine_too")
        with step.transaction():
            step.execute("CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'")
            step.execute("CREATE OR REPLACE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 2'")
        step.execute("CREATE SCHEMA mine")
        step.execute("ALTER SCHEMA mine RENAME TO mine_too")
        assert [name for (name,) in step.execute(CHANGED)] == ["_mine_too", "mine", "mine_too", None]
