"""What one step does to its domain's row: with its own COMMIT or not at all, dirty while a journaled file is half done."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from psycopg.conninfo import make_conninfo

from bgce_migrate.apply.context import RunInfo
from tests.cli.program import start
from tests.compat.scene import COMPAT, World, execute, files, pair
from tests.e2e.desks import OPTIONS, address, down, open_desk, require_done, up
from tests.e2e.scene import write
from tests.proxy import Proxy

LAYOUTS = pytest.mark.parametrize("mode", ["", "role"], ids=["plain", "guarded"])
LATE_REFUSAL = """
CREATE TABLE late (id int);
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'not today'; END $$;
CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON late DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse();
INSERT INTO late VALUES (1);
"""
INDEX = "CREATE UNIQUE INDEX CONCURRENTLY alpha_10_v ON alpha_10 (v);\n"


@LAYOUTS
@pytest.mark.parametrize("text", ["SELECT 1 / 0;", LATE_REFUSAL], ids=["a statement fails", "COMMIT fails"])
def test_a_step_that_fails_leaves_the_row_alone(text: str, mode: str, database: str, tmp_path: Path) -> None:
    world = World(tmp_path, database, mode, **{"migrations/alpha/000020_t.up.sql": text})
    report = up(world.project, world.url, jobs=1)
    assert report.exit_code == 5
    assert world.rows("alpha") == [(10, False)]
    world.require_true(report.result)
    world.write(pair("alpha", 20))
    require_done(up(world.project, world.url))
    assert world.rows("alpha") == [(30, False)]


@LAYOUTS
def test_a_row_falls_back_for_a_late_version_and_comes_back_with_it(mode: str, database: str, tmp_path: Path) -> None:
    world = World(tmp_path, database, mode, **{"migrations/alpha/000030_t.up.sql": "CREATE TABLE alpha_30 ();"})
    require_done(up(world.project, world.url))
    world.write({**pair("alpha", 15), "migrations/alpha/000015_t.up.sql": "SELECT 1 / 0;"})
    require_done(down(world.project, world.url, domain="alpha", count=1))
    assert world.rows("alpha") == [(10, False)], "20 is applied, but 15 would be skipped"
    assert up(world.project, world.url).exit_code == 5
    assert world.rows("alpha") == [(10, False)]
    world.write(pair("alpha", 15))
    require_done(up(world.project, world.url))
    assert world.rows("alpha") == [(30, False)]
    for file in (world.project / "migrations/alpha").glob("*.sql"):
        file.unlink()
    require_done(down(world.project, world.url, domain="alpha", count=2))
    assert world.rows("alpha") == [(20, False)], "30 and 15 were the last; without a file nobody misses 15"
    world.require_true("the files are gone")
    require_done(down(world.project, world.url, domain="alpha", count=2))
    assert world.rows("alpha") == []


@LAYOUTS
def test_a_journaled_file_is_dirty_while_it_is_half_done(mode: str, database: str, tmp_path: Path) -> None:
    index = {"migrations/alpha/000020_t.up.sql": INDEX, "migrations/alpha/000020_t.down.sql": "DROP INDEX CONCURRENTLY alpha_10_v;\n"}
    table = {"migrations/alpha/000010_t.up.sql": "CREATE TABLE alpha_10 (v int); INSERT INTO alpha_10 VALUES (1), (1);"}
    world = World(tmp_path, database, mode, **index, **table)
    assert up(world.project, world.url, domain="alpha").exit_code != 0
    assert world.rows("alpha") == [(20, True)], "as golang-migrate leaves it: dirty, with the version it goes to"
    assert world.rows("beta") == []
    desk = open_desk(world.project)
    with desk.open(address(desk, world.url)) as target:
        desk.repair(target, RunInfo.new("repair"), OPTIONS.limits, forget_journal="alpha/20")
    assert world.rows("alpha") == [(10, False)]
    execute(world.superuser, "DELETE FROM alpha_10")
    require_done(up(world.project, world.url))
    assert world.rows("alpha") == [(30, False)]
    require_done(down(world.project, world.url, domain="alpha", count=1))
    execute(world.superuser, "DROP INDEX alpha_10_v")
    assert down(world.project, world.url, domain="alpha", count=1).exit_code != 0
    assert world.rows("alpha") == [(10, True)]
    world.query("CREATE UNIQUE INDEX alpha_10_v ON alpha_10 (v)")
    world.query(f"ALTER TABLE alpha_10 OWNER TO {'alpha_owner' if mode else 'app'}")
    require_done(down(world.project, world.url, domain="alpha", count=1))
    assert world.rows("alpha") == [(10, False)]


@pytest.mark.postgres(16)
def test_the_first_one_half_done_is_what_golang_migrate_calls_nil(database: str, tmp_path: Path) -> None:
    world = World(tmp_path, database, "")
    execute(world.superuser, "CREATE TABLE lone (v int)", "INSERT INTO lone VALUES (1), (1)", "ALTER TABLE lone OWNER TO app")
    for version in (20, 30):
        for file in (world.project / "migrations/alpha").glob(f"{version:06}_*"):
            file.unlink()
    world.write({
        "migrations/alpha/000010_t.up.sql": "CREATE INDEX CONCURRENTLY lone_v ON lone (v);",
        "migrations/alpha/000010_t.down.sql": "DROP INDEX CONCURRENTLY lone_v;",
    })  # fmt: skip
    require_done(up(world.project, world.url))
    assert world.rows("alpha") == [(10, False)]
    execute(world.superuser, "DROP INDEX lone_v")
    assert down(world.project, world.url, domain="alpha", count=1).exit_code != 0
    assert world.rows("alpha") == [(-1, True)]


@pytest.mark.postgres(18)
def test_killed_at_any_moment_the_row_is_what_history_says(database: str, tmp_path: Path) -> None:
    world = World(tmp_path, database, "")
    for version in range(100, 180):
        world.write(pair("beta", version))
    for pause in (0.0, 0.05, 0.15):
        _kill(world, pause)
        world.require_true(f"killed {pause} s after its first step")
        assert len(world.expected()["beta"]) <= 1
    require_done(up(world.project, world.url))
    assert world.rows("beta") == [(179, False)]


def _kill(world: World, pause: float) -> None:
    """`up` as a program of its own, killed some seconds after its first step; returns when the server has noticed."""
    before = _count(world)
    process = start("up", cwd=world.project, env={"DATABASE_URL": world.url})
    _until(lambda: _count(world) > before or process.poll() is not None)
    time.sleep(pause)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    ours = "SELECT count(*) FROM pg_stat_activity WHERE application_name LIKE 'bgce-migrate%' AND datname = current_database()"
    _until(lambda: world.query(ours) == [(0,)])


def _count(world: World) -> int:
    if world.query("SELECT to_regclass('bgce_migrate.migration_history') IS NULL") == [(True,)]:
        return 0  # the run that is to be killed makes it
    return int(str(world.query("SELECT count(*) FROM bgce_migrate.migration_history")[0][0]))


def _until(met: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not met():
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.postgres(18)
def test_a_step_stays_two_round_trips(database: str, proxy: Proxy, tmp_path: Path) -> None:
    """Without [compat] nothing more is ever sent; with it a run asks at its start, and no step sends anything by itself."""

    def took(compat: str, name: str, count: int) -> int:
        project = write(tmp_path / f"{name}{count}", files(versions=tuple(range(1, count + 1)), compat=compat.replace("schema", f"{name}{count}")))
        schema = f'bookkeeping_schema = "{name}{count}"\n'
        write(project, {"bgce.toml": (project / "bgce.toml").read_text().replace('mode = "role"\n', 'mode = "role"\n' + schema)})
        require_done(up(project, world.url, limit=1))
        before = proxy.round_trips
        require_done(up(project, make_conninfo(world.url, host="127.0.0.1", port=proxy.port)))
        return proxy.round_trips - before

    world = World(tmp_path, database, "")
    without = took("", "without", 8) - took("", "without", 2)
    kept = took(COMPAT, "kept", 8) - took(COMPAT, "kept", 2)
    assert abs(kept - without) <= 2, (kept, without)
