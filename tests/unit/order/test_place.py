"""Where new migrations go: what makes a name comes first, what ends it comes last, and each edge says why."""

from __future__ import annotations

import random

import pytest

from bgce_migrate.errors import Refused
from bgce_migrate.migration import MigrationId, Severity
from bgce_migrate.order import Placement, Rules, place
from tests.unit.order.notation import log, migration_id, new, order_of, placed

NO_RULES = Rules({"a": 0, "b": 1, "c": 2, "d": 3})


def problems_of(log_: tuple, new_: tuple, rules: Rules = NO_RULES) -> list[str]:
    """Everything that placement refuses."""
    with pytest.raises(Refused) as refused:
        place(log_, new_, rules)
    assert refused.value.exit_code == 3
    return [str(problem) for problem in refused.value.problems]


def findings_of(placement: Placement) -> list[tuple[str, str]]:
    return [(f.rule, f.severity.value) for f in placement.findings]


@pytest.mark.parametrize(
    ("logged", "fresh", "expected"),
    [
        pytest.param({}, {"a1": "users", "b1": "+users"}, "b1 a1", id="maker before user, against the ranks"),
        pytest.param({"b1": "+users"}, {"a1": "users"}, "a1", id="the log satisfies a use"),
        pytest.param({"a1": "+t"}, {"a2": "-t", "b1": "t"}, "b1 a2", id="user before the drop"),
        pytest.param({"a1": "+t"}, {"a2": "t>u", "b1": "t"}, "b1 a2", id="user before the rename"),
        pytest.param(
            {"a1": "+t"}, {"a2": "t>u", "b1": "u"}, "a2 b1", id="user of the new name after the rename"
        ),
        pytest.param({"b1": "+t"}, {"a1": "+t", "b2": "-t"}, "b2 a1", id="a name is free after the drop"),
        pytest.param({}, {"a1": "-t", "b1": "+t"}, "b1 a1", id="a drop follows the maker"),
        pytest.param({}, {"a1": "*f()", "b1": "+f()", "c1": "f()"}, "a1 b1 c1", id="an overload is enough"),
        pytest.param({}, {"a1": "?*t", "b1": "+t", "c1": "t"}, "b1 a1 c1", id="IF NOT EXISTS follows CREATE"),
        pytest.param({}, {"a1": "x ! b/1", "b1": "+y", "c1": "+x"}, "b1 c1 a1", id="explicit requires"),
        pytest.param({"a2": "+t"}, {"a1": "+u", "b1": "u"}, "a1 b1", id="a late lower version"),
        pytest.param({}, {"a1": "~t", "b1": "+t"}, "b1 a1", id="late binding follows too"),
        pytest.param(
            {}, {"a1": "+t", "a2": "+u", "b1": "u", "b2": "t"}, "a1 a2 b1 b2", id="rank, then version"
        ),
        pytest.param({}, {"a1": "+v&t.c", "b1": "+t", "b2": "+t.c"}, "b1 b2 a1", id="a column made later"),
        pytest.param(
            {"b1": "+t +t.id"}, {"a1": "+u&t&t#code", "b2": "+t#code"}, "b2 a1", id="a unique key made later"
        ),
        pytest.param({"b1": "+t +t.c"}, {"a1": "+v&t.c", "b2": "-t.c"}, "a1 b2", id="before a column goes"),
        pytest.param({}, {"a1": "T:users", "b1": "+users"}, "b1 a1", id="a table is also a type"),
        pytest.param({}, {"a1": "+x", "b1": "E:citext", "c1": "+E:citext"}, "a1 c1 b1", id="an extension"),
        pytest.param({}, {"a1": "g()", "b1": "?*E:pgcrypto"}, "b1 a1", id="a function that may come from it"),
        pytest.param({}, {"a1": "S:app +app:t", "b1": "+S:app"}, "b1 a1", id="a schema"),
        pytest.param({"a1": "+S:s +s:t"}, {"a2": "S:s>S:r", "b1": "r:t"}, "a2 b1", id="a schema's new name"),
    ],
)
def test_order(logged: dict[str, str], fresh: dict[str, str], expected: str) -> None:
    assert order_of(log(**logged), new(**fresh), "abcd") == expected


