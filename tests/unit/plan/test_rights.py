"""Rights that a step needs on what other owners have, from real SQL through order to grants."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgce_migrate.domain import Domain, Read, Service, Table
from bgce_migrate.errors import Refused
from bgce_migrate.migration import Direction, MigrationId
from bgce_migrate.order import Candidate, LogEntry, Rules, place
from bgce_migrate.plan import Right, needed
from bgce_migrate.sqlfile import read_script, read_source

CORTEX_SQL = """
CREATE TABLE tenants (id bigint PRIMARY KEY, name text NOT NULL);
CREATE TABLE users (
    id bigint PRIMARY KEY, username text, email text, last_login_at timestamptz, password_hash text
);
CREATE SEQUENCE tickets;
CREATE TYPE mood AS ENUM ('good');
CREATE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN new; END $$;
"""
STATS_SQL = "CREATE SCHEMA stats; CREATE TABLE stats.daily (day date PRIMARY KEY, n bigint);"
CORTEX = Domain(
    "cortex",
    Path("cortex"),
    0,
    tables={
        "tenants": Table("tenants"),
        "users": Table(
            "users",
            {"email": "contact", "last_login_at": "private", "password_hash": "secret"},
            {"profile": ("id", "username", "email")},
        ),
    },
    shares={
        "newsletter": ("users(email)",),
        "mailer": ("users.profile",),
        "postal": ("users(last_login_at)",),
    },
)
STATS = Domain("stats", Path("stats"), 1, schema="stats", tables={"daily": Table("daily")})
POSTAL = Domain("postal", Path("postal"), 2, requires=("cortex", "stats"))


def user_domain(name: str, *reads: Read, service: str | None = None) -> Domain:
    return Domain(
        name, Path(name), 3, requires=("cortex",), services=(Service(service or name, "l", reads=reads),)
    )


def effects(sql: str, schema: str = "public"):  # type: ignore[no-untyped-def]
    source = read_source("x.up.sql", sql.encode())
    return read_script(source, declared=True, direction=Direction.UP, schema=schema).effects


def rights(sql: str, user: Domain = POSTAL) -> set[tuple[str, str, str, tuple[str, ...] | None]]:
    """What `sql` of `user` needs: (object, privileges, grantee, columns)."""
    log = [
        LogEntry(MigrationId("cortex", 1), effects(CORTEX_SQL)),
        LogEntry(MigrationId("stats", 1), effects(STATS_SQL, "stats")),
    ]
    placement = place(log, [Candidate(MigrationId(user.name, 1), effects(sql), (), "x.up.sql")], Rules())
    found: tuple[Right, ...] = needed(placement.foreign, {d.name: d for d in (CORTEX, STATS, user)})
    return {
        (f"{r.object.kind.value} {r.object}", "+".join(sorted(r.privileges)), r.grantee, r.columns)
        for r in found
    }


O = "postal_owner"  # noqa: E741


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        pytest.param(
            "CREATE TABLE posts (author bigint REFERENCES users (id), tenant bigint REFERENCES tenants);",
            {
                ("relation users", "REFERENCES+SELECT", O, ("id",)),
                ("relation tenants", "REFERENCES+SELECT", O, ("id",)),
            },
            id="keys, with the primary key found",
        ),
        pytest.param(
            "CREATE VIEW v AS SELECT u.username, t.name FROM users u JOIN tenants t ON t.id = u.id;",
            {("relation users", "SELECT", O, ("id", "username")), ("relation tenants", "SELECT", O, None)},
            id="a view: columns only where there are classes",
        ),
        pytest.param(
            "CREATE TABLE posts (author bigint REFERENCES users (id)); CREATE VIEW v AS SELECT username FROM users;",
            {
                ("relation users", "REFERENCES", O, ("id",)),
                ("relation users", "SELECT", O, ("id", "username")),
            },
            id="rights on one object are merged by column list",
        ),
        pytest.param(
            "CREATE TABLE n AS SELECT count(*) AS n FROM users;",
            {("relation users", "SELECT", O, ("id", "username"))},
            id="no column named: the public ones",
        ),
        pytest.param(
            "CREATE VIEW v AS SELECT n FROM stats.daily;",
            {("relation stats.daily", "SELECT", O, None), ("schema stats", "USAGE", O, None)},
            id="a schema of its own",
        ),
        pytest.param(
            "CREATE TABLE posts (id bigint DEFAULT nextval('tickets'), feeling mood);"
            " CREATE TRIGGER s BEFORE INSERT ON posts FOR EACH ROW EXECUTE FUNCTION stamp();",
            {
                ("relation tickets", "USAGE", O, None),
                ("type mood", "USAGE", O, None),
                ("function stamp", "EXECUTE", O, None),
            },
            id="sequence, type and function",
        ),
        pytest.param(
            "CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(email) FROM users';",
            set(),
            id="a body binds when somebody calls it",
        ),
        pytest.param("CREATE TABLE posts (id bigint); SELECT 1;", set(), id="nothing of others"),
    ],
)
def test_needed(sql: str, expected: set[tuple[str, str, str, tuple[str, ...] | None]]) -> None:
    assert rights(sql) == expected


EMAIL_VIEW = "CREATE VIEW v AS SELECT u.id, u.email FROM users u;"


def test_shared_and_declared_columns_may_be_read() -> None:
    declared = user_domain("newsletter", Read("cortex", "users", ("email",)))
    assert rights(EMAIL_VIEW, declared) == {("relation users", "SELECT", "newsletter_owner", ("email", "id"))}
    by_set = user_domain("post", Read("cortex", "users", set_name="profile"), service="mailer")
    assert rights(EMAIL_VIEW, by_set) == {("relation users", "SELECT", "post_owner", ("email", "id"))}


@pytest.mark.parametrize(
    "user",
    [
        pytest.param(user_domain("newsletter"), id="shared, not declared"),
        pytest.param(user_domain("support", Read("cortex", "users", ("email",))), id="declared, not shared"),
        pytest.param(
            user_domain("postal", Read("cortex", "users", ("email",))), id="another column is shared"
        ),
    ],
)
def test_columns_above_public_are_refused_with_the_line_to_ask_for(user: Domain) -> None:
    with pytest.raises(Refused) as refused:
        rights(EMAIL_VIEW, user)
    assert refused.value.message == (
        f"{user.name}/000001 reads users.email of cortex, which is contact and not shared with {user.name}"
    )
    assert f'shares = {{ {user.name} = ["users(email)"] }}' in (refused.value.hint or "")


def test_a_secret_column_is_never_read() -> None:
    with pytest.raises(Refused) as refused:
        rights("CREATE VIEW v AS SELECT u.password_hash, u.email FROM users u;")
    assert [p.message for p in refused.value.problems] == [
        "postal/000001 reads users.email of cortex, which is contact and not shared with postal",
        "postal/000001 reads users.password_hash of cortex, which is secret",
    ]


def test_undeclared_domains_need_nothing() -> None:
    plain = Domain("postal", Path("postal"), declared=False)
    assert rights(EMAIL_VIEW, plain) == set()


def test_a_key_on_a_column_above_public_gives_no_read() -> None:
    sql = "CREATE TABLE p (mail text REFERENCES users (email));"
    assert rights(sql) == {("relation users", "REFERENCES", "postal_owner", ("email",))}
