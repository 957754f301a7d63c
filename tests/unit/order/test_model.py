"""Which names live after a history, who made them, and what goes with what."""

from __future__ import annotations

import pytest

from bgce_migrate.effect import Effect, Name, ObjectKind
from bgce_migrate.order.model import Model
from bgce_migrate.order.names import key_of
from tests.unit.order.notation import effects, migration_id, name_of


def replayed(**history: str) -> Model:
    """A model after these migrations, in the order given."""
    model = Model()
    for key, text in history.items():
        model.apply(migration_id(f"{key[0]}/{key[1:]}"), effects(text))
    return model


def maker(model: Model, text: str, path: tuple[str, ...] = ("public",)) -> str | None:
    """`a1` for the migration that made what `text` means."""
    life = model.find(name_of(text), path)
    return f"{life.maker.domain}{life.maker.version}" if life else None


def test_a_rename_carries_columns_keys_and_triggers_along() -> None:
    model = replayed(a1="+t&+t.id&+t#id[primary]&+t@stamp", b1="t>u", b2="+t&+t.x")
    assert maker(model, "u") == "b1" and model.find(name_of("u"), ("public",)).owner == "a"  # type: ignore[union-attr]
    assert [maker(model, name) for name in ("u.id", "u#id", "u@stamp")] == ["b1"] * 3
    assert model.columns("public", "t") == ("x",) and model.columns("public", "u") == ("id",)
    assert model.primary_key("public", "u") == ("id",) and model.primary_key("public", "t") is None


def test_a_column_has_its_own_life() -> None:
    model = replayed(a1="+t&+t.a&+t.b", b1="-t.a t.b>t.c +t.d")
    assert model.columns("public", "t") == ("c", "d")


def test_a_dropped_table_takes_its_indexes_sequences_and_parts() -> None:
    model = replayed(a1="+t&+t.id&+t_id_seq[sequence] +i[index]&t +v[view]&t", a2="-t")
    assert [maker(model, n) for n in ("t", "t.id", "t_id_seq", "i", "v")] == [None, None, None, None, "a1"]


def test_cascade_takes_views_over_views_and_triggers_of_functions() -> None:
    model = replayed(a1="+t +v[view]&t +w[matview]&v +x[view]&t2 +f() +t3&+t3@r&f()", a2="-t! -f()!")
    assert [maker(model, n) for n in ("v", "w", "x", "t3", "t3@r")] == [None, None, "a1", "a1", None]


def test_a_late_bound_use_is_nothing_to_cascade_to() -> None:
    assert maker(replayed(a1="+t +f()&~t", a2="-t!"), "f()") == "a1"


def test_a_schema_takes_and_carries_what_is_in_it() -> None:
    history = {"a1": "+S:s +s:t&+s:t.id +s:f() +t"}
    dropped = replayed(**history, a2="-S:s!")
    assert [maker(dropped, n) for n in ("s:t", "s:t.id", "s:f()", "t")] == [None, None, None, "a1"]
    renamed = replayed(**history, a2="S:s>S:r")
    assert [maker(renamed, n) for n in ("s:t", "r:t", "r:t.id", "r:f()")] == [None, "a2", "a2", "a2"]


def test_replace_keeps_the_maker_and_if_exists_needs_nothing() -> None:
    model = replayed(a1="+v[view]", b1="*v[view] ?*v ?-gone", b2="?*w")
    assert maker(model, "v") == "a1" and maker(model, "w") == "b2"
    assert model.death([key_of(name_of("gone"), "public")]) is None


def test_the_search_path_decides() -> None:
    model = replayed(a1="+app:t +t +T:mood")
    assert model.find(name_of("t"), ("app", "public")).key[1] == "app"  # type: ignore[union-attr]
    assert maker(model, "t", ("other",)) is None
    assert maker(model, "T:t") == "a1", "a relation is a type of its name"
    assert model.find(Name(ObjectKind.RELATION, "mood"), ("public",)) is None


@pytest.mark.parametrize(
    ("history", "lives"),
    [
        pytest.param([("+", "int"), ("-", "int")], False, id="dropped"),
        pytest.param([("+", "int"), ("+", "text"), ("-", "int")], True, id="the other overload stays"),
        pytest.param([("+", "int"), ("+", "text"), ("-", "int"), ("-", "text")], False, id="both dropped"),
        pytest.param([("+", "int"), ("*", "int"), ("-", "int")], False, id="replaced, then dropped"),
        pytest.param([("+", "int"), ("*", "text"), ("-", None)], False, id="dropped by its bare name"),
        pytest.param([("+", "int"), ("+", None), ("-", "int")], True, id="one whose types are not known"),
    ],
)
def test_overloads(history: list[tuple[str, str | None]], lives: bool) -> None:
    model = Model()
    for number, (sign, signature) in enumerate(history):
        effect = effects(f"{sign}f()")[0]
        with_types = Effect(effect.action, effect.object, 1, 0, signature=signature)
        model.apply(migration_id(f"a/{number + 1}"), (with_types,))
    assert (maker(model, "f()") is not None) is lives


def test_a_layer_leaves_the_one_below_as_it_is() -> None:
    below = replayed(a1="+t&+t.id +u")
    above = Model(below)
    above.apply(migration_id("b/1"), effects("-t u>v +t&+t.x +t.y"))
    assert maker(above, "t") == "b1" and above.columns("public", "t") == ("x", "y")
    assert maker(above, "u") is None and maker(above, "v") == "b1"
    assert maker(below, "t") == "a1" and below.columns("public", "t") == ("id",)
    assert maker(below, "u") == "a1" and maker(below, "v") is None