def test_every_edge_has_its_reason_and_place() -> None:
    placement = place((), new(a1="+users", b1="+x +posts&users[foreign_key]", b2="-users"), NO_RULES)
    told = [(e.before.short, e.after.short, e.reason, str(e.where)) for e in placement.edges]
    assert told == [
        ("a/000001", "b/000001", "uses users (foreign key)", "b1.up.sql:2"),
        ("a/000001", "b/000002", "users is made before it is dropped", "b2.up.sql:1"),
        ("b/000001", "b/000002", "version order", "None"),
    ]


def test_input_order_never_matters() -> None:
    candidates = list(
        new(
            a1="+t +t.id", a2="+u&t", a3="-u", b1="+v&u ~w", b2="*f() t", c1="+w&t.id", c2="f() ~u",
            d1="+x w ! b/2", d2="-x +x", c3="x ! d/2", a4="+E:e", b3="unknown() ???",
        )
    )  # fmt: skip
    seen = set()
    for seed in range(100):
        random.Random(seed).shuffle(candidates)
        placement = place(log(e1="+z"), candidates, Rules({"d": 0, "b": 1}))
        seen.add((placement.order, placement.edges, placement.findings, tuple(placement.foreign.items())))
    assert len(seen) == 1


class TestNamesMadeMoreThanOnce:
    """The counter-examples to "after the one that creates it, before the one that drops it"."""

    def test_locked_after_each_it_is_no_cycle(self) -> None:
        recorded = log(a1="+report[view]", b1="report", a2="-report")
        assert order_of(recorded, new(a3="+report[view]", b3="report"), "ab") == "a3 b3"

    def test_a_rebuild_in_one_file_is_no_cycle(self) -> None:
        recorded = log(a1="+report[view]")
        assert order_of(recorded, new(a2="-report +report[view]", b1="report"), "ab") == "b1 a2"

    def test_a_view_rather_follows_the_rebuild_that_it_would_stand_in_the_way_of(self) -> None:
        recorded = log(a1="+comment_view[view]")
        fresh = new(a2="-comment_view +comment_view[view]", b1="+v[view]&comment_view[view]")
        assert order_of(recorded, fresh, "ba") == "a2 b1"

    def test_a_rename_away_and_a_new_table_of_the_name_is_no_cycle(self) -> None:
        recorded = log(a1="+messages_data")
        fresh = new(b1="+i[index]&messages_data[index]", a2="messages_data>old +messages_data -old")
        assert order_of(recorded, fresh, "ab") == "a2 b1"

    def test_requires_names_the_later_maker(self) -> None:
        recorded = log(a1="+report[view]")
        fresh = new(a2="-report", a3="+report[view]", b1="report ! a/3")
        assert order_of(recorded, fresh, "ba") == "a2 a3 b1"

    def test_what_else_is_needed_tells_the_side(self) -> None:
        recorded = log(a1="+report[view]")
        fresh = new(a2="-report +report[view] +extra", b1="report extra")
        assert order_of(recorded, fresh, "ba") == "a2 b1"

    def test_a_column_that_only_the_new_table_has_tells_the_side(self) -> None:
        recorded = log(a1="+t&+t.id")
        fresh = new(a2="-t +t&+t.id&+t.code", b1="+u&t[foreign_key]&t.code[foreign_key]")
        assert order_of(recorded, fresh, "ba") == "a2 b1"

    def test_a_column_dropped_before_its_table_is_rebuilt_lives_again(self) -> None:
        fresh = new(a2="-t.c -t +t&+t.c", b1="t.c ! a/2")
        assert order_of(log(a1="+t&+t.c"), fresh, "ab") == "a2 b1"

    def test_a_table_made_and_dropped_in_one_file_leaves_no_column_behind(self) -> None:
        fresh = new(a1="+t&+t.x t.x -t +t&+t.y", b1="+v[view]&t[view] +t.x")
        assert order_of((), fresh, "ba") == "a1 b1"
        assert order_of((), new(a1="+t&+t.x t>u +t", b1="t +t.x"), "ba") == "a1 b1"

    def test_a_column_that_came_with_a_renamed_table_is_not_that_of_a_later_one(self) -> None:
        fresh = new(a1="+t&+t.x t>u", b1="u&u.x", a2="-u", a3="+u&+u.x ! b/1")
        assert order_of((), fresh, "ba") == "a1 b1 a2 a3"

    def test_what_follows_from_nothing_but_a_column_is_given_up_where_it_closes_a_circle(self) -> None:
        placement = place(log(a1="+t"), new(a2="-t +t&+t.x ! b/1", b1="t&t.x"), NO_RULES)
        assert placed(placement) == "b1 a2"
        assert [f.message for f in placement.findings if f.rule == "soft-order"] == [
            "b/000001 uses t.x; a/000002 should come before it, but that closes a cycle, so it is not followed:"
            " another table of that name may be meant"
        ]

    def test_one_that_uses_a_name_before_it_replaces_it_follows_another_maker(self) -> None:
        assert order_of((), new(a1="t *t", b1="*t"), "ab") == "b1 a1"
        assert order_of((), new(a1="t *t", b1="*t", c1="t *t", d1="t"), "abcd") == "b1 a1 c1 d1"
        assert problems_of((), new(a1="t *t", b1="t *t"))[0].startswith("b1.up.sql:1: cycle: ")

    def test_required_drop_without_a_new_maker_is_refused(self) -> None:
        told = problems_of(log(a1="+t"), new(a2="-t", b1="t ! a/2"))
        assert len(told) == 1 and told[0].startswith("b1.up.sql:1: cycle: ")

    def test_two_makers_want_requires_and_it_helps(self) -> None:
        fresh = {"a1": "+r[view]", "a2": "-r", "a3": "+r[view]", "b1": "r"}
        assert problems_of((), new(**fresh)) == [
            "b1.up.sql:1: ambiguous: b/000001 uses r, which a/000001 and a/000003 both make"
        ]
        assert order_of((), new(**{**fresh, "b1": "r ! a/1"}), "ab") == "a1 b1 a2 a3"
        assert order_of((), new(**{**fresh, "b1": "r ! a/3"}), "ab") == "a1 a2 a3 b1"

    def test_two_domains_make_one_name(self) -> None:
        with pytest.raises(Refused) as refused:
            place((), new(a1="+t", b1="+t"), NO_RULES)
        assert refused.value.message == (
            "ambiguous: a/000001 and b/000001 both make t, and nothing says which comes first"
        )
        assert "-- bgce: requires a/000001" in (refused.value.hint or "")

    def test_two_domains_rebuild_one_view(self) -> None:
        fresh = {"a1": "-v +v[view]", "b1": "-v +v[view]"}
        assert problems_of(log(c1="+v[view]"), new(**fresh))[0].startswith("b1.up.sql:1: ambiguous: ")
        assert order_of(log(c1="+v[view]"), new(a1="-v +v[view] ! b/1", b1="-v +v[view]"), "ab") == "b1 a1"

    def test_drop_and_make_by_different_domains_have_one_order(self) -> None:
        assert order_of((), new(a1="-t", a2="+t", b1="+t", c1="t ! a/2"), "abc") == "b1 a1 a2 c1"

    @pytest.mark.parametrize("drops", ["-t ?-t", "t ?-t", "t>u ?-t"])
    def test_an_optional_drop_does_not_loosen_what_the_same_file_needs(self, drops: str) -> None:
        fresh = new(a1=drops, b1="+t -t")
        assert order_of((), (*fresh, *new(c1="+t ! b/1")), "abc") == "b1 c1 a1"
        assert order_of((), (*new(c1=f"{drops} ! b/1"), *new(a1="+t ! b/1", b1="+t -t")), "abc") == "b1 a1 c1"

    def test_an_optional_drop_beside_a_create_is_asked_about(self) -> None:
        told = problems_of((), new(a1="?-t", b1="+t"))
        assert told == [
            "a1.up.sql:1: ambiguous: b/000001 makes t and a/000001 drops it, and nothing says which comes first"
        ]


