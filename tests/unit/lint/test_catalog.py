"""The shadow catalog: names as the server chooses them, and what hangs together."""

from __future__ import annotations

from bgce_migrate.lint.catalog import Catalog, apply_all
from bgce_migrate.lint.facts.dispatch import read
from bgce_migrate.migration import MigrationId


def replayed(*files: str) -> Catalog:
    catalog = Catalog()
    for number, sql in enumerate(files, 1):
        catalog.begin(MigrationId("shop", number), "public")
        apply_all(catalog, read(sql))
    return catalog


def test_constraints_and_indexes_have_the_servers_names() -> None:
    catalog = replayed(
        "CREATE TABLE t (id serial PRIMARY KEY, a int UNIQUE CHECK (a > 0), b int REFERENCES t, CHECK (a < b), UNIQUE (a, b));"
        "CREATE INDEX ON t (a, lower(b::text)); CREATE INDEX ON t (a, (b + 1));"
    )
    table = catalog.relations[("public", "t")]
    assert set(table.constraints) == {"t_pkey", "t_a_key", "t_a_check", "t_b_fkey", "t_check", "t_a_b_key"}
    assert {i.name for i in table.indexes.values() if not i.constraint} == {"t_a_expr_idx", "t_a_expr_idx1"}
    assert ("public", "t_id_seq") in catalog.relations


def test_a_rename_is_followed_by_everything_that_points_at_it() -> None:
    catalog = replayed(
        "CREATE TABLE a (id bigint PRIMARY KEY); CREATE TABLE b (a_id bigint REFERENCES a); CREATE VIEW v AS SELECT id FROM a;",
        "ALTER TABLE a RENAME TO c; ALTER TABLE c RENAME COLUMN id TO key;",
    )
    key = ("public", "c")
    assert [t.name for t, _ in catalog.children_of(key)] == ["b"]
    assert [v.name for v in catalog.views_over(key)] == ["v"]
    assert catalog.relations[key].indexes["a_pkey"].columns == ("key",)


def test_dropping_takes_what_hangs_on_it() -> None:
    catalog = replayed(
        "CREATE TABLE a (id bigint PRIMARY KEY, x int, y int, UNIQUE (x, y)); CREATE INDEX i ON a (y) WHERE x > 0;"
        "CREATE TABLE b (a_id bigint REFERENCES a); CREATE VIEW v AS SELECT id FROM a;",
        "ALTER TABLE a DROP COLUMN x;",
        "DROP TABLE a CASCADE;",
    )
    assert set(catalog.relations) == {("public", "b")}
    assert not catalog.relations[("public", "b")].constraints
    assert not catalog.indexes


def test_names_are_found_along_the_search_path() -> None:
    catalog = replayed(
        "CREATE SCHEMA s; CREATE TABLE s.t (id bigint PRIMARY KEY); CREATE TABLE t (id bigint PRIMARY KEY);",
        "SET LOCAL search_path = s, public; ALTER TABLE t ADD COLUMN a int; CREATE TEMP TABLE t (b int); ALTER TABLE t ADD c int;",
    )
    assert list(catalog.relations[("s", "t")].columns) == ["id", "a"]
    assert list(catalog.relations[("public", "t")].columns) == ["id"]
    assert list(catalog.relations[("pg_temp", "t")].columns) == ["b", "c"]


def test_partitions_know_their_parents() -> None:
    catalog = replayed(
        "CREATE TABLE p (k int, v int) PARTITION BY LIST (k); CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1);"
        "CREATE TABLE pd PARTITION OF p DEFAULT;",
        "ALTER TABLE p DETACH PARTITION pd;",
    )
    parent = catalog.relations[("public", "p")]
    assert (parent.kind, parent.partitions, parent.default_partition) == ("partitioned", [("public", "p1")], None)
    assert list(catalog.relations[("public", "p1")].columns) == ["k", "v"]


def test_views_are_over_the_columns_they_mention() -> None:
    catalog = replayed(
        "CREATE TABLE a (id bigint PRIMARY KEY, x int, y int); CREATE TABLE b (id bigint PRIMARY KEY, x int);"
        "CREATE VIEW one AS SELECT t.x FROM a AS t JOIN b ON b.id = t.id; CREATE VIEW two AS SELECT * FROM (SELECT y FROM a) AS s;"
        "CREATE VIEW three AS SELECT b.*, (SELECT max(y) FROM a) AS m FROM b;",
        "ALTER TABLE a RENAME COLUMN y TO z;",
    )

    def over(table: str, column: str) -> set[str]:
        return {view.name for view in catalog.views_over(("public", table), column)}

    assert over("a", "x") == {"one"}
    assert over("b", "x") == {"three"}
    assert over("a", "z") == {"two", "three"}
    assert over("b", "id") == {"one", "three"}
