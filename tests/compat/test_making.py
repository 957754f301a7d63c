"""Who makes and owns the version tables, what is refused on them, and who is told when somebody else has written one."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from bgce_migrate.errors import ConfigError, Refused
from tests.cli.program import bgce
from tests.compat.scene import COMPAT, World, execute, files
from tests.e2e.desks import down, force, open_desk, require_done, up
from tests.e2e.platform import service
from tests.e2e.scene import query, write
from tests.grants.running import compare, grant

TABLE = "(version bigint not null primary key, dirty boolean not null)"  # golang-migrate's own words


def test_bootstrap_makes_them_and_nothing_is_missing_afterwards(any_database: str, tmp_path: Path) -> None:
    world = World(tmp_path, any_database, "role")
    assert world.guarded is not None
    made = [s for s in world.guarded.statements if "alpha_schema_migrations" in s]
    assert made[0] == 'CREATE TABLE "public"."alpha_schema_migrations" (version bigint NOT NULL PRIMARY KEY, dirty boolean NOT NULL)'
    assert world.bootstrap(print_only=True) == ()
    require_done(up(world.project, world.url))
    world.require_true("up")
    grant(world.guarded, world.guarded.admin)
    assert compare(world.guarded, world.guarded.admin).difference.changes == ()
    assert world.bootstrap(print_only=True) == ()
    require_done(down(world.project, world.url, everything=True))
    assert set(map(str, world.all_rows().values())) == {"[]"}
    # A service's old image reads its own row, and nobody else's.
    mine = service(world.guarded, "alpha_user")
    assert query(mine, "SELECT version FROM alpha_schema_migrations") == []
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        query(mine, "SELECT version FROM beta_schema_migrations")


def test_a_schema_of_its_own(any_database: str, tmp_path: Path) -> None:
    said = 'name = "alpha"\nschema = "alpha_rooms"\n[[services]]\nname = "alpha"\nlogin = "alpha_user"\n'
    world = World(tmp_path, any_database, "login", **{"migrations/alpha/domain.toml": said})
    require_done(up(world.project, world.url, passwords=world.passwords))
    assert world.query("SELECT version, dirty FROM alpha_rooms.alpha_schema_migrations") == [(30, False)]
    assert world.bootstrap(print_only=True) == ()
    may = "has_schema_privilege('bgce_migrate_owner', 'alpha_rooms', 'CREATE')"
    assert world.query(f"SELECT {may}") == [(False,)], "only while it makes them"


@pytest.mark.parametrize("owner", ["alpha_user", "alpha_owner"])
def test_a_table_that_is_there_stays_its_owners(owner: str, database: str, tmp_path: Path) -> None:
    """The database was golang-migrate's: its table is registered, rights are given, and history is told by `force`."""
    world = World(tmp_path, database, "role", **{"bgce.toml": files(compat="")["bgce.toml"]})
    execute(world.superuser, f"CREATE TABLE alpha_schema_migrations {TABLE}", "INSERT INTO alpha_schema_migrations VALUES (20, false)")
    execute(world.superuser, f"ALTER TABLE alpha_schema_migrations OWNER TO {owner}")
    require_done(up(world.project, world.url, domain="beta"))
    world.write({"bgce.toml": files()["bgce.toml"]})
    with pytest.raises(Refused, match="not kept true yet") as caught:
        up(world.project, world.url)
    assert "bootstrap" in (caught.value.hint or "")
    printed = world.bootstrap(print_only=True)
    assert any("UPDATE, DELETE" in s and "alpha_schema_migrations" in s and "bgce_migrate_owner" in s for s in printed)
    world.bootstrap()
    with pytest.raises(Refused, match="alpha_schema_migrations says version 20, history says nothing"):
        up(world.project, world.url)
    assert world.rows("alpha") == [(20, False)] and world.rows("beta") == []
    force(world.project, world.url, "alpha", 20)
    require_done(up(world.project, world.url))
    assert world.rows("alpha") == [(30, False)]
    assert world.rows("beta") == [(30, False)], "one that said nothing is written by the next run, whatever it does"
    found = "SELECT pg_get_userbyid(relowner)::text FROM pg_class WHERE relname = 'alpha_schema_migrations'"
    assert world.query(found) == [(owner,)]
    assert world.guarded is not None
    grant(world.guarded, world.guarded.admin)
    assert compare(world.guarded, world.guarded.admin).difference.changes == ()
    require_done(down(world.project, world.url, domain="alpha", count=1))
    assert world.rows("alpha") == [(20, False)]


