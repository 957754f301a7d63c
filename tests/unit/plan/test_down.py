"""Which steps a `down` undoes, and whom it would leave standing on nothing."""

from __future__ import annotations

import pytest

from bgce_migrate.errors import Refused, UsageError
from bgce_migrate.migration import MigrationId
from bgce_migrate.plan import AppliedView, DownTarget, make_down


def applied(text: str) -> list[AppliedView]:
    """`cortex/1 postal/1<cortex/1@r2#d7`: requires after `<`, run after `@`, deployment after `#`."""
    views = []
    for word in text.split():
        word, _, deployment = word.partition("#")
        word, _, run = word.partition("@")
        name, _, requires = word.partition("<")
        domain, version = name.split("/")
        views.append(
            AppliedView(
                MigrationId(domain, int(version)),
                tuple(requires.split(",")) if requires else (),
                run or None,
                deployment or None,
            )
        )
    return views


HISTORY = "a/1@r1 b/1<a/000001@r1 a/2@r2#d1 b/2<a/2@r2#d1 c/1@r3#d1 c/2<b/2@r4 a/3@r4"


def undone(text: str, **target: object) -> str:
    order = make_down(applied(text), DownTarget(**target))  # type: ignore[arg-type]
    return " ".join(f"{m.domain}{m.version}" for m in order)


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ({"count": 1, "domain": "a"}, "a3"),
        ({"count": 2, "domain": "c"}, "c2 c1"),
        ({"count": 0}, ""),
        ({"count": 9, "domain": "c"}, "c2 c1"),
        ({"to": MigrationId("c", 1)}, "c2"),
        ({"to": MigrationId("c", 0)}, "c2 c1"),
        ({"to": MigrationId("c", 2)}, ""),
        ({"all": True}, "a3 c2 c1 b2 a2 b1 a1"),
        ({"all": True, "domain": "c"}, "c2 c1"),
        ({"run": "r4"}, "a3 c2"),
        ({"run": "r4", "domain": "c"}, "c2"),
        ({"run": "unknown"}, ""),
        ({"to": MigrationId("a", 1), "cascade": True}, "a3 c2 b2 a2"),
        ({"to": MigrationId("a", 0), "cascade": True}, "a3 c2 b2 a2 b1 a1"),
        ({"deployment": "d1", "cascade": True}, "a3 c2 c1 b2 a2"),
        ({"run": "r3", "cascade": True}, "c2 c1"),
    ],
)
def test_reverse_of_application(target: dict[str, object], expected: str) -> None:
    assert undone(HISTORY, **target) == expected


def test_the_last_applied_is_the_last_not_the_highest() -> None:
    assert undone("a/1 a/3 a/2", count=1) == "a2"
    assert undone("a/1 a/3 a/2", to=MigrationId("a", 2)) == "a3"


@pytest.mark.parametrize(
    ("target", "dependents"),
    [
        ({"to": MigrationId("a", 1)}, ["b/000002 depends on a/000002", "c/000002 depends on b/000002"]),
        ({"run": "r3"}, ["c/000002 was applied after c/000001 of the same domain"]),
        (
            {"run": "r2"},
            ["c/000002 depends on b/000002", "a/000003 was applied after a/000002 of the same domain"],
        ),
    ],
)
def test_dependents_are_listed_and_refused(target: dict[str, object], dependents: list[str]) -> None:
    with pytest.raises(Refused) as refused:
        undone(HISTORY, **target)
    assert [p.message for p in refused.value.problems] == dependents
    assert "--cascade" in (refused.value.hint or "")


def test_a_count_over_several_domains_names_them() -> None:
    with pytest.raises(UsageError) as error:
        undone(HISTORY, count=1)
    assert error.value.message == "`down 1` is not clear with 3 domains: a, b, c"
    assert undone("a/1 a/2", count=1) == "a2"


@pytest.mark.parametrize(
    "target",
    [
        {},
        {"count": 1, "all": True},
        {"count": -1, "domain": "a"},
        {"to": MigrationId("a", 1), "domain": "b"},
    ],
)
def test_what_cannot_be(target: dict[str, object]) -> None:
    with pytest.raises(UsageError):
        undone(HISTORY, **target)


def test_a_version_that_is_not_applied_is_not_a_target() -> None:
    with pytest.raises(UsageError) as error:
        undone("a/1 a/3", to=MigrationId("a", 2))
    assert error.value.message == "a/000002 is not applied"
    assert undone("", all=True) == ""
