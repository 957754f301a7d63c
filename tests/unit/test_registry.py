"""Domains are checked against each other; the registry answers who owns, requires and shares what."""

from __future__ import annotations

import random
from pathlib import Path
from types import MappingProxyType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from bgce_migrate.domain import Domain, Read, Service, Table
from bgce_migrate.errors import ConfigError
from bgce_migrate.registry import Registry, build
from bgce_migrate.registry.references import ReferenceFault, parse_read


def domain(name: str, *tables: str | Table, **more: object) -> Domain:
    made = [Table(t) if isinstance(t, str) else t for t in tables]
    return Domain(
        name,
        Path(name),
        tables=MappingProxyType({t.name: t for t in made}),
        **more,  # type: ignore[arg-type]
    )


def service(name: str, **more: object) -> Service:
    return Service(name, f"{name}_user", **more)  # type: ignore[arg-type]


USERS = Table(
    "users",
    MappingProxyType({"email": "contact", "password_hash": "secret"}),
    MappingProxyType({"profile": ("id", "username"), "mail": ("id", "email")}),
)


def told(*domains: Domain) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        build(domains)
    return [str(p) for p in caught.value.problems]


def test_order_and_answers() -> None:
    registry = build(
        [
            domain("ai", "chats", rank=0, requires=("postal",)),
            domain("postal", "posts", rank=1, requires=("cortex",), services=(service("postal"),)),
            domain("cortex", USERS, rank=2),
            domain("audit", "log", rank=3, schema="audit"),
        ]
    )
    assert [d.name for d in registry.domains] == ["cortex", "postal", "ai", "audit"]
    assert registry.owner_of("posts") == "postal"
    assert registry.owner_of("public.posts") == "postal"
    assert registry.owner_of("log") == "audit"
    assert registry.owner_of("log", "public") is None
    assert registry.owner_of("nothing") is None
    assert registry.rank("cortex") == 2
    assert registry.requires_closure("ai") == {"postal", "cortex"}
    assert registry.requires_closure("cortex") == frozenset()
    assert registry.services["postal"].login == "postal_user"
    assert registry.domain_of("postal").name == "postal"
    assert "ai" in registry
    assert "x" not in registry


def test_the_order_given_does_not_matter() -> None:
    domains = [
        domain(f"d{i:02}", f"t{i}", rank=i % 5, requires=(f"d{i // 2:02}",) if i else ()) for i in range(40)
    ]
    wanted = [d.name for d in build(domains).domains]
    for seed in range(20):
        shuffled = random.Random(seed).sample(domains, len(domains))
        assert [d.name for d in build(shuffled).domains] == wanted


def test_a_table_of_two_domains() -> None:
    (only,) = told(domain("a", "users"), domain("b", "users", rank=1))
    assert only == "b/domain.toml: tables.users: table users is owned by a already, b claims it too"
    assert build([domain("a", "users"), domain("b", "users", schema="b")]).owner_of("users") == "a"


def test_tables_that_differ_in_case_only() -> None:
    (only,) = told(domain("a", "users", "Users"))
    assert "differs from table users in upper and lower case only" in only


def test_every_problem_at_once() -> None:
    problems = told(
        domain("a", "x", requires=("cortx", "a")),
        domain("cortex", "x", rank=1, functions={"f()": "shared", "g": "open"}, loose=("x", "y(a)")),
        domain("cortex", "z", rank=2),
        domain("e", rank=3, schema="pg_toast"),
    )
    assert [p.partition(": ")[2] for p in problems] == [
        "requires[0]: there is no domain 'cortx'",
        "requires[1]: a requires itself",
        "functions.\"f()\": 'f()' is not an identifier of ASCII letters, digits and _, at most 63 long",
        "functions.g: 'open' is not a class of functions",
        "loose[0]: 'x' names no columns",
        "loose[1]: cortex declares no table y",
        "schema: 'pg_toast' is reserved by PostgreSQL",
        "tables.x: table x is owned by a already, cortex claims it too",
        "name: domain cortex is in two folders, cortex and cortex",
    ]


