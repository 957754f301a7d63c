"""The way back: `export golang-migrate`, and the tool itself going on from our rows, where it is installed."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.cli.program import bgce
from tests.compat.scene import COMPAT, World, execute, files, pair
from tests.e2e.desks import down, require_done, up
from tests.e2e.scene import query


def without(mode: str, folder: Path, database: str) -> World:
    """A world whose rows nobody keeps."""
    return World(folder, database, mode, **{"bgce.toml": files(mode or "role", compat="")["bgce.toml"]})


@pytest.mark.postgres(18)
def test_what_it_prints_makes_the_tables(database: str, tmp_path: Path) -> None:
    world, env = without("", tmp_path, database), {}
    env["DATABASE_URL"] = world.url
    require_done(up(world.project, world.url, domain="alpha"))
    require_done(up(world.project, world.url, domain="beta", limit=1))
    answer = bgce("export", "golang-migrate", cwd=world.project, env=env)
    assert answer.code == 0, answer.err
    assert "-- alpha: version 30; migrate -path migrations/alpha -database 'URL?x-migrations-table=alpha_schema_migrations' up" in answer.out
    for _ in range(2):  # whatever is there
        execute(world.url, answer.out)
        assert world.all_rows() == world.expected() == {"alpha": [(30, False)], "beta": [(10, False)], "gamma": []}
    document = bgce("export", "golang-migrate", "--domain", "beta", "--json", cwd=world.project, env=env).document
    assert document["schema"] == "bgce-migrate/export-golang-migrate/1" and not document["written"]
    (table,) = document["tables"]
    assert (table["domain"], table["table"], table["version"], table["dirty"]) == ("beta", "public.beta_schema_migrations", 10, False)


@pytest.mark.postgres(18)
def test_apply_writes_them_under_the_lock(database: str, tmp_path: Path) -> None:
    world = without("", tmp_path, database)
    require_done(up(world.project, world.url))
    env = {"DATABASE_URL": world.url}
    assert bgce("export", "golang-migrate", "--apply", cwd=world.project, env=env).out.count("says version 30") == 3
    world.require_true("written")
    said = bgce("export", "golang-migrate", "--apply", "--table", "schema_migrations", cwd=world.project, env=env)
    assert said.code == 2 and "one table for 3 domains: alpha, beta, gamma" in said.err
    one = ("export", "golang-migrate", "--apply", "--table", "public.schema_migrations", "--domain", "gamma")
    assert bgce(*one, cwd=world.project, env=env).code == 0
    assert query(world.url, "SELECT version, dirty FROM schema_migrations") == [(30, False)]
    assert bgce("export", "golang-migrate", "--table", 'x"; DROP', cwd=world.project, env=env).code == 2


@pytest.mark.postgres(16)
def test_in_layout_guarded_an_administrator_makes_them(database: str, tmp_path: Path) -> None:
    world = without("role", tmp_path, database)
    require_done(up(world.project, world.url))
    env = {"DATABASE_URL": world.url}
    refused = bgce("export", "golang-migrate", "--apply", cwd=world.project, env=env)
    assert refused.code == 3 and "bgce_migrator cannot write" in refused.err and "bootstrap" in refused.err
    assert world.query("SELECT to_regclass('alpha_schema_migrations')::text") == [(None,)]
    world.write({"bgce.toml": files("role")["bgce.toml"]})
    world.bootstrap()
    assert bgce("export", "golang-migrate", "--apply", cwd=world.project, env=env).code == 0
    world.require_true("written")


@pytest.mark.postgres(18)
def test_refused_by_name_where_golang_migrate_could_not_go_on(database: str, tmp_path: Path) -> None:
    world = without("", tmp_path, database)
    require_done(up(world.project, world.url))
    env = {"DATABASE_URL": world.url}
    world.write(pair("alpha", 15))
    for file in (world.project / "migrations/beta").glob("000020_*"):
        file.unlink()
    world.write({
        "migrations/gamma/000040_i.up.sql": "CREATE INDEX CONCURRENTLY nowhere_v ON nowhere (v);",
        "migrations/gamma/000040_i.down.sql": "DROP INDEX CONCURRENTLY nowhere_v;",
    })  # fmt: skip
    assert up(world.project, world.url, domain="gamma").exit_code != 0
    for words in ((), ("--apply",)):
        answer = bgce("export", "golang-migrate", *words, cwd=world.project, env=env)
        assert answer.code == 3
        for name in ("alpha/000015_t is not applied", "beta/000020_t is applied, but its file is not here", "gamma/000040 is half done"):
            assert name in answer.err, name
    assert "alpha/000015" in bgce("export", "golang-migrate", "--domain", "alpha", cwd=world.project, env=env).err


def migrate(world: World, domain: str, *words: str) -> str:
    """golang-migrate's own command line, as the login that owns everything; what it says of itself."""
    program = shutil.which("migrate")
    if program is None:
        pytest.skip("migrate is not installed")
    p = conninfo_to_dict(world.url)
    url = f"postgres://{p['user']}:{p['password']}@{p['host']}:{p['port']}/{p['dbname']}?sslmode=disable&x-migrations-table={domain}_schema_migrations"
    done = subprocess.run(
        [program, "-path", str(world.project / "migrations" / domain), "-database", url, *words],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return re.sub(r" \([0-9.]+[mµ]?s\)", "", done.stdout + done.stderr).strip()


@pytest.mark.postgres(18)
def test_golang_migrate_itself_goes_on_from_our_rows(database: str, tmp_path: Path) -> None:
    versions = (10, 20, 30, 40, 50)
    # Names that cannot be made twice: whoever ran one again would fail.
    bare = {name: text.replace("IF NOT EXISTS ", "").replace("IF EXISTS ", "") for name, text in files(versions=versions).items()}
    world = World(tmp_path, database, "", **bare)
    assert migrate(world, "alpha", "version") == "error: no migration"
    require_done(up(world.project, world.url, domain="alpha", limit=3))
    assert migrate(world, "alpha", "version") == "30"
    assert migrate(world, "alpha", "up") == "40/u t\n50/u t"
    assert world.rows("alpha") == [(50, False)]
    env = {"DATABASE_URL": world.url}
    assert "golang-migrate" not in bgce("status", cwd=world.project, env=env).err
    refused = bgce("up", cwd=world.project, env=env)
    assert refused.code == 3 and "says version 50, history says version 30" in refused.err
    # History is told what that tool has done; then ours goes down and up, and that tool finds every row true.
    assert bgce("force", "50", "--domain", "alpha", cwd=world.project, env=env).code == 0
    require_done(down(world.project, world.url, domain="alpha", count=2))
    assert migrate(world, "alpha", "version") == "30"
    assert migrate(world, "alpha", "down", "1") == "30/d t"
    assert migrate(world, "alpha", "up", "1") == "30/u t"
    require_done(up(world.project, world.url))
    for domain in ("alpha", "beta", "gamma"):
        assert migrate(world, domain, "version") == "50"
        assert migrate(world, domain, "up") == "no change"
    require_done(down(world.project, world.url, domain="beta", count=5))
    assert migrate(world, "beta", "version") == "error: no migration"
    assert migrate(world, "beta", "up").splitlines()[-1] == "50/u t"


@pytest.mark.postgres(18)
def test_golang_migrate_stops_where_we_say_dirty(database: str, tmp_path: Path) -> None:
    world = World(tmp_path, database, "")
    world.write({
        "migrations/alpha/000040_i.up.sql": "CREATE INDEX CONCURRENTLY nowhere_v ON nowhere (v);",
        "migrations/alpha/000040_i.down.sql": "DROP INDEX CONCURRENTLY nowhere_v;",
    })  # fmt: skip
    assert up(world.project, world.url, domain="alpha").exit_code != 0
    assert "Dirty database version 40. Fix and force version." in migrate(world, "alpha", "up")


@pytest.mark.postgres(18)
def test_after_an_export_golang_migrate_goes_on(database: str, tmp_path: Path) -> None:
    world = without("", tmp_path, database)
    require_done(up(world.project, world.url, limit=2, domain="alpha"))
    env = {"DATABASE_URL": world.url}
    assert bgce("export", "golang-migrate", "--apply", cwd=world.project, env=env).code == 0
    assert migrate(world, "alpha", "up") == "30/u t"
    assert migrate(world, "gamma", "up") == "10/u t\n20/u t\n30/u t"
    assert COMPAT not in (world.project / "bgce.toml").read_text()
