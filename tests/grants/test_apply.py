"""Rights are made in one transaction, once, whoever runs it: with names that hurt, others in the way, and missing logins."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from bgce_migrate import rights
from bgce_migrate.access import Grant
from bgce_migrate.apply.context import RunInfo
from bgce_migrate.apply.target import Address
from bgce_migrate.domain import Domain
from bgce_migrate.errors import ConfigError, Refused, Unavailable
from bgce_migrate.grants.scope import ABSENT, Absent, Mode
from bgce_migrate.hookspecs import hookimpl
from bgce_migrate.host import Host
from bgce_migrate.host.discovery import Plugin
from tests.cli.program import bgce
from tests.e2e.desks import OPTIONS, require_done, up
from tests.e2e.platform import Guarded, bootstrap, copy_platform
from tests.e2e.scene import as_role as login_as
from tests.e2e.scene import make_owner, query, write
from tests.grants.running import compare, desk_of, grant, opened, told
from tests.servers import as_superuser

#: What declarations let through and SQL must quote: upper case, dollars, words of SQL, 63 characters.
NAMES = ["Select", "user$", "T" * 63, "_", "table", "DROP_TABLE_users"]
QUIET = {
    "bgce.toml": '[project]\nname = "quiet"\ndomains = ["q", "r"]\n[database]\nmode = "role"\n',
    "q/domain.toml": 'name = "q"\nfunctions = { "Count" = "shared" }\n'
    + "".join(f'[tables."{name}"]\ncolumns = {{ "Secret$" = "secret" }}\n' for name in NAMES)
    + '[[services]]\nname = "q"\n',
    "q/000001_all.up.sql": "".join(
        f'CREATE TABLE "{name}" ("Id" bigserial PRIMARY KEY, "order" text, "Secret$" text);\n' for name in NAMES
    )
    + 'CREATE FUNCTION "Count"("In" integer, character varying) RETURNS integer LANGUAGE sql AS \'SELECT 1\';\n'
    # What no declaration can name comes with a migration all the same.
    + 'CREATE TABLE "it''s ""quoted"", and long" ("a ""b""" serial, "ä, ö" text);\n'
    + "CREATE TYPE \"Mood's\" AS ENUM ('a');\n",
    "q/000001_all.down.sql": "".join(f'DROP TABLE "{name}";\n' for name in NAMES)
    + 'DROP TABLE "it''s ""quoted"", and long";\nDROP FUNCTION "Count";\nDROP TYPE "Mood\'s";\n',
    "r/domain.toml": 'name = "r"\nrequires = ["q"]\n[tables.own]\n[[services]]\nname = "r"\nreads = ["q:*"]\ncalls = ["q:Count"]\n',
    "r/000001_own.up.sql": "CREATE TABLE own (id bigint PRIMARY KEY);",
    "r/000001_own.down.sql": "DROP TABLE own;",
}


def made(tmp_path: Path, url: str, files: dict[str, str]) -> Guarded:
    guarded = bootstrap(write(tmp_path / "project", dict(files)), url)
    require_done(up(guarded.project, guarded.url))
    return guarded


