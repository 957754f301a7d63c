"""A migration is known by its domain and version; what it is called is a label."""

from __future__ import annotations

import copy
import pickle

import pytest

from bgce_migrate.migration import MigrationId


def test_the_name_does_not_count() -> None:
    one, other = MigrationId("a", 1, "x"), MigrationId("a", 1, "y")
    assert one == other
    assert (one != other) is False
    assert hash(one) == hash(other) and {one: 1}[other] == 1
    assert one <= other <= one and not one < other and not one > other


@pytest.mark.parametrize("above", [MigrationId("a", 2), MigrationId("b", 1), MigrationId("b", 0, "a")])
def test_by_domain_and_then_by_version(above: MigrationId) -> None:
    below = MigrationId("a", 1, "z")
    assert below != above
    assert (below == above) is False
    assert below < above and below <= above and above > below and above >= below
    assert sorted([above, below]) == [below, above]


def test_nothing_else_is_a_migration() -> None:
    assert MigrationId("a", 1) != ("a", 1) and MigrationId("a", 1) != "a/000001"
    with pytest.raises(TypeError):
        assert MigrationId("a", 1) < ("a", 2)  # type: ignore[operator]


def test_a_copy_keeps_the_label() -> None:
    one = MigrationId("a", 1, "x")
    for again in (copy.copy(one), pickle.loads(pickle.dumps(one))):
        assert str(again) == "a/000001_x"
