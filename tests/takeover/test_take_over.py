"""Tables of four service users go to the owner roles while their programs read and write; no statement fails."""

from __future__ import annotations

import signal
import time
from pathlib import Path

import psycopg
import pytest

from tests.cli.program import bgce, start
from tests.e2e.scene import make_owner, query
from tests.servers import as_superuser
from tests.takeover.scene import LOGINS, as_login, load, make, project

OWNERS = (
    "SELECT c.relname, pg_get_userbyid(c.relowner) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p', 'v', 'S') ORDER BY 1"
)
AFTER = {
    "OddName": "postal_owner", "it's \"now\"; --": "postal_owner", "comments": "community_owner", "comments_id_seq": "community_owner",
    "cortex_schema_migrations": "cortex_user", "letters": "newsletter_owner", "letters_id_seq": "newsletter_owner",
    "loud": "postal_user", "numbers": "postal_owner", "post_log": "postal_owner",
    "posts": "postal_owner", "posts_id_seq": "postal_owner", "tenants": "cortex_owner", "tenants_id_seq": "cortex_owner",
    "users": "cortex_owner", "users_id_seq": "cortex_owner", "walled": "cortex_user",
}  # fmt: skip


def owners(url: str) -> dict[str, str]:
    return {str(name): str(owner) for name, owner in query(url, OWNERS)}


@pytest.fixture
def url(database: str) -> str:
    """Its administrator's, as managed servers have them: not the superuser, but the schema is its own."""
    made = make_owner(database, "admin", "CREATEROLE")
    query(as_superuser(database), "ALTER SCHEMA public OWNER TO admin")
    make(database, made)
    return made


@pytest.mark.postgres(18, 16, 15)
@pytest.mark.parametrize("who", [pytest.param("superuser", marks=pytest.mark.superuser("one may take over")), "administrator"])
def test_no_client_statement_fails(who: str, database: str, url: str, tmp_path: Path) -> None:
    folder = project(tmp_path)
    if who == "superuser":
        url = as_superuser(database)
        query(url, "ALTER SCHEMA public OWNER TO pg_database_owner")
    memberships = "SELECT count(*) FROM pg_auth_members"
    before = query(database, "SELECT pg_get_userbyid(relowner) FROM pg_class WHERE relname = 'users'")
    assert before == [("postal_user",)]
    with load(database) as programs:
        ready = bgce("bootstrap", "-d", url, cwd=folder, timeout=120)
        assert ready.code == 0, ready.err
        programs.settle()
        members = query(database, memberships)
        answer = bgce("bootstrap", "--take-over", "-d", url, cwd=folder, timeout=180)
        assert answer.code == 0, answer.err
        programs.settle()
    assert programs.faults == []
    assert min(programs.rounds[login] for login in LOGINS) >= 9
    assert owners(database) == AFTER
    assert query(database, memberships) == members, "what was lent is given back"
    assert query(database, "SELECT pg_get_userbyid(proowner) FROM pg_proc WHERE proname = 'touch'") == [("cortex_owner",)]
    assert "table public.users: postal_user -> cortex_owner" in answer.out
    left = [line for line in answer.err.splitlines() if line.startswith("left: ")]
    assert len(left) == 5
    for name in ("table public.walled: row security", "function public.hidden_count: it runs as its owner", "type public.mood",
                 "view public.loud", "table public.cortex_schema_migrations: no declaration names it"):  # fmt: skip
        assert any(line.startswith(f"left: {name}") for line in left), (name, left)
    assert "postal_user keeps SELECT, INSERT, UPDATE, DELETE, USAGE on public.users, which no declaration gives" in answer.err
    again = bgce("bootstrap", "--take-over", "--json", "-d", url, cwd=folder)
    assert again.code == 0, again.err
    assert (again.document["taken_over"], again.document["take_over"]) == (0, [])