def test_names_that_hurt_are_quoted(any_database: str, tmp_path: Path) -> None:
    guarded = made(tmp_path, any_database, QUIET)
    with psycopg.connect(as_superuser(any_database), autocommit=True) as connection:
        # Roles that look like more than a name.
        connection.execute('CREATE ROLE "PUBLIC"; CREATE ROLE "r; DROP TABLE own"; CREATE ROLE "x=r/y"; CREATE ROLE "ü "" \\"')
        for role in ('"PUBLIC"', '"r; DROP TABLE own"', '"x=r/y"', '"ü "" \\"'):
            connection.execute(f'GRANT SELECT, UPDATE ("order") ON "Select" TO {role}'.encode())
            connection.execute(f'GRANT USAGE ON SEQUENCE "Select_Id_seq" TO {role} WITH GRANT OPTION'.encode())
            connection.execute(f'GRANT EXECUTE ON FUNCTION "Count" TO {role}'.encode())
    found = grant(guarded, guarded.url)
    assert found.left == ()
    taken = [text for text in told(found).mends if text.startswith("REVOKE")]
    assert any('FROM PUBLIC, "PUBLIC"' in text or 'FROM "PUBLIC"' in text for text in taken)
    assert any('"x=r/y"' in text and '"ü "" \\"' in text for text in taken)
    assert compare(guarded, guarded.admin).difference.changes == ()
    rows = query(
        as_superuser(any_database),
        "SELECT count(*) FROM pg_class c, aclexplode(c.relacl) x JOIN pg_roles r ON r.oid = x.grantee"
        " WHERE r.rolname IN ('PUBLIC', 'r; DROP TABLE own', 'x=r/y', 'ü \" \\')",
    )
    assert rows == [(0,)]
    for name in NAMES:
        readable = query(
            as_superuser(any_database),
            f"SELECT has_column_privilege('r_user', format('%I', '{name}')::regclass, 'order', 'SELECT'),"
            f" has_column_privilege('r_user', format('%I', '{name}')::regclass, 'Secret$', 'SELECT'),"
            f" has_table_privilege('q_user', format('%I', '{name}')::regclass, 'INSERT')",
        )
        assert readable == [(True, False, True)], name
    assert query(as_superuser(any_database), "SELECT has_function_privilege('r_user', '\"Count\"(integer, varchar)', 'EXECUTE')") == [(True,)]
    with psycopg.connect(as_superuser(any_database), autocommit=True) as connection:
        for role in ('"PUBLIC"', '"r; DROP TABLE own"', '"x=r/y"', '"ü "" \\"'):
            connection.execute(f"DROP ROLE {role}".encode())


def test_a_read_that_is_not_shared_stops_with_the_line_to_ask_for(tmp_path: Path) -> None:
    project = copy_platform(tmp_path)
    file = project / "migrations/postal/domain.toml"
    file.write_text(file.read_text().replace('"cortex:users.profile",', '"cortex:users.profile",\n  "cortex:users(email)",'))
    with pytest.raises(ConfigError) as caught:
        desk_of(project)
    assert "column users.email of cortex is contact, cortex does not share it" in str(caught.value.problems[0])
    assert caught.value.problems[0].hint == 'cortex has to say shares = { postal = ["users(email)"] }'


@pytest.mark.parametrize("mode", ["role", "login"])
def test_each_login_makes_what_it_may_and_a_second_time_nothing(any_database: str, tmp_path: Path, mode: str) -> None:
    guarded = bootstrap(copy_platform(tmp_path, mode), any_database)
    require_done(up(guarded.project, guarded.url, passwords=guarded.passwords))
    first = grant(guarded, guarded.url)
    assert first.possible
    again = grant(guarded, guarded.url)
    assert (again.possible, again.left) == ((), first.left)
    assert grant(guarded, guarded.admin).left == ()
    for login in (guarded.url, guarded.admin):
        assert compare(guarded, login).difference.changes == ()
    kept = query(as_superuser(any_database), "SELECT count(*) FROM pg_auth_members a JOIN pg_roles r ON r.oid = a.member"
                 " WHERE r.rolname = 'admin' AND pg_has_role('admin', a.roleid, 'USAGE')")  # fmt: skip
    assert kept == [(0,)], "the administrator keeps nothing that it lent itself"


def test_additive_takes_nothing_and_absent_is_chosen(any_database: str, tmp_path: Path) -> None:
    guarded = made(tmp_path, any_database, QUIET)
    with psycopg.connect(as_superuser(any_database), autocommit=True) as connection:
        connection.execute('GRANT UPDATE ON own TO q_user; REVOKE SELECT ON "table" FROM q_user')
    found = grant(guarded, guarded.admin, Mode.ADDITIVE)
    assert 'GRANT SELECT ON TABLE "public"."table" TO "q_user"' in told(found).mends
    assert not any(text.startswith("REVOKE") or " OWNER TO " in text for text in told(found).mends)
    assert query(as_superuser(any_database), "SELECT has_table_privilege('q_user', 'own', 'UPDATE')") == [(True,)]
    grant(guarded, guarded.admin)
    assert query(as_superuser(any_database), "SELECT has_table_privilege('q_user', 'own', 'UPDATE')") == [(False,)]
    closed = grant(guarded, guarded.admin, absent={*ABSENT, Absent.CONNECT})
    assert any(text.startswith("REVOKE CONNECT ON DATABASE") and text.endswith("FROM PUBLIC") for text in told(closed).mends)
    assert query(as_superuser(any_database), "SELECT has_database_privilege('r_user', current_database(), 'CONNECT')") == [(True,)]
    assert compare(guarded, guarded.admin, absent={*ABSENT, Absent.CONNECT}).difference.changes == ()


