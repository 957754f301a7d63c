"""What roles can really do: the same as PostgreSQL says for every pair, and what goes through views, functions and keys."""

from __future__ import annotations

import json
from itertools import product

import psycopg
import pytest

from bgce_migrate.db import acl
from bgce_migrate.db.reach import read_web
from bgce_migrate.grants.effective import BY_COLUMN, Effective
from bgce_migrate.grants.model import Securable, SecurableKind
from tests.cli.program import bgce
from tests.e2e.platform import Guarded
from tests.grants.running import opened

#: What all tests share is made once then.
pytestmark = pytest.mark.xdist_group("effective")

#: Who has something by membership, by PUBLIC, by ownership, through a group in a group, and without inheriting.
MORE = """
CREATE ROLE readers; CREATE ROLE seniors IN ROLE readers; CREATE ROLE ann LOGIN IN ROLE seniors;
CREATE ROLE bob LOGIN NOINHERIT IN ROLE readers; CREATE ROLE auditor IN ROLE pg_read_all_data;
GRANT SELECT ON posts TO readers; GRANT SELECT (id, email) ON users TO seniors; GRANT SELECT ON tags TO PUBLIC;
GRANT UPDATE (status) ON users TO readers; GRANT USAGE ON SEQUENCE posts_id_seq TO seniors;
GRANT postal_user TO ann; GRANT INSERT ON likes TO bob WITH GRANT OPTION;
"""


def effective(guarded: Guarded) -> Effective:
    with opened(guarded, guarded.admin, changing=False) as (scope, target):
        return Effective(acl.read(target.control, scope), read_web(target.control, scope))


