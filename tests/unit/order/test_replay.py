"""What a settled log says about itself."""

from __future__ import annotations

from bgce_migrate.order import foreign_uses, replay
from tests.unit.order.notation import log


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