def test_rights_are_the_declared_ones_and_nobody_changes_tables_any_more(url: str, tmp_path: Path) -> None:
    assert bgce("bootstrap", "--take-over", "-d", url, cwd=project(tmp_path)).code == 0
    database = url
    for login, statement in (
        ("cortex_user", "ALTER TABLE users ADD COLUMN x int"), ("postal_user", "DROP TABLE posts"),
        ("postal_user", "TRUNCATE post_log"), ("postal_user", "ALTER SEQUENCE numbers RESTART"),
        ("newsletter_user", "DELETE FROM posts"),
    ):  # fmt: skip
        with psycopg.connect(as_login(database, login)) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement.encode())
    grantors = query(
        database,
        "SELECT DISTINCT pg_get_userbyid(a.grantor) FROM pg_class c, aclexplode(c.relacl) a WHERE c.relname = 'posts'",
    )
    assert grantors == [("postal_owner",)]


@pytest.mark.postgres(18)
def test_a_table_in_use_is_tried_again_and_told(url: str, tmp_path: Path) -> None:
    folder, database = project(tmp_path), url
    assert bgce("bootstrap", "-d", database, cwd=folder).code == 0
    with psycopg.connect(as_login(database, "newsletter_user")) as reader:
        reader.execute("SELECT count(*) FROM users")
        answer = bgce("bootstrap", "--take-over", "--retry-for", "1", "-d", database, cwd=folder)
        assert answer.code == 4
        assert "1 of 9 could not be taken over: table public.users is held by pid" in answer.err, answer.err
        assert "newsletter_user" in answer.err
        assert owners(database) == {**AFTER, "users": "postal_user", "users_id_seq": "postal_user"}
        with psycopg.connect(as_login(database, "cortex_user")) as other:
            other.execute("UPDATE users SET name = name")
        reader.rollback()
    assert bgce("bootstrap", "--take-over", "-d", database, cwd=folder).code == 0
    assert owners(database) == AFTER


@pytest.mark.postgres(18)
def test_an_interruption_gives_back_what_was_lent(url: str, tmp_path: Path) -> None:
    folder, administrator, database = project(tmp_path), url, as_superuser(url)
    assert bgce("bootstrap", "-d", administrator, cwd=folder).code == 0
    members = query(database, "SELECT count(*) FROM pg_auth_members")
    with psycopg.connect(as_login(database, "newsletter_user")) as reader:
        reader.execute("SELECT count(*) FROM users")
        process = start("bootstrap", "--take-over", "-d", administrator, cwd=folder)
        waiting = "SELECT 1 FROM pg_stat_activity WHERE usename = 'admin' AND wait_event_type = 'Lock'"
        for _ in range(600):
            if query(database, waiting):
                break
            time.sleep(0.02)
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=30)
        assert process.returncode == 130, err
    assert owners(database)["users"] == "postal_user"
    assert query(database, "SELECT count(*) FROM pg_auth_members") == members
    assert bgce("bootstrap", "--take-over", "-d", administrator, cwd=folder).code == 0
    assert owners(database) == AFTER


@pytest.mark.postgres(18)
def test_print_changes_nothing_and_is_what_psql_runs(url: str, tmp_path: Path) -> None:
    folder = project(tmp_path)
    assert bgce("bootstrap", "-d", url, cwd=folder).code == 0
    before = owners(url)
    answer = bgce("bootstrap", "--take-over", "--print", "-d", url, cwd=folder)
    assert answer.code == 0
    assert owners(url) == before
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(answer.out.split("\n", 1)[1].encode())
    assert owners(url) == AFTER


@pytest.mark.postgres(18)
def test_one_domain_alone(url: str, tmp_path: Path) -> None:
    assert bgce("bootstrap", "--take-over", "--domain", "postal", "-d", url, cwd=project(tmp_path)).code == 0
    mine = {name: owner for name, owner in owners(url).items() if owner.endswith("_owner")}
    assert mine == {name: owner for name, owner in AFTER.items() if owner == "postal_owner"}


def test_an_administrator_who_may_not_act_for_them_is_told(url: str, tmp_path: Path) -> None:
    folder, database = project(tmp_path), url
    assert bgce("bootstrap", "-d", url, cwd=folder).code == 0
    clerk = make_owner(database, "clerk", "")
    before = owners(database)
    answer = bgce("bootstrap", "--take-over", "-d", clerk, cwd=folder)
    assert answer.code == 3
    assert "clerk may not act for" in answer.err
    assert "WITH ADMIN OPTION" in answer.err
    assert owners(database) == before
