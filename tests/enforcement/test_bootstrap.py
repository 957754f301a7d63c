"""`bootstrap` by an administrator who is no superuser: what it prints, makes, mends, and leaves to others."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from bgce_migrate.apply.target import Address
from bgce_migrate.db.target import BOOKKEEPING_VERSION
from bgce_migrate.desk import Desk
from bgce_migrate.errors import Refused, Unavailable
from bgce_migrate.servers import Server
from tests.e2e.desks import require_done, up
from tests.e2e.platform import Guarded, bootstrap, copy_platform, service, shipped_domains, toml
from tests.e2e.scene import as_role, make_owner, query, write
from tests.servers import DatabaseMaker, as_superuser


def administrator(superuser: str, options: str = "CREATEROLE CREATEDB") -> str:
    """The address of one as managed servers have them."""
    query(superuser, f"CREATE ROLE manager LOGIN PASSWORD 'secret' NOSUPERUSER {options}")
    return as_role(superuser, "manager")


def plan(project: Path, url: str, mode: str = "role", **more: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    return Desk.load(project).bootstrap(Address(url, "bgce_migrate", mode), print_only=True, **more)  # type: ignore[arg-type]


def do(project: Path, url: str, mode: str = "role", **more: object) -> tuple[str, ...]:
    return Desk.load(project).bootstrap(Address(url, "bgce_migrate", mode), **more)[0]  # type: ignore[arg-type]


def state(superuser: str) -> list[tuple[object, ...]]:
    return query(
        superuser,
        "SELECT rolname::text, rolcanlogin, rolinherit FROM pg_roles UNION ALL SELECT datname::text, true, true FROM pg_database"
        " ORDER BY 1",
    )


@pytest.mark.parametrize("mode", ["role", "login"])
def test_a_missing_database_is_made_and_everything_in_it(
    mode: str, maker: DatabaseMaker, any_server: Server, tmp_path: Path
) -> None:
    superuser = any_server.url(database="postgres")
    admin = make_conninfo(administrator(superuser), dbname="fresh_archive")
    project = copy_platform(tmp_path, mode)
    maker._made.append("fresh_archive")
    before = state(superuser)
    printed, _ = plan(project, admin, mode)
    assert state(superuser) == before, "printing changes nothing"
    assert printed[0].startswith('CREATE DATABASE "fresh_archive"')
    told: list[str] = []
    done = do(project, admin, mode, before=told.extend, passwords={"bgce_migrator": "secret"})
    assert told[0] == printed[0] and set(printed) <= {t for t in told if "SCRAM" not in t}
    assert plan(project, admin, mode) == ((), plan(project, admin, mode)[1]), "nothing is missing"
    assert any("CREATE ROLE" in statement for statement in done)
    fresh = make_conninfo(superuser, dbname="fresh_archive")
    owners = query(fresh, "SELECT count(*) FROM pg_roles WHERE rolname ~ '^(?!pg_).*_owner$' AND NOT rolcanlogin")
    assert owners == [(12,)], "eleven domains and the bookkeeping"
    assert query(fresh, "SELECT count(*) FROM pg_roles WHERE rolsuper AND rolname <> 'postgres'") == [(0,)]
    if mode == "role":
        url = make_conninfo(fresh, user="bgce_migrator", password="secret")
        require_done(up(project, url))


def test_an_administrator_who_may_make_no_database_is_told_what_to_do(
    maker: DatabaseMaker, any_server: Server, tmp_path: Path
) -> None:
    admin = make_conninfo(administrator(any_server.url(database="postgres"), "CREATEROLE"), dbname="nowhere_at_all")
    with pytest.raises(Refused, match="nowhere_at_all is missing") as caught:
        do(copy_platform(tmp_path), admin)
    assert 'CREATE DATABASE "nowhere_at_all"' in (caught.value.hint or "")


def test_a_wrong_password_is_no_missing_database(maker: DatabaseMaker, any_server: Server, tmp_path: Path) -> None:
    admin = make_conninfo(administrator(as_superuser(maker())), password="wrong")
    with pytest.raises(Unavailable, match="password authentication failed"):
        do(copy_platform(tmp_path), admin)


WALLET = {
    "migrations/wallet/domain.toml": (
        'name = "wallet"\nrequires = ["cortex"]\nschema = "wallet"\n[tables.coins]\n'
        '[[services]]\nname = "wallet"\nlogin = "wallet_user"\nreads = ["cortex:tenants"]\n'
    ),
    "migrations/wallet/000001_coins.up.sql": (
        "CREATE TABLE coins (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, tenant_id bigint REFERENCES tenants (id));"
    ),
    "migrations/wallet/000001_coins.down.sql": "DROP TABLE coins;",
}


def test_one_new_domain_alone(maker: DatabaseMaker, tmp_path: Path) -> None:
    project = copy_platform(tmp_path)
    guarded = bootstrap(project, maker())
    require_done(up(project, guarded.url))
    write(project, {"bgce.toml": toml([*shipped_domains(), "wallet"]), **WALLET})
    with pytest.raises(Refused, match="no owner role for wallet") as caught:
        up(project, guarded.url)
    assert caught.value.exit_code == 3 and "bootstrap --domain wallet" in (caught.value.hint or "")
    printed, _ = plan(project, guarded.admin, domains=("wallet",))
    text = "\n".join(printed)
    assert '"wallet_owner"' in text and '"wallet_user"' in text and '"postal_owner"' not in text
    assert do(project, guarded.admin, domains=("wallet",)) == printed
    require_done(up(project, guarded.url))
    wallet = service(guarded, "wallet_user")
    query(wallet, "INSERT INTO wallet.coins DEFAULT VALUES")
    assert query(wallet, "SELECT count(*) > 1 FROM bgce_migrate.migration_state") == [(True,)]
    assert query(wallet, "SELECT count(*) > 1 FROM migration_history") == [(True,)]


def test_logins_that_were_there_before_get_what_the_others_get(maker: DatabaseMaker, tmp_path: Path) -> None:
    fresh = maker()
    superuser = as_superuser(fresh)
    for login in ("cortex_user", "postal_user"):
        query(superuser, f"CREATE ROLE {login} LOGIN")
    query(superuser, "CREATE ROLE bgce_migrator LOGIN")
    admin = make_owner(fresh, "admin", "CREATEROLE")
    major = query(superuser, "SELECT current_setting('server_version_num')::int / 10000")[0][0]
    if major != 15:
        for login in ("cortex_user", "postal_user", "bgce_migrator"):
            query(superuser, f"GRANT {login} TO admin WITH ADMIN OPTION")
    guarded = bootstrap(copy_platform(tmp_path), fresh, admin)
    query(superuser, "ALTER ROLE bgce_migrator PASSWORD 'secret'")
    require_done(up(guarded.project, guarded.url))
    assert query(service(guarded, "cortex_user"), "SELECT count(*) > 1 FROM bgce_migrate.migration_state") == [(True,)]
    assert query(superuser, "SELECT rolinherit FROM pg_roles WHERE rolname = 'bgce_migrator'") == [(False,)]
    assert plan(guarded.project, admin)[0] == ()


def test_an_owner_role_that_may_log_in_is_refused(maker: DatabaseMaker, tmp_path: Path) -> None:
    fresh = maker()
    query(as_superuser(fresh), "CREATE ROLE cortex_owner LOGIN")
    with pytest.raises(Refused, match="cortex_owner exists and may log in"):
        do(copy_platform(tmp_path), make_owner(fresh, "admin", "CREATEROLE"))


def test_memberships_that_inherit_are_mended(maker: DatabaseMaker, any_server: Server, tmp_path: Path) -> None:
    guarded = bootstrap(copy_platform(tmp_path), maker())
    if any_server.major < 16:
        query(guarded.superuser, "ALTER ROLE bgce_migrator INHERIT")
    else:
        query(guarded.admin, "GRANT postal_owner TO bgce_migrator WITH INHERIT TRUE")
    inherits = "SELECT pg_has_role('bgce_migrator', 'postal_owner', 'USAGE')"
    assert query(guarded.superuser, inherits) == [(True,)]
    assert len(do(guarded.project, guarded.admin)) == 1
    assert query(guarded.superuser, inherits) == [(False,)]


def test_mode_login_takes_the_owners_from_the_one_login(maker: DatabaseMaker, tmp_path: Path) -> None:
    guarded = bootstrap(copy_platform(tmp_path), maker())
    declared = guarded.project / "bgce.toml"
    declared.write_text(declared.read_text().replace('mode = "role"', 'mode = "login"'))
    do(guarded.project, guarded.admin, "login")
    member = "SELECT count(*) FROM pg_auth_members WHERE member = 'bgce_migrator'::regrole AND roleid::regrole::text LIKE '%owner'"
    assert query(guarded.superuser, member) == [(0,)]
    assert plan(guarded.project, guarded.admin, "login")[0] == ()


@pytest.mark.parametrize("mode", ["role", "login"])
def test_an_older_bookkeeping_is_upgraded_by_the_administrator(mode: str, maker: DatabaseMaker, tmp_path: Path) -> None:
    guarded = bootstrap(copy_platform(tmp_path, mode), maker())
    age(guarded.superuser)
    with pytest.raises(Refused, match="version 1") as caught:
        up(guarded.project, guarded.url, passwords=guarded.passwords)
    assert caught.value.exit_code == 3 and "bootstrap" in (caught.value.hint or "")
    assert do(guarded.project, guarded.admin, mode)
    require_done(up(guarded.project, guarded.url, passwords=guarded.passwords))
    assert query(guarded.superuser, "SELECT bookkeeping_version FROM bgce_migrate.meta") == [(BOOKKEEPING_VERSION,)]
    assert query(guarded.superuser, "SELECT count(*) FROM bgce_migrate.run WHERE end_position IS NOT NULL") == [(1,)]
    assert plan(guarded.project, guarded.admin, mode)[0] == ()


def test_an_older_plain_bookkeeping_is_upgraded_by_up(maker: DatabaseMaker, tmp_path: Path) -> None:
    url, folder = maker(), tmp_path / "shop"
    folder.mkdir()
    url = make_owner(url)
    (folder / "000001_a.up.sql").write_text("CREATE TABLE a (id int);")
    require_done(up(folder, url))
    age(url)
    (folder / "000002_b.up.sql").write_text("CREATE TABLE b (id int);")
    require_done(up(folder, url))
    assert query(url, "SELECT bookkeeping_version FROM bgce_migrate.meta") == [(BOOKKEEPING_VERSION,)]


def age(url: str) -> None:
    """The bookkeeping as version 1 had it, as far as it matters."""
    with psycopg.connect(url, autocommit=True) as connection:
        owner = connection.execute("SELECT nspowner::regrole::text FROM pg_namespace WHERE nspname = 'bgce_migrate'").fetchone()
        assert owner is not None
        connection.execute(f"SET ROLE {owner[0]}".encode())
        connection.execute("DROP FUNCTION bgce_migrate.held(text)")
        connection.execute("DROP FUNCTION bgce_migrate.ask_run(uuid, text, text)")
        connection.execute("DROP TABLE bgce_migrate.request")
        connection.execute("DROP FUNCTION bgce_migrate.end_run(bigint, uuid)")
        connection.execute("DROP FUNCTION bgce_migrate.run_end(text, bigint)")
        connection.execute("ALTER TABLE bgce_migrate.run DROP COLUMN end_position, DROP COLUMN end_timeline")
        connection.execute("CREATE FUNCTION bgce_migrate.held() RETURNS int LANGUAGE sql AS 'SELECT 1'")
        connection.execute("UPDATE bgce_migrate.meta SET bookkeeping_version = 1")


def test_shared_functions_that_are_there_are_given(maker: DatabaseMaker, tmp_path: Path) -> None:
    guarded: Guarded = bootstrap(copy_platform(tmp_path), maker())
    require_done(up(guarded.project, guarded.url))
    query(guarded.superuser, "REVOKE EXECUTE ON FUNCTION count_post_like(bigint, integer) FROM community_user")
    printed, _ = plan(guarded.project, guarded.admin)
    assert [s for s in printed if "count_post_like" in s] == [
        'GRANT EXECUTE ON ROUTINE "public"."count_post_like"(bigint, integer) TO "community_user"'
    ]
    do(guarded.project, guarded.admin)
    assert plan(guarded.project, guarded.admin)[0] == ()


def test_an_administrator_is_told_whose_login_reads_the_history(maker: DatabaseMaker, tmp_path: Path) -> None:
    guarded = bootstrap(copy_platform(tmp_path), maker())
    with pytest.raises(Refused, match="admin may not read the bookkeeping in schema bgce_migrate: permission denied") as caught:
        Desk.load(guarded.project).open(Address(guarded.admin))
    assert caught.value.exit_code == 3 and "a migrator's login" in (caught.value.hint or "")


def doctor(guarded: Guarded, url: str, mode: str) -> dict[str, str]:
    desk = Desk.load(guarded.project)
    return dict(desk.doctor(Address(url, "bgce_migrate", mode, guarded.passwords)))


@pytest.mark.superuser("doctor is to say so")
@pytest.mark.parametrize("mode", ["role", "login"])
def test_doctor_tells_what_is_enforced_and_what_is_missing(mode: str, maker: DatabaseMaker, tmp_path: Path) -> None:
    guarded = bootstrap(copy_platform(tmp_path, mode), maker())
    said = doctor(guarded, guarded.url, mode)
    assert said["layout"].startswith(f"guarded, mode {mode}") and "audit" in said["layout"]
    assert said["owner roles"] == "all there"
    assert said["memberships"] == "each migrator acts as its owners and inherits nothing"
    assert said["bookkeeping"] == "functions owned by bgce_migrate_owner" and "service logins" not in said
    assert "superuser" in doctor(guarded, guarded.superuser, mode)["login"]
    query(guarded.superuser, "GRANT postal_owner TO community_user")
    query(guarded.superuser, "GRANT CREATE ON SCHEMA public TO PUBLIC")
    query(guarded.superuser, "ALTER ROLE ai_owner LOGIN")
    query(guarded.superuser, "ALTER FUNCTION bgce_migrate.held(text) OWNER TO cortex_owner")
    write(guarded.project, {"bgce.toml": toml([*shipped_domains(), "wallet"], mode), **WALLET})
    said = doctor(guarded, guarded.url, mode)
    assert said["owner roles"] == "missing: wallet_owner; run bootstrap"
    assert said["service logins"] == "missing: wallet_user; run bootstrap"
    for fault in ("community_user is a member of postal_owner", "everybody may create", "ai_owner may log in"):
        assert fault in said["memberships"]
    assert said["bookkeeping"].endswith("not guarded")