class TestRefused:
    def test_all_problems_are_told_at_once(self) -> None:
        told = problems_of(
            log(a1="+t", a2="-t", a3="+u", a4="u>v"),
            new(b1="t", b2="u", b3="+x ! a/9", c1="+y ! b/4", d1="+n", c2="+n"),
        )
        assert told == [
            "b1.up.sql:1: b/000001 uses t, which a/000002 dropped",
            "b2.up.sql:1: b/000002 uses u, which a/000004 renamed to v",
            "b3.up.sql: b/000003 requires a/9, which does not exist",
            "c1.up.sql: c/000001 requires b/4, which does not exist",
            "d1.up.sql:1: ambiguous: c/000002 and d/000001 both make n, and nothing says which comes first",
        ]

    def test_unknown_requires_tells_what_there_is(self) -> None:
        with pytest.raises(Refused) as refused:
            place(log(a1="+t", a2="+u"), new(b1="t ! a/latest a/7 z/1"), NO_RULES)
        hints = [p.hint for p in refused.value.problems]
        assert hints == [
            "a has 2 migrations, the last ones are: 000001, 000002",
            "write a concrete version, such as `-- bgce: requires cortex/000002`",
            "there is no domain z; there are: a, b",
        ]

    def test_one_version_twice_names_both_files(self) -> None:
        one, other = new(a1="+t")[0], new(a1="+u")[0]
        other = type(other)(other.id, other.effects, (), "elsewhere/a1.up.sql")
        assert problems_of((), (one, other)) == [
            "elsewhere/a1.up.sql: a/000001 is there twice: a1.up.sql and elsewhere/a1.up.sql"
        ]
        assert problems_of(log(a1="+t"), (one,)) == [
            "a1.up.sql: a/000001 is already in the log, and a1.up.sql has the same version"
        ]

    def test_a_migration_cannot_require_itself(self) -> None:
        assert problems_of((), new(a1="+t ! a/1")) == ["a1.up.sql: a/000001 requires itself"]

    @pytest.mark.parametrize(
        ("fresh", "cycle"),
        [
            pytest.param(
                {"a1": "+x y", "b1": "+y x"},
                "a1.up.sql:2: cycle: a/000001 -> b/000001 (uses x, b1.up.sql:2)"
                " -> a/000001 (uses y, a1.up.sql:2)",
                id="two domains",
            ),
            pytest.param(
                {"a1": "+x z[view]", "b1": "+y x[foreign_key]", "c1": "+z y"},
                "a1.up.sql:2: cycle: a/000001 -> b/000001 (uses x (foreign key), b1.up.sql:2)"
                " -> c/000001 (uses y, c1.up.sql:2) -> a/000001 (uses z (view), a1.up.sql:2)",
                id="three domains",
            ),
            pytest.param(
                {"a1": "y", "a2": "+o", "a3": "+x", "b1": "+y x", "c1": "o x y"},
                "a1.up.sql:1: cycle: a/000001 -> a/000003 (version order) -> b/000001 (uses x, b1.up.sql:2)"
                " -> a/000001 (uses y, a1.up.sql:1)",
                id="version order is one step",
            ),
            pytest.param(
                {"a1": "+x ! b/1", "b1": "x"},
                "a1.up.sql: cycle: a/000001 -> b/000001 (uses x, b1.up.sql:1)"
                " -> a/000001 (requires b/000001, a1.up.sql)",
                id="requires against a use",
            ),
        ],
    )
    def test_a_cycle_has_its_exact_members_and_every_reason(self, fresh: dict[str, str], cycle: str) -> None:
        told = problems_of((), new(**fresh))
        assert len(told) == 1
        members = {part.split(" ")[0] for part in told[0].split("cycle: ")[1].split(" -> ")}
        assert members == {part.split(" ")[0] for part in cycle.split("cycle: ")[1].split(" -> ")}
        assert told[0].split("cycle: ")[1] == cycle.split("cycle: ")[1]

    def test_two_cycles_are_two_problems(self) -> None:
        told = problems_of((), new(a1="+x y", b1="+y x", c1="+v w", d1="+w v"))
        assert len(told) == 2 and all("cycle: " in text for text in told)