def test_a_service_without_login_is_a_warning(any_database: str, tmp_path: Path) -> None:
    guarded = made(tmp_path, any_database, QUIET)
    grant(guarded, guarded.admin)
    more = (guarded.project / "r/domain.toml").read_text() + '[[services]]\nname = "late"\nwrites = []\nreads = ["q:Select"]\n'
    (guarded.project / "r/domain.toml").write_text(more)
    desk_of.cache_clear()
    answer = bgce("grants", "apply", "-d", guarded.url, cwd=guarded.project)
    assert answer.code == 0, answer.err
    assert "warning: role late_user does not exist: the rights of service late wait for it" in answer.err
    query(as_superuser(any_database), "CREATE ROLE late_user LOGIN")
    found = grant(guarded, guarded.admin)
    assert any('"late_user"' in text and '"Select"' in text for text in told(found).mends)


def test_nothing_happens_while_a_run_leads(any_database: str, tmp_path: Path) -> None:
    guarded = made(tmp_path, any_database, QUIET)
    query(as_superuser(any_database), "GRANT UPDATE ON own TO q_user")
    with psycopg.connect(guarded.url) as leader:
        leader.execute("LOCK TABLE bgce_migrate.run_lock IN EXCLUSIVE MODE")
        answer = bgce("grants", "apply", "--lock-wait", "0.2", "-d", guarded.url, cwd=guarded.project)
        assert answer.code == 4 and "another run holds the lock" in answer.err
        administrator = bgce("grants", "apply", "--lock-wait", "0.2", "-d", guarded.admin, cwd=guarded.project)
        assert administrator.code == 4 and "another run holds the lock" in administrator.err
        assert bgce("grants", "check", "-d", guarded.url, cwd=guarded.project).code == 1, "looking needs no lock"
    assert bgce("grants", "apply", "-d", guarded.url, cwd=guarded.project).code == 0


def test_grants_of_others_at_the_same_time_are_waited_out(any_database: str, tmp_path: Path) -> None:
    """`tuple concurrently updated`: somebody else grants on the same tables all the time."""
    guarded = made(tmp_path, any_database, QUIET)
    stop = threading.Event()

    def disturb() -> None:
        with psycopg.connect(as_superuser(any_database), autocommit=True) as connection:
            while not stop.is_set():
                for name in ("own", '"Select"', '"table"'):
                    try:
                        connection.execute(f"GRANT SELECT ON {name} TO pg_monitor".encode())
                        connection.execute(f"REVOKE SELECT ON {name} FROM pg_monitor".encode())
                    except psycopg.Error:
                        continue

    threads = [threading.Thread(target=disturb) for _ in range(2)]
    for thread in threads:
        thread.start()
    ended = []
    try:
        for _ in range(8):
            with suppress(psycopg.Error):
                query(as_superuser(any_database), 'REVOKE ALL ON own, "Select", "table" FROM q_user, r_user, r_owner')
            try:
                grant(guarded, guarded.url)
                ended.append("done")
            except Unavailable as error:
                assert "run it again" in str(error.hint)
                ended.append("busy")
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert len(ended) == 8 and "done" in ended
    grant(guarded, guarded.url)
    assert compare(guarded, guarded.url).difference.changes == ()


