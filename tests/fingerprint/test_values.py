"""Values of a fingerprint without a server: hashes, whose an object is, how a difference reads, expressions."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgce_migrate.domain import Domain, Table
from bgce_migrate.fingerprint import digest
from bgce_migrate.fingerprint.compare import by_domain, compare
from bgce_migrate.fingerprint.domains import assign
from bgce_migrate.fingerprint.expressions import canonical
from bgce_migrate.fingerprint.lens import lens
from bgce_migrate.fingerprint.model import Object, catalog, quoted
from bgce_migrate.fingerprint.wording import tell
from bgce_migrate.registry.model import build

USERS = Object("table", "public.users", {"column order": ("id", "mail")}, "cortex_owner")
MAIL = Object("column", "public.users.mail", {"type": "text"}, "cortex_owner", "table public.users")
INDEX = Object("index", "public.users_mail", {"definition": "CREATE INDEX"}, "cortex_owner", "table public.users")
KIND = Object("type", "public.kind", {"labels": ("a", "b")}, "postal_owner")
STRAY = Object("table", "public.stray", {}, "somebody")


@pytest.mark.parametrize(
    ("written", "same"),
    [
        (
            "((s)::text = ANY ((ARRAY['a'::character varying, 'b,]('::character varying])::text[]))",
            "((s)::text = ANY (ARRAY[('a'::character varying)::text, ('b,]('::character varying)::text]))",
        ),
        ("(x = ANY (ARRAY[1, 2]))", "(x = ANY (ARRAY[1, 2]))"),
        ("(ARRAY[f(a, b), ARRAY[c]])::t[]", "ARRAY[(f(a, b))::t, (ARRAY[c])::t]"),
        ("(ARRAY['it''s'::v])::character varying(5)[]", "ARRAY[('it''s'::v)::character varying(5)]"),
        ("(ARRAY[a])::\"My T\".x[] || (ARRAY[b])::t[]", "ARRAY[(a)::\"My T\".x] || ARRAY[(b)::t]"),
        ("(ARRAY['open", "(ARRAY['open"),
        ("'(ARRAY['::text || (b[1])::t", "'(ARRAY['::text || (b[1])::t"),
    ],
)
def test_a_cast_of_an_array_is_one_of_its_elements(written: str, same: str) -> None:
    assert canonical(written) == same


@given(st.text(alphabet="(ARY[]):t,' \"", max_size=40))
def test_any_text_is_read_to_its_end_and_twice_is_once(text: str) -> None:
    assert canonical(canonical(text)) == canonical(text)


def test_a_hash_has_nothing_to_do_with_the_order_of_reading() -> None:
    one = catalog(18, [USERS, MAIL, KIND])
    other = catalog(18, [KIND, MAIL, USERS])
    assert digest.of_catalog(one) == digest.of_catalog(other)
    assert digest.of_catalog(one) != digest.of_catalog(catalog(18, [USERS, MAIL]))
    assert len(digest.of_object(USERS)) == 16


def test_kinds_can_be_left_out() -> None:
    before, after = catalog(18, [USERS]), catalog(18, [USERS, Object("settings", "of every role")])
    without = frozenset({"settings"})
    assert compare(before, after, without=without) == ()
    through = lens(18, 18, without=without)
    assert digest.of_catalog(before, through) == digest.of_catalog(after, through)


def test_whose_an_object_is() -> None:
    registry = build([
        Domain("cortex", Path("cortex"), 0, tables={"users": Table("users")}),
        Domain("postal", Path("postal"), 1, tables={"posts": Table("posts")}),
    ])  # fmt: skip
    taken = Object("table", "public.posts", {}, "postgres")
    found = catalog(18, [USERS, MAIL, INDEX, KIND, STRAY, taken])
    domains = assign(found, registry)
    assert domains == {
        "table public.users": "cortex",
        "column public.users.mail": "cortex",
        "index public.users_mail": "cortex",
        "type public.kind": "postal",
        "table public.stray": "",
        "table public.posts": "postal",
    }
    hashes = digest.by_domain(found, lambda o: domains[o.identity])
    assert list(hashes) == ["", "cortex", "postal"]
    changed = catalog(18, [USERS, MAIL, KIND, STRAY, taken])
    after = digest.by_domain(changed, lambda o: domains[o.identity])
    assert {name for name in hashes if hashes[name] != after[name]} == {"cortex"}
    told = by_domain(compare(found, changed), domains)
    assert {name: [tell(d) for d in of] for name, of in told.items()} == {
        "cortex": ["index public.users_mail is gone"]
    }


def test_what_goes_with_a_table_is_not_told_apart() -> None:
    assert [tell(d) for d in compare(catalog(18, [USERS, MAIL, INDEX]), catalog(18, []))] == ["table public.users is gone"]
    assert [tell(d) for d in compare(catalog(18, [USERS]), catalog(18, [USERS, MAIL]))] == [
        "column public.users.mail is new"
    ]


def test_long_texts_are_told_by_the_part_that_differs() -> None:
    long = "BEGIN " + "x := x + 1; " * 50
    before = catalog(18, [Object("function", "public.f()", {"body": long + "RETURN x; END"})])
    after = catalog(18, [Object("function", "public.f()", {"body": long + "RETURN y; END"})])
    assert [tell(d) for d in compare(before, after)] == [
        "function public.f(): body is ... x := x + 1; RETURN y; END, was ... x := x + 1; RETURN x; END"
    ]


@pytest.mark.parametrize(
    ("name", "shown"), [("users", "users"), ("Users", '"Users"'), ('a"b', '"a""b"'), ("a.b", '"a.b"'), ("1", '"1"')]
)
def test_names_are_shown_as_they_are_written(name: str, shown: str) -> None:
    assert quoted(name) == shown


def test_of_many_columns_those_are_told_that_moved() -> None:
    names = tuple(f"c{n}" for n in range(30))
    moved = (*names[:4], *names[5:20], *names[21:], "c4", "c20")
    before = catalog(18, [Object("table", "public.t", {"column order": names})])
    after = catalog(18, [Object("table", "public.t", {"column order": moved})])
    assert [tell(d) for d in compare(before, after)] == [
        "table public.t: columns stand in another order, moved: c4, c20"
    ]