class TestDeclarations:
    RULES = Rules(
        {"cortex": 0, "postal": 1},
        {"cortex": frozenset(), "postal": frozenset({"data"}), "data": frozenset(), "plain": None},
    )

    def test_an_undeclared_dependency_is_told_whole(self) -> None:
        with pytest.raises(Refused) as refused:
            place(log(cortex1="+users"), new(postal3="+posts&users[foreign_key]"), self.RULES)
        error = refused.value
        assert error.message == (
            "undeclared dependency: postal/000003 uses users (foreign key), which belongs to domain cortex"
            " (made by cortex/000001), but domain postal does not require cortex"
        )
        assert str(error.where) == "postal3.up.sql:1"
        assert error.hint == 'write `requires = ["cortex", "data"]` in the domain.toml of postal'

    @pytest.mark.parametrize(
        "use", ["=users", "^users", "-users", "users>people", "users", "+v[view]&users[view]"]
    )
    def test_every_way_of_touching_counts(self, use: str) -> None:
        assert len(problems_of(log(cortex1="+users"), new(postal1=use), self.RULES)) == 1

    def test_new_objects_count_as_those_of_the_log(self) -> None:
        assert len(problems_of((), new(cortex1="+users", postal1="users"), self.RULES)) == 1

    def test_late_binding_is_a_warning(self) -> None:
        placement = place(log(cortex1="+users"), new(postal1="+f()&~users"), self.RULES)
        assert findings_of(placement) == [("undeclared-dependency", Severity.WARNING.value)]

    def test_required_and_undeclared_domains_are_free(self) -> None:
        recorded = log(data1="+d", plain1="+p", cortex1="+c")
        placement = place(recorded, new(postal1="d p", plain2="c d"), self.RULES)
        assert placement.findings == ()

    def test_explicit_requires_does_not_declare_a_domain(self) -> None:
        told = problems_of(log(cortex1="+users"), new(postal1="users ! cortex/1"), self.RULES)
        assert "undeclared dependency" in told[0]

    def test_who_renamed_does_not_own(self) -> None:
        recorded = log(cortex1="+users", data1="users>people")
        assert "belongs to domain cortex" in problems_of(recorded, new(postal1="people"), self.RULES)[0]