class TestCircles:
    def test_each_circle_once_with_its_path(self) -> None:
        problems = told(
            domain("a", requires=("b",)),
            domain("b", requires=("c",)),
            domain("c", requires=("a",)),
            domain("d", requires=("a",)),
            domain("x", requires=("y",)),
            domain("y", requires=("x",)),
        )
        assert [p.rpartition(": ")[2] for p in problems] == ["a -> b -> c -> a", "x -> y -> x"]

    @given(st.integers(2, 12), st.randoms(use_true_random=False))
    def test_seeded_circles_have_exact_members(self, size: int, rng: random.Random) -> None:
        ring = [f"r{i}" for i in range(size)]
        domains = [domain(name, requires=(ring[(i + 1) % size],)) for i, name in enumerate(ring)]
        domains += [domain(f"t{i}", requires=tuple(rng.sample(ring, k=min(2, size)))) for i in range(5)]
        rng.shuffle(domains)
        (only,) = told(*domains)
        path = only.rpartition(": ")[2].split(" -> ")
        assert path[0] == path[-1]
        assert sorted(path[:-1]) == sorted(ring)


class TestReads:
    def problems(self, *reads: Read, shares: dict[str, tuple[str, ...]] | None = None) -> list[str]:
        cortex = domain("cortex", USERS, shares=MappingProxyType(shares or {}))
        postal = domain("postal", "posts", rank=1, services=(service("mailer", reads=reads),))
        return [p.partition("reads[0]: ")[2] or p for p in told(cortex, postal)]

    @pytest.mark.parametrize(
        ("read", "message"),
        [
            (Read("cortx", "users"), "there is no domain 'cortx'"),
            (Read("cortex", "user"), "cortex declares no table user"),
            (Read("cortex", "users", None, "profil"), "table users of cortex has no set profil"),
            (
                Read("cortex", "users", ("password_hash",)),
                "column users.password_hash of cortex is secret, no one reads it",
            ),
            (
                Read("cortex", "users", ("id", "email")),
                "column users.email of cortex is contact, cortex does not share it",
            ),
            (
                Read("cortex", "users", None, "mail"),
                "column users.email of cortex is contact, cortex does not share it",
            ),
        ],
    )
    def test_what_cannot_be_read(self, read: Read, message: str) -> None:
        assert self.problems(read) == [message]

    @pytest.mark.parametrize("reader", ["postal", "mailer"])
    @pytest.mark.parametrize("target", ["users(email)", "users.mail"])
    def test_the_owner_shares_with_a_domain_or_a_service(self, reader: str, target: str) -> None:
        cortex = domain("cortex", USERS, shares={reader: (target,)})
        reads = (Read("cortex", "users", ("email",)), Read("cortex", "*"), Read("cortex", "users"))
        registry = build([cortex, domain("postal", rank=1, services=(service("mailer", reads=reads),))])
        assert "email" in registry.shared("cortex", "mailer", "users")
        assert registry.shared("cortex", "mailer", "tenants") == frozenset()

    def test_own_columns_need_no_consent_but_secrets_stay(self) -> None:
        own = (service("a", reads=(Read("cortex", "users", ("email",)),)),)
        assert build([domain("cortex", USERS, services=own)])
        secret = (service("a", reads=(Read("cortex", "users", ("password_hash",)),)),)
        assert len(told(domain("cortex", USERS, services=secret))) == 1

    @pytest.mark.parametrize(
        ("reader", "target", "message"),
        [
            ("nobody", "users(email)", "shares.nobody: there is no domain or service 'nobody'"),
            ("cortex", "users(email)", "shares.cortex: cortex need not share with itself"),
            ("postal", "user(email)", "shares.postal[0]: cortex declares no table user"),
            (
                "postal",
                "users(emial)",
                "shares.postal[0]: column emial has no class above public in [tables.users]",
            ),
            (
                "postal",
                "users(password_hash)",
                "shares.postal[0]: column users.password_hash is secret and cannot be shared",
            ),
            ("postal", "users.nothing", "shares.postal[0]: table users has no set nothing"),
            ("postal", "users", "shares.postal[0]: 'users' names no columns; public columns need no consent"),
            (
                "postal",
                "users(email",
                "shares.postal[0]: 'users(email' is not table, table(column, ...) or table.set",
            ),
        ],
    )
    def test_what_cannot_be_shared(self, reader: str, target: str, message: str) -> None:
        cortex = domain("cortex", USERS, shares={reader: (target,)})
        assert told(cortex, domain("postal", rank=1)) == [f"cortex/domain.toml: {message}"]

    def test_a_set_with_a_secret(self) -> None:
        table = replace(USERS, sets={"all": ("id", "password_hash")})
        (only,) = told(domain("cortex", table))
        assert only.endswith("tables.users.sets.all[1]: column password_hash is secret, no one reads it")

    def test_undeclared_domains_are_not_judged(self) -> None:
        plain = Domain("my-service", Path("x"), declared=False)
        reads = (Read("my-service", "anything"),)
        registry = build([plain, domain("a", rank=1, services=(service("a", reads=reads),))])
        assert registry.owner_of("anything") is None


