"""Two logins take turns: a program that connects all the time never notices that its password was changed."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
import pytest
from psycopg import sql
from psycopg.conninfo import make_conninfo

from bgce_migrate.apply.passwords import retire, set_password
from bgce_migrate.apply.target import Address
from bgce_migrate.errors import Refused
from tests.e2e.scene import make_owner, query
from tests.servers import as_superuser

pytestmark = pytest.mark.postgres(18, 16, 15)

FIRST, SECOND = "cortex_user", "cortex_user_b"


@dataclass
class Program:
    """Connects, reads and writes as long as it lives, each time with the secret it is given now."""

    url: str
    secret: tuple[str, str]
    rounds: dict[str, int] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)

    def work(self, ends: threading.Event) -> None:
        while not ends.is_set():
            login, password = self.secret
            try:
                with psycopg.connect(make_conninfo(self.url, user=login, password=password)) as connection:
                    connection.execute("INSERT INTO users (name) VALUES ('x')")
                    connection.execute("SELECT count(*) FROM users")
                self.rounds[login] = self.rounds.get(login, 0) + 1
            except psycopg.Error as error:
                self.faults.append(f"{login}: {error}")

    def switch(self, login: str, password: str) -> None:
        """Roll the other secret out, and wait until the program has used it a few times."""
        self.secret = (login, password)
        wanted = self.rounds.get(login, 0) + 3
        for _ in range(600):
            if self.rounds.get(login, 0) >= wanted or self.faults:
                return
            threading.Event().wait(0.02)


@contextmanager
def running(program: Program) -> Iterator[Program]:
    ends = threading.Event()
    threads = [threading.Thread(target=program.work, args=(ends,)) for _ in range(2)]
    for thread in threads:
        thread.start()
    try:
        yield program
    finally:
        ends.set()
        for thread in threads:
            thread.join(20)


@pytest.fixture(params=[pytest.param("superuser", marks=pytest.mark.superuser("one may set passwords")), "administrator"])
def admin(request: pytest.FixtureRequest, database: str) -> Address:
    """Who sets passwords: a superuser, or who made the role with CREATEROLE alone."""
    owner = make_owner(database, "admin", "CREATEROLE")
    url = as_superuser(database) if request.param == "superuser" else owner
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE ROLE cortex_user LOGIN CONNECTION LIMIT 50")
        connection.execute("ALTER ROLE cortex_user SET search_path = app, \"Odd, name\", public")
    with psycopg.connect(as_superuser(database), autocommit=True) as connection:
        connection.execute("CREATE SCHEMA app CREATE TABLE users (id bigint GENERATED ALWAYS AS IDENTITY, name text)")
        connection.execute("GRANT USAGE ON SCHEMA app TO cortex_user")
        connection.execute("GRANT SELECT, INSERT ON app.users TO cortex_user")
    return Address(url)


def test_a_password_changes_without_an_outage(admin: Address, database: str) -> None:
    set_password(admin, FIRST, "one-old-secret")
    with running(Program(database, (FIRST, "one-old-secret"))) as program:
        program.switch(FIRST, "one-old-secret")
        made = set_password(admin, SECOND, "the-second-secret", member_of=FIRST)
        assert made.created
        program.switch(SECOND, "the-second-secret")
        retire(admin, FIRST)
        program.switch(SECOND, "the-second-secret")
        # And back, a quarter later.
        opened = set_password(admin, FIRST, "one-new-secret")
        assert opened.notes == ("cortex_user was closed for log-ins and is open now",)
        program.switch(FIRST, "one-new-secret")
        retire(admin, SECOND)
        program.switch(FIRST, "one-new-secret")
    assert program.faults == []
    assert program.rounds[FIRST] >= 9
    assert program.rounds[SECOND] >= 6
    for login, password in ((FIRST, "one-old-secret"), (SECOND, "the-second-secret")):
        with pytest.raises(psycopg.OperationalError):
            psycopg.connect(make_conninfo(database, user=login, password=password))
    assert not set_password(admin, SECOND, "the-second-secret-2", member_of=FIRST).created


def test_the_second_login_is_as_good_as_the_first(admin: Address, database: str) -> None:
    set_password(admin, FIRST, "one-old-secret")
    set_password(admin, SECOND, "the-second-secret", member_of=FIRST)
    with psycopg.connect(as_superuser(database)) as connection:
        rows = connection.execute(
            "SELECT rolname, rolcanlogin, rolinherit, rolsuper, rolcreaterole, rolconnlimit FROM pg_roles"
            " WHERE rolname LIKE 'cortex_user%' ORDER BY rolname"
        ).fetchall()
        settings = connection.execute(
            "SELECT DISTINCT setconfig FROM pg_db_role_setting JOIN pg_roles r ON r.oid = setrole WHERE r.rolname LIKE 'cortex%'"
        ).fetchall()
    assert [row[1:] for row in rows] == [(True, True, False, False, 50)] * 2
    assert settings == [(['search_path=app, "Odd, name", public'],)]
    with (
        psycopg.connect(make_conninfo(database, user=SECOND, password="the-second-secret")) as second,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        second.execute("DELETE FROM users")


def test_a_login_that_is_used_is_not_retired(admin: Address, database: str) -> None:
    set_password(admin, FIRST, "one-old-secret")
    with (
        psycopg.connect(make_conninfo(database, user=FIRST, password="one-old-secret")),
        pytest.raises(Refused, match="cortex_user has 1 session: its programs"),
    ):
        retire(admin, FIRST)
    assert query(as_superuser(database), "SELECT rolcanlogin FROM pg_roles WHERE rolname = 'cortex_user'") == [(True,)]


def test_what_is_refused(admin: Address, database: str) -> None:
    with pytest.raises(Refused, match="there is no role nobody_user"):
        set_password(admin, "nobody_user", "some-secret")
    with pytest.raises(Refused, match="there is no role nobody_user"):
        set_password(admin, "nobody_user_b", "some-secret", member_of="nobody_user")
    query(as_superuser(database), "CREATE ROLE cortex_user_b LOGIN")
    with pytest.raises(Refused, match="cortex_user_b exists and is no member of cortex_user"):
        set_password(admin, SECOND, "some-secret", member_of=FIRST)
    query(as_superuser(database), "CREATE ROLE boss SUPERUSER LOGIN")
    with pytest.raises(Refused, match="boss is a superuser"):
        set_password(admin, "boss", "some-secret")
    long = "u" * 62
    query(as_superuser(database), f"CREATE ROLE {long} LOGIN")
    with pytest.raises(Refused, match="longer than PostgreSQL's 63 bytes"):
        set_password(admin, f"{long}_b", "some-secret", member_of=long)


def test_an_ordinary_login_is_told_who_may(database: str) -> None:
    for role in ("cortex_user", "postal_user"):
        query(as_superuser(database), sql.SQL("CREATE ROLE {} LOGIN PASSWORD 'a-known-one'").format(sql.Identifier(role)).as_string())
    other = Address(make_conninfo(database, user="postal_user", password="a-known-one"))
    with pytest.raises(Refused, match="this login may not change cortex_user") as caught:
        set_password(other, FIRST, "some-secret")
    assert "some-secret" not in str(caught.value)
    assert caught.value.hint is not None and "administrator" in caught.value.hint
    assert "SCRAM" not in str(caught.value)
