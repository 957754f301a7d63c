"""Drift made by hand is found, with the statement that led to it and the one that mends it; `apply` mends it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from bgce_migrate.apply.granting import Found
from bgce_migrate.db.rights_sql import statement
from tests.cli.program import bgce
from tests.e2e.platform import Guarded
from tests.grants.running import compare, grant, told

#: What all tests share is made once then.
pytestmark = pytest.mark.xdist_group("drift")

PG16, PG15 = 160000, 150000


@dataclass(frozen=True)
class Drift:
    """What somebody does, and what must be said of it; quotes left out, {db} is the database.

    Attributes:
        causes: as told, where it is not the statement itself.
        by: who can mend it: "superuser" for memberships that a superuser gave.
        hand: who does it.
    """

    name: str
    does: str
    mends: str
    causes: str = ""
    by: str = "admin"
    hand: str = "superuser"


DRIFTS = [
    Drift("a writer loses a right", "REVOKE INSERT ON TABLE public.posts FROM postal_user",
          "GRANT INSERT ON TABLE public.posts TO postal_user"),
    Drift("a reader loses a table", "REVOKE SELECT ON TABLE public.posts FROM ai_user",
          "GRANT SELECT ON TABLE public.posts TO ai_user"),
    Drift("a service may write another's table", "GRANT UPDATE, DELETE ON TABLE public.users TO postal_user",
          "REVOKE UPDATE, DELETE ON TABLE public.users FROM postal_user"),
    Drift("a stranger reads a table", "GRANT SELECT ON TABLE public.users TO guest",
          "REVOKE SELECT ON TABLE public.users FROM guest"),
    Drift("a reader passes on what it has", "GRANT SELECT ON TABLE public.posts TO ai_user WITH GRANT OPTION",
          "REVOKE GRANT OPTION FOR SELECT ON TABLE public.posts FROM ai_user CASCADE",
          "GRANT SELECT ON TABLE public.posts TO ai_user WITH GRANT OPTION"),
    Drift("a reader has passed it on",
          "GRANT SELECT ON TABLE public.tags TO ai_user WITH GRANT OPTION; SET ROLE ai_user;"
          "GRANT SELECT ON TABLE public.tags TO support_user; RESET ROLE",
          "REVOKE GRANT OPTION FOR SELECT ON TABLE public.tags FROM ai_user CASCADE",
          "GRANT SELECT ON TABLE public.tags TO ai_user WITH GRANT OPTION"),
    Drift("a secret column is told", "GRANT SELECT (password_hash) ON TABLE public.users TO analytics_user",
          "REVOKE SELECT (password_hash) ON TABLE public.users FROM analytics_user"),
    Drift("a profile loses a column", "REVOKE SELECT (username) ON TABLE public.users FROM ai_user",
          "GRANT SELECT (username) ON TABLE public.users TO ai_user"),
    Drift("a column may be written", "GRANT UPDATE (status) ON TABLE public.users TO support_user",
          "REVOKE UPDATE (status) ON TABLE public.users FROM support_user"),
    Drift("a whole table where columns are meant", "GRANT SELECT ON TABLE public.users TO postal_user",
          "REVOKE SELECT ON TABLE public.users FROM postal_user"),
    Drift("a sequence is given", "GRANT USAGE ON SEQUENCE public.posts_id_seq TO ai_user",
          "REVOKE USAGE ON SEQUENCE public.posts_id_seq FROM ai_user"),
    Drift("a default privilege is given",
          "ALTER DEFAULT PRIVILEGES FOR ROLE postal_owner IN SCHEMA public GRANT SELECT ON TABLES TO ai_user",
          "ALTER DEFAULT PRIVILEGES FOR ROLE postal_owner IN SCHEMA public REVOKE SELECT ON TABLES FROM ai_user"),
    Drift("a default privilege is taken",
          "ALTER DEFAULT PRIVILEGES FOR ROLE postal_owner IN SCHEMA public REVOKE UPDATE ON TABLES FROM postal_user",
          "ALTER DEFAULT PRIVILEGES FOR ROLE postal_owner IN SCHEMA public GRANT UPDATE ON TABLES TO postal_user"),
    Drift("everybody may run functions to come",
          "ALTER DEFAULT PRIVILEGES FOR ROLE cortex_owner GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
          "ALTER DEFAULT PRIVILEGES FOR ROLE cortex_owner REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC"),
    Drift("everybody reads a table", "GRANT SELECT ON TABLE public.newsletters TO PUBLIC",
          "REVOKE SELECT ON TABLE public.newsletters FROM PUBLIC"),
    Drift("everybody makes tables", "GRANT CREATE ON SCHEMA public TO PUBLIC",
          "REVOKE CREATE ON SCHEMA public FROM PUBLIC"),
    Drift("everybody makes temporary tables", "GRANT TEMPORARY ON DATABASE {db} TO PUBLIC",
          "REVOKE TEMPORARY ON DATABASE {db} FROM PUBLIC"),
    Drift("everybody runs a function", "GRANT EXECUTE ON ROUTINE public.update_updated_at_column() TO PUBLIC",
          "REVOKE EXECUTE ON ROUTINE public.update_updated_at_column() FROM PUBLIC"),
    Drift("a domain loses a shared function",
          "REVOKE EXECUTE ON ROUTINE public.update_updated_at_column() FROM postal_owner",
          "GRANT EXECUTE ON ROUTINE public.update_updated_at_column() TO postal_owner"),
    Drift("a service acts as an owner", "GRANT cortex_owner TO postal_user",
          "REVOKE cortex_owner FROM postal_user", by="superuser"),
    Drift("a service acts as another", "GRANT cortex_user TO support_user",
          "REVOKE cortex_user FROM support_user", by="superuser"),
    Drift("a service reads everything", "GRANT pg_read_all_data TO ai_user",
          "REVOKE pg_read_all_data FROM ai_user", by="superuser"),
    Drift("the migrator loses an owner", "REVOKE data_owner FROM bgce_migrator",
          "GRANT data_owner TO bgce_migrator", hand="admin"),
    Drift("a table goes to another domain", "ALTER TABLE public.posts OWNER TO cortex_owner",
          "ALTER TABLE public.posts OWNER TO postal_owner"),
    Drift("a table goes to a service", "ALTER TABLE public.tags OWNER TO postal_user",
          "ALTER TABLE public.tags OWNER TO postal_owner"),
    Drift("a function goes to another domain", "ALTER ROUTINE public.update_updated_at_column() OWNER TO postal_owner",
          "ALTER ROUTINE public.update_updated_at_column() OWNER TO cortex_owner"),
    Drift("an owner may not make tables any more", "REVOKE CREATE ON SCHEMA public FROM postal_owner",
          "GRANT CREATE ON SCHEMA public TO postal_owner"),
    Drift("a service makes tables", "GRANT CREATE ON SCHEMA public TO jobs_user",
          "REVOKE CREATE ON SCHEMA public FROM jobs_user"),
    Drift("a service makes schemas", "GRANT CREATE ON DATABASE {db} TO jobs_user",
          "REVOKE CREATE ON DATABASE {db} FROM jobs_user"),
    Drift("a service writes the history", "GRANT INSERT ON TABLE bgce_migrate.migration_history TO jobs_user",
          "REVOKE INSERT ON TABLE bgce_migrate.migration_history FROM jobs_user"),
    Drift("a service does not see what is applied", "REVOKE SELECT ON TABLE bgce_migrate.migration_state FROM jobs_user",
          "GRANT SELECT ON TABLE bgce_migrate.migration_state TO jobs_user"),
]  # fmt: skip


def bare(statements: list[str]) -> list[str]:
    """Without quotes, and without what memberships say of their options and grantors."""
    texts = [text.replace('"', "") for text in statements]
    return [re.sub(r"( WITH INHERIT \w+, SET \w+| GRANTED BY \w+)$", "", text) for text in texts]


def by_hand(platform: Guarded, found: Found) -> None:
    """Run, as the superuser, what is left to one."""
    with psycopg.connect(platform.superuser, autocommit=True) as connection:
        for change in found.left:
            connection.execute(statement(change, connection.info.server_version).encode())


@pytest.fixture
def clean(platform: Guarded) -> Iterator[Guarded]:
    """The platform without drift, whatever becomes of the test; a role that is nobody's."""
    with psycopg.connect(platform.superuser, autocommit=True) as connection:
        connection.execute("CREATE ROLE guest")
    yield platform
    by_hand(platform, grant(platform, platform.admin))
    with psycopg.connect(platform.superuser, autocommit=True) as connection:
        connection.execute("DROP OWNED BY guest; DROP ROLE guest")