ROBBERY = """
CREATE FUNCTION rob() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN UPDATE bgce_migrate.domain_login SET domain = 'alpha'; INSERT INTO loot VALUES (current_user); RETURN NULL; END $$
"""
HANGING = {
    "trigger": "CREATE TRIGGER rob AFTER INSERT OR DELETE ON alpha_schema_migrations FOR EACH STATEMENT EXECUTE FUNCTION rob()",
    "row trigger": "CREATE TRIGGER rob BEFORE INSERT ON alpha_schema_migrations FOR EACH ROW EXECUTE FUNCTION rob()",
    "rule": "CREATE RULE rob AS ON INSERT TO alpha_schema_migrations DO ALSO SELECT steal()",
    "default": "ALTER TABLE alpha_schema_migrations ADD COLUMN more text DEFAULT steal()",
    "default of its own": "ALTER TABLE alpha_schema_migrations ALTER COLUMN version SET DEFAULT length(steal())",
    "check": "ALTER TABLE alpha_schema_migrations ADD CHECK (steal() IS NOT NULL)",
    "index": "CREATE INDEX ON alpha_schema_migrations (steal_of(version))",
    "partial index": "CREATE INDEX ON alpha_schema_migrations (version) WHERE steal_of(version) IS NOT NULL",
    "policy": "ALTER TABLE alpha_schema_migrations ENABLE ROW LEVEL SECURITY",
    "view": "DROP TABLE alpha_schema_migrations; CREATE VIEW alpha_schema_migrations AS SELECT 30::bigint AS version, steal() IS NULL AS dirty;"
    " GRANT ALL ON alpha_schema_migrations TO bgce_migrate_owner",
    "key": "CREATE TABLE other (id bigint PRIMARY KEY); INSERT INTO other VALUES (10); ALTER TABLE alpha_schema_migrations ADD FOREIGN KEY (version) REFERENCES other",
    "generated": "ALTER TABLE alpha_schema_migrations ADD COLUMN more text GENERATED ALWAYS AS (steal_of(version)) STORED",
}
STEAL = (
    "CREATE FUNCTION {} RETURNS text LANGUAGE plpgsql{} AS $$ BEGIN"
    " IF current_user = 'bgce_migrate_owner' THEN RAISE EXCEPTION 'stolen'; END IF; RETURN 'x'; END $$"
)


@pytest.mark.parametrize("what", HANGING)
@pytest.mark.postgres(16)
def test_what_hangs_on_a_table_never_runs_as_the_bookkeeping(what: str, database: str, tmp_path: Path) -> None:
    """The table is the service's own, so it may hang anything on it; our function writes to it with other rights."""
    world = World(tmp_path, database, "role")
    require_done(up(world.project, world.url, domain="alpha", limit=1))
    execute(
        world.superuser, "CREATE TABLE loot (who text)", "GRANT ALL ON loot TO PUBLIC", ROBBERY,
        STEAL.format("steal()", ""), STEAL.format("steal_of(bigint)", " IMMUTABLE"),
        "ALTER TABLE alpha_schema_migrations OWNER TO alpha_user", "GRANT CREATE ON SCHEMA public TO alpha_user",
    )  # fmt: skip
    world.bootstrap()
    execute(world.superuser, f"SET ROLE alpha_user; {HANGING[what]}")
    with pytest.raises(Refused, match="is not a version table as golang-migrate makes it") as caught:
        up(world.project, world.url)
    assert "stolen" not in str(caught.value)
    assert world.query("SELECT * FROM loot") == []
    assert world.query("SELECT count(DISTINCT domain) FROM bgce_migrate.domain_login") == [(3,)]