def test_a_plain_database_gets_what_services_need(any_database: str, tmp_path: Path) -> None:
    """No bootstrap: one login owns everything, services are made by hand."""
    app = make_owner(any_database, "app")
    project = write(tmp_path / "project", dict(QUIET))
    require_done(up(project, app))
    guarded = Guarded(project, as_superuser(any_database), app, app)
    found = compare(guarded, app)
    assert found.difference.changes and all("_user" not in text for text in told(found).mends)
    assert {w.split()[1] for w in found.difference.warnings} == {"q_user", "r_user"}
    with psycopg.connect(as_superuser(any_database), autocommit=True) as connection:
        connection.execute("CREATE ROLE q_user LOGIN; CREATE ROLE r_user LOGIN")
    done = grant(guarded, app)
    assert done.left == ()
    assert not any("_owner" in text for text in told(done).mends)
    assert compare(guarded, app).difference.changes == ()
    assert query(as_superuser(any_database), "SELECT has_table_privilege('q_user', '\"table\"', 'INSERT')") == [(True,)]
    assert query(as_superuser(any_database), "SELECT has_column_privilege('r_user', '\"table\"', 'Secret$', 'SELECT')") == [(False,)]


class Reporting:
    """A plugin that asks for a reporting tool's reads."""

    @hookimpl
    def grant(self, domain: Domain) -> Iterator[Grant]:
        if domain.name == "q":
            yield Grant("reporting", "SELECT", "Select", columns=("Id", "order"))
            yield Grant("reporting", "EXECUTE", "Count", kind="function")
            yield Grant("nobody_yet", "SELECT", "user$", columns=("Id",))


class Greedy:
    """A plugin that asks for a secret."""

    @hookimpl
    def grant(self, domain: Domain) -> Iterator[Grant]:
        yield from [Grant("reporting", "SELECT", "Select", columns=("Secret$",))] if domain.name == "q" else []


def test_plugins_ask_for_more_and_get_no_secret(any_database: str, tmp_path: Path) -> None:
    guarded = made(tmp_path, any_database, QUIET)
    query(as_superuser(any_database), "CREATE ROLE reporting")
    desk = desk_of(guarded.project)
    with rights.opened(Address(guarded.url, "bgce_migrate"), changing=True) as target:
        scope = rights.scope_of(desk.project, Host([Plugin("reporting", Reporting())]), target)
        found = rights.apply(scope, target, RunInfo.new("grants apply"), OPTIONS, Mode.AUTHORITATIVE)
        mends = told(found).mends
        assert 'GRANT SELECT ("Id", "order") ON TABLE "public"."Select" TO "reporting"' in mends
        assert any(text.startswith("GRANT EXECUTE") and text.endswith('TO "reporting"') for text in mends)
        assert found.difference.warnings == ("role nobody_yet does not exist: its rights wait for it",)
        with pytest.raises(Refused, match="secret"):
            rights.scope_of(desk.project, Host([Plugin("greedy", Greedy())]), target)
    assert any('"reporting"' in text for text in told(compare(guarded, guarded.url)).mends), "without the plugin it is drift"


def test_an_undeclared_folder_has_no_grants(any_database: str, tmp_path: Path) -> None:
    folder = write(tmp_path / "db", {"000001_a.up.sql": "CREATE TABLE a (id int);", "000001_a.down.sql": "DROP TABLE a;"})
    answer = bgce("grants", "plan", "--migrations", folder, "-d", any_database, cwd=tmp_path)
    assert answer.code == 2 and "nothing is declared here" in answer.err


def test_what_the_server_only_warns_of_is_no_success(any_database: str, tmp_path: Path) -> None:
    """A right that somebody else than the owner gave cannot be taken by the owner's REVOKE alone."""
    guarded = made(tmp_path, any_database, QUIET)
    grant(guarded, guarded.admin)
    with psycopg.connect(as_superuser(any_database), autocommit=True) as connection:
        connection.execute("GRANT SELECT ON own TO q_user WITH GRANT OPTION; SET ROLE q_user; GRANT SELECT ON own TO q_owner")
    found = grant(guarded, guarded.url)
    assert [text for text in told(found).mends if "CASCADE" in text] == ['REVOKE SELECT ON TABLE "public"."own" FROM "q_user" CASCADE']
    assert "it was passed on to q_owner" in found.difference.changes[0].why
    rows = query(as_superuser(any_database), "SELECT has_table_privilege('q_owner', 'own', 'SELECT'), has_table_privilege('q_user', 'own', 'SELECT')")
    assert rows == [(False, False)]