class TestFindings:
    def test_opaque_sql_is_never_silent(self) -> None:
        placement = place((), new(a1="+t ???"), NO_RULES)
        assert [(f.rule, f.severity, str(f.where)) for f in placement.findings] == [
            ("cannot-see-through", Severity.WARNING, "a1.up.sql:2")
        ]

    def test_a_soft_edge_that_closes_a_cycle_is_given_up(self) -> None:
        placement = place((), new(a1="+audit()&~posts +users", b1="+posts&users"), NO_RULES)
        assert placed(placement) == "a1 b1"
        assert [(e.before.short, e.after.short) for e in placement.dropped] == [("b/000001", "a/000001")]
        assert findings_of(placement) == [("soft-order", "note")]

    def test_unknown_relations_are_a_note_and_unknown_functions_nothing(self) -> None:
        placement = place((), new(a1="nowhere f() T:t ?=perhaps"), NO_RULES)
        assert findings_of(placement) == [("unknown-name", "note")]

    def test_a_name_that_only_a_later_version_makes(self) -> None:
        placement = place((), new(a1="+users&tenants", a2="+tenants"), NO_RULES)
        assert findings_of(placement) == [("reference-to-later", "warning")]

    def test_a_name_that_may_live_again_is_only_a_warning(self) -> None:
        recorded = log(a1="+t", a2="-t", a3="???")
        assert findings_of(place(recorded, new(b1="t"), NO_RULES)) == [("dropped-name", "warning")]

    def test_two_that_change_one_object(self) -> None:
        placement = place(log(c1="+f() +t"), new(a1="*f()", b1="*f()", c2="=t", b2="=t"), NO_RULES)
        assert findings_of(placement) == [("unordered-change", "warning"), ("unordered-change", "warning")]

    def test_a_create_of_what_is_there(self) -> None:
        assert findings_of(place(log(a1="+t"), new(b1="+t"), NO_RULES)) == [("name-exists", "warning")]


def test_foreign_uses_tell_object_owner_and_columns() -> None:
    placement = place(
        log(a1="+users&+users.id&+users.email&+users#id[primary]", a2="+users.code +users#code"),
        new(
            b1="+p&users[foreign_key]&users.code[foreign_key]&users#code[foreign_key] +q&users[foreign_key]",
            b2="+v[view]&users[view]&users.email[column_of_a_query] users",
            a3="users",
        ),
        NO_RULES,
    )
    told = {
        m.short: [(str(u.object), u.owner, u.maker.short, u.detail, u.columns, u.table_columns) for u in uses]
        for m, uses in placement.foreign.items()
    }
    maker = ("users", "a", "a/000001")
    assert told == {
        "b/000001": [(*maker, "foreign key", ("code",), ()), (*maker, "foreign key", ("id",), ())],
        "b/000002": [(*maker, "view", ("email",), ()), (*maker, "", None, ("id", "email", "code"))],
    }
    key_use = placement.foreign[MigrationId("b", 1)][0]
    assert key_use.needs == (migration_id("a/2"),)
    assert key_use.object.schema == "public"