class TestReadSyntax:
    @pytest.mark.parametrize(
        ("text", "read"),
        [
            ("cortex:users", Read("cortex", "users")),
            (" cortex : users ( id , email ) ", Read("cortex", "users", ("id", "email"))),
            ("cortex:users.profile", Read("cortex", "users", None, "profile")),
            ("cortex:*", Read("cortex", "*")),
        ],
    )
    def test_forms(self, text: str, read: Read) -> None:
        assert parse_read(text) == read

    @pytest.mark.parametrize(
        "text",
        ["", "users", ":users", "cortex:", "cortex:users()", "cortex:users(a,)", "cortex:users(a,a)", "a:b:c",
         "cortex:users.a.b", "cortex:users.a(b)", "cortex:us-ers", 'cortex:users("a")', "cortex:users(a b)",
         "cortex:**"],
    )  # fmt: skip
    def test_other_forms(self, text: str) -> None:
        with pytest.raises(ReferenceFault):
            parse_read(text)

    @given(st.text(max_size=40))
    def test_any_text_is_read_or_refused_in_ascii(self, text: str) -> None:
        try:
            parse_read(text)
        except ReferenceFault as fault:
            assert str(fault).isascii()


class TestRoles:
    def test_two_services_of_one_login(self) -> None:
        one = (Service("a", "app"), Service("b", "app"))
        (only,) = told(domain("x", services=one))
        assert only.endswith(
            "services[1].login: role app would be the login of service b and the login of service a"
        )

    @pytest.mark.parametrize("login", ["cortex_owner", "cortex_migrator", "bgce_migrator", "bgce_owner"])
    def test_a_login_that_is_another_role(self, login: str) -> None:
        problems = told(domain("cortex"), domain("p", rank=1, services=(Service("p", login),)))
        assert len(problems) == 1
        assert f"role {login} would be the login of service p and " in problems[0]

    def test_names_that_are_one_after_63_bytes(self) -> None:
        # A Domain made in Python may have a name that no file could give it.
        long = "a" * 64
        problems = told(domain(long), domain(long + "b", rank=1))
        assert any("is 70 bytes long, PostgreSQL keeps 63" in p for p in problems)
        assert any("would be" in p for p in problems)

    def test_two_services_of_one_name(self) -> None:
        problems = told(
            domain("a", services=(Service("s", "s1"),)), domain("b", rank=1, services=(Service("s", "s2"),))
        )
        assert problems == ["b/domain.toml: services[0].name: service s is declared by a already"]


class TestCalls:
    @pytest.mark.parametrize(
        ("call", "message"),
        [
            ("cortex:nothing", "cortex declares no function nothing"),
            ("cortex:hidden", "function hidden of cortex is private"),
            ("cortx:touch", "there is no domain 'cortx'"),
            ("touch", "'touch' is not domain:function"),
        ],
    )
    def test_calls(self, call: str, message: str) -> None:
        cortex = domain("cortex", functions={"touch": "shared", "hidden": "private"})
        assert isinstance(
            build([cortex, domain("a", services=(service("a", calls=("cortex:touch",)),))]), Registry
        )
        (only,) = told(cortex, domain("a", services=(service("a", calls=(call,)),)))
        assert only == f"a/domain.toml: services[0].calls[0]: {message}"


def test_two_hundred_domains_are_checked_quickly() -> None:
    domains = []
    for i in range(200):
        requires = tuple(f"d{j:03}" for j in range(max(0, i - 5), i))
        domains.append(domain(f"d{i:03}", *(f"t{i}_{j}" for j in range(20)), rank=i, requires=requires))
    assert len(build(domains).requires_closure("d199")) == 199
