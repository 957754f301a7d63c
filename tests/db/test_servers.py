"""Servers that we start ourselves, on real programs."""

from __future__ import annotations

import psycopg
import pytest


def test_database_is_empty_and_ours(database: str) -> None:
    with psycopg.connect(database) as connection:
        connection.execute("CREATE ROLE cortex_owner")
        connection.execute("CREATE TABLE t (id int)")
        connection.execute("ALTER TABLE t OWNER TO cortex_owner")
        row = connection.execute("SELECT current_setting('is_superuser')").fetchone()
    assert row == ("on",)


def test_database_is_fresh_again(database: str) -> None:
    with psycopg.connect(database) as connection:
        query = "SELECT to_regclass('t'), to_regrole('cortex_owner')"
        assert connection.execute(query).fetchone() == (None, None)


@pytest.mark.postgres(18, 16, 15)
def test_on_fifteen(database: str) -> None:
    with psycopg.connect(database) as connection:
        assert connection.info.server_version >= 150000
