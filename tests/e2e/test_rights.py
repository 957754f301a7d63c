"""Rights: an administrator who is no superuser, and steps that run as owner roles and need what others own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from bgce_migrate.apply.target import Address
from bgce_migrate.desk import Desk
from bgce_migrate.errors import Refused
from bgce_migrate.outcome import RunReport
from bgce_migrate.servers import Server
from tests.e2e.desks import down, require_done, up
from tests.e2e.guild import GUILD, add_guild, adopt_guild, obey
from tests.e2e.platform import Guarded, bootstrap, copy_platform
from tests.e2e.scene import query, write
from tests.servers import DatabaseMaker, as_superuser

#: What all tests share is made once then.
pytestmark = pytest.mark.xdist_group("rights")


@pytest.fixture(scope="module", params=["role", "login"])
def applied(request: pytest.FixtureRequest, any_server: Server, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guarded]:
    """The eleven shipped domains, applied once for all tests: they get copies."""
    maker = DatabaseMaker(any_server)
    guarded = bootstrap(copy_platform(tmp_path_factory.mktemp("platform"), request.param), maker())
    run(guarded)
    yield guarded
    maker.clean()


@pytest.fixture
def platform(applied: Guarded, maker: DatabaseMaker, tmp_path: Path) -> Guarded:
    """A copy with a project of its own; roles that a test makes are dropped behind it."""
    admin = maker.copy(applied.admin)
    # A copy is another database than the recorded one, which `up` would refuse.
    query(as_superuser(admin), "UPDATE bgce_migrate.meta SET database_oid = d.oid, database_name = datname FROM pg_database d WHERE datname = current_database()")
    mode = Desk.load(applied.project).project.database.mode
    return bootstrap(copy_platform(tmp_path, mode), admin, admin)


def run(guarded: Guarded) -> RunReport:
    return require_done(up(guarded.project, guarded.url, passwords=guarded.passwords))


def owners(guarded: Guarded) -> dict[str, str]:
    rows = query(guarded.superuser, "SELECT tablename, tableowner FROM pg_tables WHERE schemaname = 'public'")
    return {str(name): str(owner) for name, owner in rows}


def test_eleven_domains_are_applied_without_a_superuser(platform: Guarded) -> None:
    found = owners(platform)
    assert len(found) == 48
    for domain in Desk.load(platform.project).project.domains:
        assert {found[name] for name in domain.tables} == {f"{domain.name}_owner"}
    roles = query(platform.superuser, "SELECT rolname FROM pg_roles WHERE rolsuper AND rolname NOT LIKE 'postgres'")
    assert roles == []
    left = query(
        platform.superuser,
        "SELECT r.rolname FROM pg_auth_members m JOIN pg_roles r ON r.oid = m.roleid"
        " JOIN pg_roles a ON a.oid = m.member WHERE a.rolname = 'admin'"
        " AND pg_has_role('admin', r.oid, 'USAGE') AND r.rolname LIKE '%owner'"
        " AND current_setting('server_version_num')::int >= 160000",
    )
    assert left == [], "the administrator keeps no membership of an owner"
    assert up(platform.project, platform.url, passwords=platform.passwords).result == "nothing_to_do"
    statements, _ = Desk.load(platform.project).bootstrap(_admin_address(platform), print_only=True)
    assert statements == (), "a second bootstrap has nothing to do"


def _admin_address(guarded: Guarded) -> Address:
    return Address(guarded.admin, "bgce_migrate", Desk.load(guarded.project).project.database.mode)


def test_a_twelfth_domain_gets_what_its_key_and_view_need(platform: Guarded) -> None:
    add_guild(platform)
    adopt_guild(platform)
    report = run(platform)
    assert [s.id.short for s in report.steps] == ["guild/000001", "guild/000002"]
    assert owners(platform)["members"] == "guild_owner"
    query(platform.superuser, "INSERT INTO users (username, email, password_hash) VALUES ('ada', 'a@example.org', 'x')")
    query(platform.superuser, "INSERT INTO members (user_id) SELECT id FROM users")
    assert query(platform.superuser, "SELECT username FROM member_names") == [("ada",)]
    with psycopg.connect(platform.superuser, autocommit=True) as connection:
        connection.execute("SET ROLE guild_owner")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT password_hash FROM users")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("UPDATE users SET full_name = 'x'")
    require_done(down(platform.project, platform.url, passwords=platform.passwords, domain="guild", count=2))
    assert "members" not in owners(platform)


def test_a_column_made_later_elsewhere_is_readable_by_the_step_that_needs_it(platform: Guarded) -> None:
    add_guild(platform)
    adopt_guild(platform)
    run(platform)
    write(
        platform.project / "migrations",
        {
            "cortex/000005_add_nickname.up.sql": "ALTER TABLE users ADD COLUMN nickname text;",
            "cortex/000005_add_nickname.down.sql": "ALTER TABLE users DROP COLUMN nickname;",
            "guild/000003_show_nicknames.up.sql": (
                "CREATE VIEW nicknames AS SELECT u.id, u.nickname FROM users u WHERE u.nickname IS NOT NULL;"
            ),
            "guild/000003_show_nicknames.down.sql": "DROP VIEW nicknames;",
        },
    )
    report = run(platform)
    assert [s.id.short for s in report.steps] == ["cortex/000005", "guild/000003"]
    assert query(platform.superuser, "SELECT * FROM nicknames") == []
    with pytest.raises(Refused, match="others depend"):
        down(platform.project, platform.url, passwords=platform.passwords, domain="cortex", count=1)
    require_done(
        down(platform.project, platform.url, passwords=platform.passwords, domain="cortex", count=1, cascade=True)
    )


def test_a_column_that_exists_already_is_given_before_the_first_step(platform: Guarded) -> None:
    write(
        platform.project / "migrations",
        {
            "cortex/000005_add_nickname.up.sql": "ALTER TABLE users ADD COLUMN nickname text;",
            "cortex/000005_add_nickname.down.sql": "ALTER TABLE users DROP COLUMN nickname;",
        },
    )
    run(platform)
    add_guild(
        platform,
        {
            **GUILD,
            "migrations/guild/000003_show_nicknames.up.sql": "CREATE VIEW nicknames AS SELECT id, nickname FROM users;",
            "migrations/guild/000003_show_nicknames.down.sql": "DROP VIEW nicknames;",
        },
    )
    adopt_guild(platform)
    run(platform)


def test_a_key_is_validated_and_rows_are_taken_over(platform: Guarded) -> None:
    add_guild(platform)
    adopt_guild(platform)
    write(
        platform.project / "migrations/guild",
        {
            "000003_create_boasts.up.sql": (
                "CREATE TABLE boasts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, user_id bigint NOT NULL,\n"
                "    post_id bigint, name text, email text);\n"
                "ALTER TABLE boasts ADD CONSTRAINT boasts_user FOREIGN KEY (user_id) REFERENCES users NOT VALID;\n"
                "ALTER TABLE boasts ADD CONSTRAINT boasts_post FOREIGN KEY (post_id) REFERENCES posts (id) NOT VALID;\n"
            ),
            "000003_create_boasts.down.sql": "DROP TABLE boasts;",
            "000004_take_over.up.sql": (
                "INSERT INTO boasts (user_id, post_id, name, email)\n"
                "SELECT u.id, p.id, u.full_name, u.email FROM users u LEFT JOIN posts p ON p.created_by = u.id;\n"
            ),
            "000004_take_over.down.sql": "DELETE FROM boasts;",
            "000005_validate.up.sql": (
                "ALTER TABLE boasts VALIDATE CONSTRAINT boasts_user;\n"
                "ALTER TABLE boasts VALIDATE CONSTRAINT boasts_post;\n"
            ),
            "000005_validate.down.sql": "-- nothing to undo\nSELECT 1;",
            "000006_create_digest.up.sql": (
                "CREATE TABLE digest AS SELECT p.id, p.title, u.username FROM posts p JOIN users u ON u.id = p.created_by;"
            ),
            "000006_create_digest.down.sql": "DROP TABLE digest;",
            # Dropping the table locks the tables its keys refer to as hard as dropping those would.
            "000007_think_again.up.sql": (
                "CREATE TABLE scores (user_id bigint REFERENCES users, name text REFERENCES users (username));\n"
                "DROP TABLE scores;\n"
            ),
            "000007_think_again.down.sql": "SELECT 1;",
        },
    )
    query(platform.superuser, "INSERT INTO users (username, email, password_hash) VALUES ('ada', 'a@example.org', 'x')")
    run(platform)
    assert query(platform.superuser, "SELECT count(*), max(email) FROM boasts") == [(1, "a@example.org")]
    assert query(platform.superuser, "SELECT convalidated FROM pg_constraint WHERE conname LIKE 'boasts_%er'") == [(True,)]


def test_reading_a_secret_or_unshared_column_is_refused_before_anything_runs(platform: Guarded) -> None:
    add_guild(
        platform,
        {
            **GUILD,
            "migrations/guild/000003_steal.up.sql": "CREATE VIEW stolen AS SELECT password_hash, last_login_at FROM users;",
            "migrations/guild/000003_steal.down.sql": "DROP VIEW stolen;",
        },
    )
    with pytest.raises(Refused) as caught:
        up(platform.project, platform.url, passwords=platform.passwords)
    said = " ".join(p.message for p in caught.value.problems)
    assert "password_hash" in said and "last_login_at" in said
    assert "members" not in owners(platform)


def test_a_trusted_extension_is_asked_of_the_administrator(platform: Guarded, any_server: Server) -> None:
    free = {
        str(row[0])
        for row in query(
            platform.superuser,
            "SELECT name FROM pg_available_extension_versions WHERE trusted AND NOT installed",
        )
    }
    if "citext" not in free:
        pytest.skip(f"PostgreSQL {any_server.major} here has no contrib: no trusted extension to create")
    add_guild(
        platform,
        {
            **GUILD,
            "migrations/guild/000003_extension.up.sql": (
                "CREATE EXTENSION IF NOT EXISTS citext;\nALTER TABLE members ADD COLUMN motto citext;\n"
            ),
            "migrations/guild/000003_extension.down.sql": "ALTER TABLE members DROP COLUMN motto;",
        },
    )
    adopt_guild(platform)
    with pytest.raises(Refused, match="creates extension citext") as caught:
        up(platform.project, platform.url, passwords=platform.passwords)
    assert "members" not in owners(platform), "refused before the first step"
    obey(platform, caught.value)
    run(platform)


def test_a_foreign_write_is_refused_by_the_server_even_from_a_block(platform: Guarded) -> None:
    add_guild(platform)
    adopt_guild(platform)
    run(platform)
    attacks = [
        "DO $$ BEGIN EXECUTE 'ALTER TABLE us' || 'ers ADD COLUMN mine text'; END $$;",
        "DO $$ BEGIN EXECUTE 'UPDATE us' || 'ers SET full_name = NULL'; END $$;",
        "DO $$ BEGIN EXECUTE 'DROP TABLE po' || 'sts CASCADE'; END $$;",
        "DO $$ BEGIN EXECUTE 'DELETE FROM bgce_migrate.mig' || 'ration_history'; END $$;",
        "DO $$ BEGIN EXECUTE 'CREATE TRIGGER t BEFORE INSERT ON us' || 'ers EXECUTE FUNCTION update_updated_at_column()'; END $$;",
    ]
    for attack in attacks:
        write(
            platform.project / "migrations/guild",
            {"000003_attack.up.sql": attack, "000003_attack.down.sql": "SELECT 1;"},
        )
        report = up(platform.project, platform.url, passwords=platform.passwords)
        assert report.exit_code == 5 and report.failure is not None, attack
        assert report.failure.facts.get("sqlstate") == "42501", (attack, report.failure)