def test_a_step_cannot_hang_anything_on_its_own_table_either(database: str, tmp_path: Path) -> None:
    trap = (
        "CREATE FUNCTION rob() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        " CREATE TABLE public.robbed (); RETURN NULL; END $$;"
        "CREATE TRIGGER rob AFTER INSERT ON alpha_schema_migrations FOR EACH ROW EXECUTE FUNCTION rob();"
    )
    world = World(tmp_path, database, "role", **{"migrations/alpha/000020_t.up.sql": trap})
    execute(world.superuser, "ALTER TABLE alpha_schema_migrations OWNER TO alpha_owner")
    world.bootstrap()
    report = up(world.project, world.url, domain="alpha")
    assert report.exit_code == 5 and "is not a version table" in str(report.failure)
    assert world.rows("alpha") == [(10, False)]
    assert world.query("SELECT to_regclass('public.robbed')::text") == [(None,)]


@pytest.mark.postgres(18)
@pytest.mark.parametrize("row", ["(31, true)", "(10, false), (30, false)"])
def test_who_says_so_when_somebody_else_has_written_it(row: str, database: str, tmp_path: Path) -> None:
    world = World(tmp_path, database, "")
    require_done(up(world.project, world.url))
    env = {"DATABASE_URL": world.url}
    quiet = bgce("status", cwd=world.project, env=env)
    assert quiet.code == 0 and "alpha_schema_migrations" not in quiet.err
    execute(world.superuser, "DELETE FROM alpha_schema_migrations", f"INSERT INTO alpha_schema_migrations VALUES {row}")
    assert "warning: public.alpha_schema_migrations" in bgce("status", cwd=world.project, env=env).err
    assert "public.alpha_schema_migrations" in bgce("doctor", cwd=world.project, env=env).out
    drift = bgce("drift", "--json", cwd=world.project, env=env)
    (found,) = drift.document["drift"]
    assert drift.code == 1 and (found["domain"], found["kind"]) == ("alpha", "version row")
    with pytest.raises(Refused, match=r"public\.alpha_schema_migrations"):
        down(world.project, world.url, domain="alpha", count=1)
    require_done(down(world.project, world.url, domain="beta", count=1))
    if found["back"]:
        execute(world.superuser, *found["back"])
    else:
        assert bgce("export", "golang-migrate", "--apply", cwd=world.project, env=env).code == 0
    world.require_true(found)
    assert bgce("drift", cwd=world.project, env=env).code == 0


@pytest.mark.postgres(18)
def test_a_new_file_below_the_row_is_told_and_no_drift(database: str, tmp_path: Path) -> None:
    world = World(tmp_path, database, "")
    require_done(up(world.project, world.url))
    world.write({"migrations/alpha/000015_x.up.sql": "SELECT 1;", "migrations/alpha/000015_x.down.sql": "SELECT 1;"})
    env = {"DATABASE_URL": world.url}
    assert re.search(r"never run alpha/000015 below it; `bgce-migrate up` does", bgce("status", cwd=world.project, env=env).err)
    require_done(down(world.project, world.url, domain="beta", count=1))
    assert bgce("drift", cwd=world.project, env=env).code == 0


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ("schema_migrations", "would be of alpha and of beta"),
        ("alpha{service}", "alphaalpha is a table of alpha itself"),
        ("a; drop table x", "is not a table's name"),
        ("{service}_" + "x" * 60, "at most 63 long"),
        ("", "is not a table's name"),
    ],
)
def test_a_name_that_cannot_be(said: str, message: str, tmp_path: Path) -> None:
    project = write(tmp_path, files(compat=COMPAT.replace("{service}_schema_migrations", said)))
    declared = project / "migrations/alpha/domain.toml"
    declared.write_text(declared.read_text().replace("[[services]]", "[tables.alphaalpha]\n[[services]]", 1))
    with pytest.raises(ConfigError) as caught:
        open_desk(project)
    assert message in str([caught.value.message, *caught.value.problems])
