"""Commands that change history without `up` and `down`: they keep the rows, too."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import bgce
from tests.compat.scene import World, execute
from tests.e2e.desks import require_done, up
from tests.e2e.scene import MakeDatabase

TABLE = "(version bigint not null primary key, dirty boolean not null)"


@pytest.mark.postgres(18)
def test_adopt_finds_the_row_and_leaves_it_true(make_database: MakeDatabase, tmp_path: Path) -> None:
    world = World(tmp_path, make_database(), "")
    execute(
        world.url, f"CREATE TABLE alpha_schema_migrations {TABLE}", "INSERT INTO alpha_schema_migrations VALUES (20, false)",
        "CREATE TABLE alpha_10 (id int PRIMARY KEY)", "CREATE TABLE alpha_20 (id int PRIMARY KEY)",
    )  # fmt: skip
    answer = bgce("adopt", "--yes", cwd=world.project, env={"DATABASE_URL": world.url}, timeout=120)
    assert answer.code == 0, answer.err
    world.require_true("adopted")
    assert world.rows("alpha") == [(20, False)]
    require_done(up(world.project, world.url))
    assert set(map(str, world.all_rows().values())) == {"[(30, False)]"}


@pytest.mark.postgres(16)
@pytest.mark.parametrize("mode", ["", "role"], ids=["plain", "guarded"])
def test_a_deployment_that_fails_takes_its_rows_back(mode: str, database: str, tmp_path: Path) -> None:
    world = World(tmp_path, database, mode)
    require_done(up(world.project, world.url, limit=1, domain="alpha"))
    require_done(up(world.project, world.url, limit=2, domain="beta"))
    before = world.all_rows()
    words = ("deploy", "--domain", "alpha", "--deployment", "d1", "--undo=all", "--accept-data-loss", "--", "false")
    answer = bgce(*words, cwd=world.project, env={"DATABASE_URL": world.url}, timeout=120)
    assert answer.code != 0
    assert world.query("SELECT count(*) FROM bgce_migrate.migration_history WHERE direction = 'down'") == [(2,)], answer.err
    assert world.all_rows() == before == world.expected()


@pytest.mark.postgres(18)
def test_drop_empties_them(database: str, tmp_path: Path) -> None:
    world = World(tmp_path, database, "role")
    require_done(up(world.project, world.url))
    name = str(world.query("SELECT current_database()")[0][0])
    assert bgce("drop", "--name", name, cwd=world.project, env={"DATABASE_URL": world.url}).code == 0
    assert world.all_rows() == {"alpha": [], "beta": [], "gamma": []} == world.expected()
