"""What `requires` cannot answer is not asked: a contradiction says so, and what cannot be seen is a warning."""

from __future__ import annotations

import pytest

from bgce_migrate.order import place
from tests.unit.order.notation import log, new
from tests.unit.order.test_place import NO_RULES, findings_of, problems_of

#: A use whose side of a rebuild is guessed, so that the order found is replayed before it is believed.
RECORDED = log(e1="+w")
GUESSED = new(e2="-w +w", c1="w")


def test_a_question_is_never_about_two_that_are_in_order() -> None:
    told = problems_of((), new(a1="+t", b1="-t", c1="-t ! b/1"))
    assert told == [
        "b1.up.sql:1: ambiguous: b/000001 drops t, and a/000001 makes it; nothing says which comes first"
    ]


@pytest.mark.parametrize(
    ("fresh", "told"),
    [
        ({"a1": "+t", "b1": "-t ! a/1", "c2": "-t ! b/1"}, "c/000002 drops t, which b/000001 has dropped"),
        ({"a1": "+t", "b1": "t>u ! a/1", "c2": "-t ! b/1"}, "t, which b/000001 has renamed"),
        ({"a1": "+t", "b1": "+t ! a/1"}, "b/000001 makes t, while that of a/000001 still lives"),
        ({"a1": "+t", "b1": "+u u>t ! a/1"}, "b/000001 renames u to t, while that of a/000001"),
    ],
)
def test_a_contradiction_says_so(fresh: dict[str, str], told: str) -> None:
    said = problems_of(RECORDED, (*GUESSED, *new(**fresh)))
    assert len(said) == 1 and ": contradiction: " in said[0] and told in said[0]


@pytest.mark.parametrize(
    ("fresh", "expected"),
    [
        ({"a1": "-t", "b1": "+t ! a/1"}, "unknown-name"),
        ({"a1": "+t", "b1": "??? ! a/1", "d1": "+t ! b/1"}, "name-exists"),
        ({"a1": "+t", "b1": "-t ! a/1", "b2": "???", "d1": "-t ! b/2"}, "dropped-name"),
    ],
)
def test_what_may_succeed_on_a_server_is_a_warning(fresh: dict[str, str], expected: str) -> None:
    placement = place(RECORDED, (*GUESSED, *new(**fresh)), NO_RULES)
    assert findings_of(placement)[-1] == (expected, "warning")
    assert [(e.before.short, e.after.short) for e in placement.edges if "w" in e.reason.split()] == [
        ("c/000001", "e/000002")
    ]
