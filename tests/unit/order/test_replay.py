"""What a settled log says about itself."""

from __future__ import annotations

import pytest

from bgce_migrate.order import LogEntry, foreign_uses, replay
from tests.unit.order.notation import log
from tests.unit.order.test_sql import candidate


def test_uses_are_resolved_at_their_point() -> None:
    recorded = log(a1="+t&+t.id", b1="t", a2="-t", c1="+t&+t.id&+t.x", b2="t[view]&t.x", b3="t.id t")
    told = {
        m.short: [(str(u.object), u.owner, u.maker.short, u.columns, u.table_columns) for u in uses]
        for m, uses in foreign_uses(recorded).items()
    }
    assert told == {
        "b/000001": [("t", "a", "a/000001", None, ("id",))],
        "b/000002": [("t", "c", "c/000001", ("x",), ())],
        "b/000003": [("t", "c", "c/000001", None, ("id", "x"))],
    }


def test_edges_hold_every_order_between_domains_that_matters() -> None:
    recorded = log(a1="+t +own", b1="t ~own", a2="own -t", c1="+t", d1="t")
    told = {(e.before.short, e.after.short, e.soft) for e in replay(recorded).edges}
    assert told == {
        ("a/000001", "b/000001", False),
        ("b/000001", "a/000002", False),
        ("a/000002", "c/000001", False),
        ("c/000001", "d/000001", False),
    }


def test_a_query_runs_before_the_column_it_names_goes() -> None:
    recorded = log(a1="+t +t.x", b1="t ~t.x", a2="-t.x")
    told = {(e.before.short, e.after.short, e.soft) for e in replay(recorded).edges}
    assert told == {("a/000001", "b/000001", False), ("b/000001", "a/000002", True)}


@pytest.mark.parametrize(
    ("held", "let_go"),
    [
        ("CREATE VIEW v AS SELECT x FROM t", "DROP VIEW v"),
        ("CREATE TABLE c (x int REFERENCES t (x))", "DROP TABLE c"),
        ("CREATE TABLE c (x int REFERENCES t (x))", "ALTER TABLE c DROP COLUMN x"),
        ("CREATE TABLE c (x int REFERENCES t (x))", "ALTER TABLE c DROP CONSTRAINT c_x_fkey"),
        ("CREATE TABLE c (x int DEFAULT f())", "ALTER TABLE c ALTER x DROP DEFAULT"),
        ("CREATE VIEW v AS SELECT x FROM t", "CREATE OR REPLACE VIEW v AS SELECT 1 AS x"),
        ("CREATE VIEW v AS SELECT x FROM t; ALTER VIEW v RENAME TO w", "DROP VIEW w"),
    ],
)
@pytest.mark.parametrize("renamed", [False, True])
def test_what_rests_on_an_object_goes_before_the_object_does(held: str, let_go: str, renamed: bool) -> None:
    files = {
        "a/1": "CREATE TABLE t (x int UNIQUE); CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "b/1": held,
        "a/2": "ALTER TABLE t RENAME TO u; ALTER FUNCTION f() RENAME TO g" if renamed else "CREATE TYPE e AS ENUM ()",
        "b/2": let_go,
        "a/3": "ALTER TABLE u DROP COLUMN x; DROP FUNCTION g()" if renamed else "DROP TABLE t; DROP FUNCTION f()",
    }
    entries = [LogEntry(c.id, c.effects) for c in (candidate(k, v) for k, v in files.items())]
    told = {(e.before.short, e.after.short) for e in replay(entries).edges}
    assert ("b/000002", "a/000003") in told
