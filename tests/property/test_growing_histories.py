"""Honest histories of several domains, grown in batches and applied step by step, replay to the same schema."""

from __future__ import annotations

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from msgspec.structs import replace

from bgce_migrate.desk import Desk
from bgce_migrate.planning import Selection, plan_up
from tests.e2e.desks import require_done, up
from tests.e2e.platform import bootstrap, copy_platform
from tests.e2e.scene import dump, make_owner
from tests.property.growing import Growing
from tests.property.worlds import World
from tests.servers import DatabaseMaker, as_superuser, start_server

MAJORS = {18: "pg18", 16: "pg16"}
AT_ONCE = 5


@pytest.fixture
def maker(request: pytest.FixtureRequest, server_root: Path) -> Iterator[DatabaseMaker]:
    """Databases on the major that the test's parameter names."""
    major = request.param
    chosen = request.config.getoption("--pg")
    if chosen and major not in chosen:
        pytest.skip(f"PostgreSQL {major} was not asked for")
    made = DatabaseMaker(start_server(server_root, major))
    yield made
    made.clean()


def grow_and_compare(seed: int, root: Path, maker: DatabaseMaker) -> int:
    """One history; returns how many steps it had."""
    rng = random.Random(seed)
    root.mkdir()
    growing = Growing(root, World(rng, rng.randint(2, 5)), rng)
    growing.start()
    guarded = seed % 2 == 0
    old, fresh = maker(), maker()
    admin = {url: make_owner(url, "admin", "CREATEROLE") for url in (old, fresh)}
    address = {url: bootstrap(root, url, admin[url]).url if guarded else admin[url] for url in (old, fresh)}
    for _ in range(rng.randint(2, 5)):
        growing.add(rng.randint(1, 8))
        require_done(up(root, address[old], jobs=rng.choice((1, 1, 3))))
    report = require_done(up(root, address[fresh], jobs=rng.choice((1, 3))))
    # Not rights: granted little by little, they are kept by column where one step gives the whole table.
    assert dump(as_superuser(old), owners=guarded, rights=False) == dump(as_superuser(fresh), owners=guarded, rights=False)
    return len(report.steps)


def run_seeds(first: int, count: int, folder: Path, maker: DatabaseMaker) -> None:
    """Many histories; a failing seed is named: `grow_and_compare(SEED, ...)` repeats it."""
    failed: dict[int, Exception] = {}
    for seed in range(first, first + count):
        try:
            grow_and_compare(seed, folder / str(seed), maker)
        except Exception as error:
            failed[seed] = error
        maker.clean()
    for seed, reason in failed.items():
        print(f"seed {seed}: {type(reason).__name__}: {reason}")
    assert not failed, f"seeds {sorted(failed)}"


def portions(first: int, count: int, size: int) -> list[object]:
    """Parameters that share the seeds out between the majors and the workers."""
    return [
        pytest.param(major, start, size, id=f"{name}-{start}")
        for number, (major, name) in enumerate(MAJORS.items())
        for start in range(first + number * size, first + count, len(MAJORS) * size)
    ]


@pytest.mark.parametrize(("maker", "first", "count"), portions(0, 50, AT_ONCE), indirect=["maker"])
def test_growing_and_fresh_databases_are_equal(
    first: int, count: int, tmp_path: Path, maker: DatabaseMaker
) -> None:
    run_seeds(first, count, tmp_path, maker)


@pytest.mark.slow
@pytest.mark.parametrize(("maker", "first", "count"), portions(1000, 500, 25), indirect=["maker"])
def test_five_hundred_more(first: int, count: int, tmp_path: Path, maker: DatabaseMaker) -> None:
    run_seeds(first, count, tmp_path, maker)


def test_load_order_does_not_matter(tmp_path: Path) -> None:
    tree = Desk.load(copy_platform(tmp_path)).tree
    rng = random.Random(1)
    found = set()
    for _ in range(100):
        files, domains = list(tree.migrations.items()), list(tree.project.domains)
        rng.shuffle(files)
        rng.shuffle(domains)
        shuffled = replace(tree, project=replace(tree.project, domains=tuple(domains)), migrations=dict(files))
        found.add(plan_up(shuffled, None, Selection()).plan.fingerprint)
    assert len(found) == 1
