"""What the shipped domains make of an empty database."""

from __future__ import annotations

import psycopg
import pytest
import tomli

from tests.plugins.shipped_domains import (
    HERE,
    Connection,
    TableFacts,
    declaration,
    domain_names,
    leading_columns,
    pairs,
    read_tables,
    run,
)

EXPECTED = tomli.loads((HERE / "expected_tables.toml").read_text(encoding="utf-8"))
HOME = {table: domain for domain, tables in EXPECTED.items() for table in tables}


def in_words(facts: TableFacts) -> dict[str, object]:
    """A table as `expected_tables.toml` writes it, lists without order sorted."""
    return {
        "columns": facts.columns,
        "unique": sorted(facts.unique.values()),
        "keys": sorted(facts.keys.values()),
        "checks": sorted(facts.checks.values()),
        "indexes": sorted(facts.indexes.values()),
        "updated_at_trigger": bool(facts.triggers),
    }


def test_every_table_is_as_written_down(migrated: Connection) -> None:
    written = {
        table: {
            "columns": facts["columns"],
            **{key: sorted(facts.get(key, [])) for key in ("unique", "keys", "checks", "indexes")},
            "updated_at_trigger": facts.get("updated_at_trigger", False),
        }
        for tables in EXPECTED.values()
        for table, facts in tables.items()
    }
    assert len(written) == 48
    assert {table: in_words(facts) for table, facts in read_tables(migrated).items()} == written


def test_names_follow_from_table_and_columns(migrated: Connection) -> None:
    def joined(columns: str) -> str:
        words = columns.removeprefix("gin ").split(" where ")[0].split(", ")
        return "_".join(word.split()[0] for word in words)

    for table, facts in read_tables(migrated).items():
        assert facts.primary == f"{table}_pkey (id)"
        for name, columns in facts.unique.items():
            assert name == f"uq_{table}_{joined(columns)}"
        for name, key in facts.keys.items():
            assert name == f"fk_{table}_{joined(key.split(' -> ')[0])}"
        for name, columns in facts.indexes.items():
            assert name == f"idx_{table}_{joined(columns)}"
        for name in facts.checks:
            assert name.startswith(f"ck_{table}_")
        assert list(facts.triggers) in ([], [f"update_{table}_updated_at"])


def test_deleting_a_parent_row_of_another_domain_is_refused_by_its_key(migrated: Connection) -> None:
    for table, facts in read_tables(migrated).items():
        for key in facts.keys.values():
            parent, _, rule = key.split(" -> ")[1].partition(" ")
            if HOME[parent] == HOME[table]:
                assert rule in ("cascade", "set null"), f"{table}: {key}"
            else:
                assert rule == "", f"{table}: {key}"


def test_every_key_column_leads_an_index_except_keys_to_tenants(migrated: Connection) -> None:
    for table, facts in read_tables(migrated).items():
        first = {columns[0] for columns in leading_columns(facts)}
        for key in facts.keys.values():
            column, parent = key.split(" -> ")
            assert parent.startswith("tenants") or column in first, f"{table}.{column}"


def test_no_index_is_the_beginning_of_another(migrated: Connection) -> None:
    for table, facts in read_tables(migrated).items():
        every = list(leading_columns(facts))
        for number, columns in enumerate(every):
            others = every[:number] + every[number + 1 :]
            covered = [other for other in others if other[: len(columns)] == columns]
            assert not covered, f"{table}: {columns} is covered by {covered}"


def test_each_table_is_made_by_the_domain_that_declares_it(connection: Connection) -> None:
    before: set[str] = set()
    for domain in domain_names():
        for pair in pairs(domain):
            run(connection, pair.up)
        now = set(read_tables(connection))
        assert now - before == set(EXPECTED[domain])
        before = now


@pytest.mark.parametrize("domain", EXPECTED)
def test_a_domain_needs_nothing_but_what_it_requires(connection: Connection, domain: str) -> None:
    for name in [*declaration(domain)["requires"], domain]:
        for pair in pairs(name):
            run(connection, pair.up)
    assert set(EXPECTED[domain]) <= set(read_tables(connection))


def test_the_services_statements_can_be_prepared(migrated: Connection) -> None:
    statements = (HERE / "client-statements.sql").read_text(encoding="utf-8").splitlines()
    assert len(statements) == 23
    for number, statement in enumerate(statements):
        migrated.execute(f"PREPARE client_{number} AS {statement}".encode())


def test_an_update_moves_updated_at(migrated: Connection) -> None:
    migrated.execute(
        "INSERT INTO users (username, email, password_hash, updated_at) VALUES ('a', 'a@example.org', 'x', '2001-01-01')"
    )
    migrated.execute("UPDATE users SET full_name = 'A'")
    moved = migrated.execute("SELECT updated_at > '2001-01-02' FROM users").fetchone()
    assert moved == (True,)


def test_deleting_a_tenant_takes_its_users_but_not_the_posts_of_another_domain(migrated: Connection) -> None:
    migrated.execute("INSERT INTO tenants (name, slug) VALUES ('T', 't'), ('V', 'v')")
    migrated.execute(
        "INSERT INTO users (tenant_id, username, email, password_hash)"
        " SELECT id, slug, slug || '@example.org', 'x' FROM tenants"
    )
    migrated.execute("INSERT INTO categories (slug, label) VALUES ('c', 'C')")
    migrated.execute(
        "INSERT INTO posts (order_no, title, slug, content, category_id, created_by)"
        " SELECT 1, 'P', 'p', 'p', categories.id, users.id FROM categories, users WHERE username = 'v'"
    )
    migrated.execute("DELETE FROM tenants WHERE slug = 't'")
    assert migrated.execute("SELECT username FROM users").fetchall() == [("v",)]
    with pytest.raises(psycopg.errors.ForeignKeyViolation, match="fk_posts_created_by"):
        migrated.execute("DELETE FROM tenants WHERE slug = 'v'")


def test_a_follower_does_not_follow_himself(migrated: Connection) -> None:
    with pytest.raises(psycopg.errors.CheckViolation, match="ck_follows_follower_id_following_id"):
        migrated.execute("INSERT INTO follows (follower_id, following_id) VALUES (1, 1)")