def test_the_old_tools_version_table_stays_with_its_service(any_database: str, tmp_path: Path) -> None:
    files = {**QUIET, "bgce.toml": QUIET["bgce.toml"] + '[compat]\ngolang_migrate = "{service}_schema_migrations"\n'}
    guarded = made(tmp_path, any_database, files)
    with psycopg.connect(as_superuser(any_database), autocommit=True) as connection:
        connection.execute("DROP TABLE IF EXISTS q_schema_migrations")
        connection.execute("SET ROLE q_owner; CREATE TABLE q_schema_migrations (version bigint PRIMARY KEY, dirty boolean)")
        connection.execute("RESET ROLE; ALTER ROLE q_user PASSWORD 'secret'")
    grant(guarded, guarded.url)
    with psycopg.connect(login_as(any_database, "q_user"), autocommit=True) as service:
        service.execute("TRUNCATE q_schema_migrations")
        service.execute("INSERT INTO q_schema_migrations VALUES (3, false)")
        assert service.execute("SELECT version, dirty FROM q_schema_migrations").fetchall() == [(3, False)]
    with opened(guarded, guarded.url) as (scope, _):
        assert scope.versions["q"] == ("public", "q_schema_migrations")


def test_functions_go_on_working_where_everybody_may_no_longer_run_them(any_database: str, tmp_path: Path) -> None:
    files = {
        **QUIET,
        "q/000002_code.up.sql": (
            "CREATE FUNCTION code() RETURNS text LANGUAGE sql AS 'SELECT ''x''';\n"
            'ALTER TABLE "table" ADD COLUMN code text DEFAULT code() CHECK (code <> code() || code());\n'
            "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';\n"
            'CREATE TRIGGER touch BEFORE INSERT ON "table" FOR EACH ROW EXECUTE FUNCTION touch();\n'
        ),
        "q/000002_code.down.sql": 'ALTER TABLE "table" DROP COLUMN code;\nDROP TRIGGER touch ON "table";\n'
        "DROP FUNCTION touch();\nDROP FUNCTION code();\n",
    }
    files["q/domain.toml"] = files["q/domain.toml"].replace('"Count" = "shared"', '"Count" = "shared", touch = "shared"')
    guarded = made(tmp_path, any_database, files)
    grant(guarded, guarded.admin)
    everybody = "proacl::text LIKE '%{=X/%' OR proacl::text LIKE '%,=X/%'"
    assert query(as_superuser(any_database), f"SELECT proname FROM pg_proc WHERE {everybody} ORDER BY 1") == [
        ("contract",), ("ready",), ("run_end",)  # the public SQL contract
    ]  # fmt: skip
    query(as_superuser(any_database), "ALTER ROLE q_user PASSWORD 'secret'")
    with psycopg.connect(login_as(any_database, "q_user"), autocommit=True) as service:
        service.execute("INSERT INTO \"table\" (\"order\") VALUES ('a')")
    # A domain that comes later uses what is shared, in a step of `up`.
    late = {
        "bgce.toml": files["bgce.toml"].replace('"q", "r"', '"q", "r", "s"'),
        "s/domain.toml": 'name = "s"\nrequires = ["q"]\n[tables.late]\n[[services]]\nname = "s"\n',
        "s/000001_late.up.sql": (
            "CREATE TABLE late (id bigint PRIMARY KEY, n integer DEFAULT \"Count\"(1, 'a'));\n"
            "CREATE TRIGGER touch BEFORE INSERT ON late FOR EACH ROW EXECUTE FUNCTION touch();\n"
        ),
        "s/000001_late.down.sql": "DROP TABLE late;",
    }
    write(guarded.project, late)
    desk_of.cache_clear()
    bootstrap(guarded.project, any_database, guarded.admin)
    require_done(up(guarded.project, guarded.url))
    found = compare(guarded, guarded.admin)
    assert {text.split()[0] for text in told(found).mends} <= {"ALTER"}, told(found).mends
    grant(guarded, guarded.url)
    assert compare(guarded, guarded.admin).difference.changes == ()
