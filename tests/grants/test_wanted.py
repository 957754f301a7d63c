"""What declarations give: writers, readers by table or column, the owners behind them, functions."""

from __future__ import annotations

from bgce_migrate.access import Grant
from bgce_migrate.grants.existing import Existing, Use
from bgce_migrate.grants.model import Right, Securable, SecurableKind
from bgce_migrate.grants.wanted import for_functions, for_tables, no_longer_whole, on_objects
from bgce_migrate.registry import Registry
from tests.grants.declared import domain, registry, service, users

COLUMNS = ("id", "name", "email", "password", "seen_at")


def scene() -> Registry:
    core = domain(
        "core",
        {"users": users(email="contact", password="secret", seen_at="private"), "plans": None},
        service("core", "users plans"),
        shares={"mail": ("users(email)",)},
        functions={"touch": "shared", "inner": "private", "award": "shared"},
    )
    mail = domain("mail", {"letters": None}, service("mail", "letters", "core:users.profile core:users(email) core:plans"))
    shop = domain(
        "shop",
        {"orders": None, "carts": None},
        service("orders", "orders", "core:* shop:carts"),
        service("carts", "carts", calls="core:award"),
        requires=("core",),
    )
    return registry(core, mail, shop)


def words(rights: tuple[Right, ...]) -> set[str]:
    return {f"{r.grantee} {r.privilege} {r.on.name}{'.' + r.column if r.column else ''}" for r in rights}


def test_writers_get_four_rights_and_their_sequences() -> None:
    found = words(for_tables(scene(), scene()["shop"], {"orders": ("id",)}, {"orders": ("orders_id_seq",)}))
    assert found == {f"orders_user {p} orders" for p in ("SELECT", "INSERT", "UPDATE", "DELETE")} | {
        "orders_user USAGE orders_id_seq"
    }


def test_readers_get_columns_where_the_table_has_classes() -> None:
    found = words(for_tables(scene(), scene()["core"], {"users": COLUMNS}))
    assert {w for w in found if w.startswith("mail_user")} == {f"mail_user SELECT users.{c}" for c in ("id", "name", "email")}
    assert {w for w in found if w.startswith("orders_user")} == {"orders_user SELECT users.id", "orders_user SELECT users.name"}
    assert {w for w in found if w.startswith("carts_user")} == set()
    assert {w for w in found if w.startswith("mail_owner")} == {f"mail_owner SELECT users.{c}" for c in ("id", "name", "email")}
    assert {w for w in found if w.startswith("core_owner")} == set()


def test_readers_get_the_table_where_it_has_no_classes() -> None:
    found = words(for_tables(scene(), scene()["core"], {"plans": ("id",)}))
    assert {w for w in found if "core_user" not in w} == {
        f"{who} SELECT plans" for who in ("mail_user", "mail_owner", "orders_user", "shop_owner")
    }


def test_a_new_column_goes_to_those_who_read_by_column() -> None:
    found = words(for_tables(scene(), scene()["core"], {}, widened={"users": ("nickname", "password"), "plans": ("price",)}))
    assert found == {"orders_user SELECT users.nickname", "shop_owner SELECT users.nickname"}


def test_a_table_with_its_first_class_is_closed_to_whole_reads() -> None:
    found = words(no_longer_whole(scene(), scene()["core"], ["users", "plans"]))
    assert found == {f"{who} SELECT users" for who in ("mail_user", "mail_owner", "orders_user", "shop_owner")}


def test_a_table_that_nobody_declares_goes_to_who_writes_all() -> None:
    assert {w.split()[0] for w in words(for_tables(scene(), scene()["core"], {"events_2026": ("id",)}))} == {"core_user"}
    assert for_tables(scene(), scene()["shop"], {"events_2026": ("id",)}) == ()


def test_functions_go_to_their_own_services_and_where_they_are_shared() -> None:
    def of(name: str) -> set[str]:
        function = Securable(SecurableKind.FUNCTION, "public", name, "integer")
        return {r.grantee for r in for_functions(scene(), scene()["core"], [function])}

    assert of("touch") == {"core_user", "shop_owner"}
    assert of("award") == {"core_user", "shop_owner", "carts_user"}
    assert of("inner") == {"core_user"}


def test_a_plugin_gets_no_secret() -> None:
    asked = [
        Grant("reporting", "SELECT", "users"),
        Grant("reporting", "REFERENCES", "users", columns=("id", "password")),
        Grant("reporting", "TRIGGER", "users"),
    ]
    found = {w for w in words(for_tables(scene(), scene()["core"], {"users": COLUMNS}, extra=asked)) if "reporting" in w}
    assert found == {
        *(f"reporting SELECT users.{c}" for c in COLUMNS if c != "password"),
        "reporting REFERENCES users.id",
        "reporting TRIGGER users",
    }


def test_uses_in_the_catalog_keep_what_they_need() -> None:
    existing = Existing(
        columns={("public", "users"): COLUMNS, ("public", "plans"): ("id",)},
        uses=frozenset(
            {
                Use("shop", ("public", "users"), ("id",), True, "public.orders"),
                Use("shop", ("public", "users"), ("email",), True, "public.carts"),
                Use("mail", ("public", "users"), ("email", "seen_at", "password"), False, "public.people"),
                Use("shop", ("public", "plans"), ("id",), False, "public.offers"),
            }
        ),
    )
    found = {f"{r.grantee} {r.privilege} {r.on.name}.{r.column}": why for r, why in on_objects(scene(), existing, ())}
    assert "shop_owner REFERENCES users.id" in found and "shop_owner REFERENCES users.email" in found
    assert "shop_owner SELECT users.email" not in found
    assert "mail_owner SELECT users.email" in found
    assert "mail_owner SELECT users.seen_at" not in found and "mail_owner SELECT users.password" not in found
    assert "shop_owner SELECT plans." in found


def test_nothing_is_wanted_on_what_does_not_exist_and_the_reasons_are_told() -> None:
    existing = Existing(
        columns={("public", "plans"): ("id",)}, versions={"core": ("public", "core_schema_migrations")}
    )
    found = {f"{r.grantee} {r.privilege} {r.on.name}": why for r, why in on_objects(scene(), existing, ())}
    assert not any("users" in what for what in found)
    assert found["orders_user SELECT plans"] == "orders reads core:*"
    assert found["mail_owner SELECT plans"] == "mail reads core:plans"
    assert found["core_user INSERT plans"] == "core writes it"
    assert "core_user TRUNCATE core_schema_migrations" in found