@pytest.mark.parametrize("drift", DRIFTS, ids=lambda d: d.name.replace(" ", "-"))
def test_drift_is_found_and_mended(clean: Guarded, drift: Drift) -> None:
    platform = clean
    database = str(conninfo_to_dict(platform.superuser)["dbname"])
    does, mends = drift.does.format(db=database), drift.mends.format(db=database)
    with psycopg.connect(platform.superuser, autocommit=True) as connection:
        version = connection.info.server_version
    assert compare(platform, platform.admin).difference.changes == ()
    with psycopg.connect(platform.admin if drift.hand == "admin" else platform.superuser, autocommit=True) as connection:
        connection.execute(does.encode())
    found = told(compare(platform, platform.admin))
    assert mends in bare(found.mends)
    cause = (drift.causes or does).format(db=database)
    assert bare(found.causes)[bare(found.mends).index(mends)] == cause
    # Whoever cannot mend it must not claim to: on 16 and later a superuser's memberships are a superuser's.
    as_superuser = drift.by == "superuser" and version >= PG16
    done = grant(platform, platform.admin)
    assert mends in bare(told(done).mends)
    assert bool(done.left) == (as_superuser or (drift.name == "everybody makes tables" and version < PG15))
    by_hand(platform, done)
    assert compare(platform, platform.admin).difference.changes == ()