@pytest.fixture
def peopled(platform: Guarded) -> Guarded:
    with psycopg.connect(platform.superuser, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_roles WHERE rolname = 'ann'").fetchone() is None:
            connection.execute(MORE)
    return platform


def test_every_pair_is_as_postgresql_says(peopled: Guarded) -> None:
    found = effective(peopled)
    with psycopg.connect(peopled.superuser) as connection:
        connection.execute("SET search_path = pg_catalog")
        roles = [str(r[0]) for r in connection.execute("SELECT rolname FROM pg_roles WHERE rolname NOT LIKE 'pg\\_%'")]
        assert len(roles) >= 30
        asked = 0
        for function, rows in _questions(found, roles).items():
            places = ", ".join(f"x->>{i}" for i in range(len(rows[0][0])))
            query = f"SELECT {function}({places}) FROM jsonb_array_elements(%s::jsonb) WITH ORDINALITY AS t (x, n) ORDER BY n"
            answers = [bool(r[0]) for r in connection.execute(query.encode(), [json.dumps([list(q) for q, _ in rows])])]
            wrong = [(q, ours) for (q, ours), theirs in zip(rows, answers, strict=True) if ours != theirs]
            assert wrong == [], (function, wrong[:10])
            asked += len(rows)
    assert asked > 20_000
    print(f"{asked} pairs")


def _questions(found: Effective, roles: list[str]) -> dict[str, list[tuple[tuple[str, ...], bool]]]:
    """By PostgreSQL's function: its arguments, and what we say."""
    out: dict[str, list[tuple[tuple[str, ...], bool]]] = {}
    names = {
        SecurableKind.TABLE: "has_table_privilege", SecurableKind.SEQUENCE: "has_sequence_privilege",
        SecurableKind.FUNCTION: "has_function_privilege", SecurableKind.SCHEMA: "has_schema_privilege",
        SecurableKind.DATABASE: "has_database_privilege", SecurableKind.TYPE: "has_type_privilege",
    }  # fmt: skip
    for on, role in product(found.current.access.owners, roles):
        if on.schema == "bgce_migrate" and on.kind is SecurableKind.FUNCTION:
            continue
        for privilege in found.privileges(on.kind):
            ours = found.directly(role, on, privilege) is not None
            out.setdefault(names[on.kind], []).append(((role, _name(on), privilege), ours))
            if on.kind is SecurableKind.TABLE and privilege in BY_COLUMN and on.name in ("users", "posts", "likes"):
                for column in found.current.existing.columns[on.schema, on.name]:
                    told = found.directly(role, on, privilege, column) is not None
                    out.setdefault("has_column_privilege", []).append(((role, _name(on), column, privilege), told))
    return out


def _name(on: Securable) -> str:
    if on.kind in (SecurableKind.SCHEMA, SecurableKind.DATABASE):
        return on.name
    return f"{on.schema}.{on.name}" + (f"({on.arguments})" if on.kind is SecurableKind.FUNCTION else "")


def test_views_functions_and_keys_are_followed(peopled: Guarded) -> None:
    with psycopg.connect(peopled.superuser, autocommit=True) as connection:
        connection.execute(
            """
            DROP TABLE IF EXISTS notes; DROP FUNCTION IF EXISTS rename_user(bigint, text); DROP VIEW IF EXISTS who CASCADE;
            SET ROLE cortex_owner;
            CREATE VIEW who AS SELECT id, email FROM users;
            CREATE VIEW who_again AS SELECT email FROM who;
            CREATE VIEW mine WITH (security_barrier) AS SELECT id, password_hash FROM users WHERE username = current_user;
            GRANT SELECT ON who_again TO jobs_user; GRANT UPDATE (email) ON who TO jobs_user;
            CREATE FUNCTION rename_user(bigint, text) RETURNS void LANGUAGE sql SECURITY DEFINER
                SET search_path = pg_catalog, pg_temp AS 'UPDATE public.users SET username = $2 WHERE id = $1';
            GRANT EXECUTE ON FUNCTION rename_user TO model_user;
            CREATE TABLE notes (id bigint, tenant_id bigint REFERENCES tenants ON DELETE SET NULL ON UPDATE CASCADE);
            RESET ROLE;
            GRANT DELETE ON tenants TO jobs_user; GRANT UPDATE (id) ON tenants TO model_user;
            """
        )
    found = effective(peopled)

    def says(role: str, table: str, column: str = "") -> set[str]:
        on = Securable(SecurableKind.TABLE, "public", table)
        return {f"{g.privilege} {g.way}" for g in found.grips(role, on, column) if not g.direct}

    view = "through the view public.who of cortex_owner"
    assert f"SELECT {view}" in says("jobs_user", "users", "email")
    assert says("jobs_user", "users", "password_hash") & {f"SELECT {view}"} == set()
    assert f"UPDATE {view}" in says("jobs_user", "users", "email")
    assert any("through the function public.rename_user(bigint, text), which runs as cortex_owner" in s for s in says("model_user", "users"))
    assert not any("rename_user" in s for s in says("jobs_user", "users"))
    # users and categories go with their tenant; notes lose it.
    assert any(s.startswith("DELETE by the key") and s.endswith("from public.tenants") for s in says("jobs_user", "users"))
    assert any(s.startswith("UPDATE by the key") for s in says("jobs_user", "notes", "tenant_id"))
    assert any(s.startswith("UPDATE by the key") for s in says("model_user", "notes", "tenant_id"))
    assert says("model_user", "notes", "id") == set()
    answer = bgce("grants", "show", "--who", "users.password_hash", "--json", "-d", peopled.url, cwd=peopled.project)
    who = {r["role"] for r in answer.document["rights"] if "SELECT" in r["privileges"]}
    assert who == {"cortex_user", "cortex_owner", "auditor"}


def test_show_says_what_a_service_may_read_and_the_view_for_the_rest(peopled: Guarded) -> None:
    at = ("-d", peopled.url)
    answer = bgce("grants", "show", "--service", "postal", "--why", "users", *at, cwd=peopled.project)
    assert answer.code == 0
    lines = answer.out.splitlines()
    assert lines[0] == "postal reads cortex:users.profile"
    told = dict(line.split(None, 1) for line in lines[1:18])
    assert told["id"] == told["skill_level"] == "granted to it"
    assert told["email"] == told["password_hash"] == told["created_at"] == "no"
    assert lines[-2] == "SELECT * on public.users is refused: name the columns"
    assert lines[-1].startswith("or, in a migration of its own domain: CREATE VIEW public.postal_users AS SELECT id, uuid,")
    whole = bgce("grants", "show", "--service", "postal", "--why", "posts", *at, cwd=peopled.project)
    assert whole.out.splitlines()[-1] == "postal may read all of public.posts; SELECT * works"
    nothing = bgce("grants", "show", "--service", "dataset", "--why", "newsletters", *at, cwd=peopled.project)
    assert nothing.out.splitlines()[-1] == "dataset may read nothing of public.newsletters"


def test_show_expands_wildcards(peopled: Guarded) -> None:
    answer = bgce("grants", "show", "--json", "-d", peopled.url, cwd=peopled.project)
    rights = answer.document["rights"]
    read = {r["object"]: r["columns"] for r in rights if r["role"] == "cortex_user" and r["how"] == "cortex reads ai:*"}
    assert read["public.ai_conversations"] == []
    assert read["public.ai_messages"] == ["id", "conversation_id", "role", "tokens_used", "model", "created_at"]
    assert len(read) == 4
    wrong = bgce("grants", "show", "--service", "postl", "-d", peopled.url, cwd=peopled.project)
    assert wrong.code == 2 and "did you mean 'postal'?" in wrong.err