def test_check_exits_1_and_says_both_statements(clean: Guarded) -> None:
    platform = clean
    at = ("-d", platform.url)
    clean = bgce("grants", "check", *at, cwd=platform.project)
    assert (clean.code, clean.out) == (0, "no drift: every right is as declared\n")
    with psycopg.connect(platform.superuser, autocommit=True) as connection:
        connection.execute("GRANT UPDATE ON users TO postal_user")
    answer = bgce("grants", "check", *at, cwd=platform.project)
    assert answer.code == 1
    assert answer.out.splitlines() == [
        "public.users: no declaration gives it",
        '  caused by: GRANT UPDATE ON TABLE "public"."users" TO "postal_user";',
        '  mended by: REVOKE UPDATE ON TABLE "public"."users" FROM "postal_user";',
        "1 drift; `bgce-migrate grants apply` mends what this login may",
    ]
    drift = bgce("grants", "check", "--json", *at, cwd=platform.project).document
    assert drift["schema"] == "bgce-migrate/grants-check/1"
    assert [(d["kind"], d["object"], d["by"]) for d in drift["drift"]] == [("TABLE", "public.users", "cortex_owner")]
    additive = bgce("grants", "apply", "--mode", "additive", *at, cwd=platform.project)
    assert (additive.code, additive.out) == (0, "nothing to do: every right is as declared\n")
    observe = bgce("grants", "apply", "--mode", "observe", *at, cwd=platform.project)
    assert observe.code == 0 and "nothing changed (mode observe): 1 change" in observe.out
    assert bgce("grants", "check", *at, cwd=platform.project).code == 1
    mended = bgce("grants", "apply", *at, cwd=platform.project)
    assert (mended.code, mended.out.splitlines()[-1]) == (0, "done: 1 statement")
    assert bgce("grants", "check", *at, cwd=platform.project).code == 0


def test_the_migrator_leaves_to_an_administrator_what_it_may_not(clean: Guarded) -> None:
    platform = clean
    database = str(conninfo_to_dict(platform.superuser)["dbname"])
    with psycopg.connect(platform.superuser, autocommit=True) as connection:
        connection.execute(f'GRANT TEMPORARY ON DATABASE "{database}" TO PUBLIC'.encode())
        connection.execute("GRANT SELECT ON users TO postal_user")
    answer = bgce("grants", "apply", "-d", platform.url, cwd=platform.project)
    assert answer.code == 3, "done as far as this login may; the rest waits for another"
    assert answer.out.splitlines()[-1].startswith("done: ")
    assert f'REVOKE TEMPORARY ON DATABASE "{database}" FROM PUBLIC;' in answer.err
    assert "1 statement for an administrator" in answer.err
    left = [line.strip() for line in answer.err.splitlines() if line.startswith("  REVOKE")]
    again = bgce("grants", "apply", "--json", "-d", platform.url, cwd=platform.project)
    assert again.code == 3, "with nothing left that it may do, too"
    assert [f"{change['statement']};" for change in again.document["changes"]] == left
    with psycopg.connect(platform.admin, autocommit=True) as connection:
        connection.execute(left[0].encode())
    assert bgce("grants", "apply", "-d", platform.url, cwd=platform.project).code == 0
    assert bgce("grants", "check", "-d", platform.url, cwd=platform.project).code == 0
