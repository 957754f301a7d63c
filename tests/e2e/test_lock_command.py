"""`bgce.lock` while one is still at work: unlocked, edited, accepted."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgce_migrate.desk import Desk
from bgce_migrate.errors import Refused
from bgce_migrate.scaffold import init


@pytest.fixture
def project(tmp_path: Path) -> Path:
    init(tmp_path)
    folder = tmp_path / "migrations" / "alpha"
    folder.mkdir(parents=True)
    (folder / "domain.toml").write_text('name = "alpha"\n[tables.a]\n[tables.b]\n')
    (folder / "000001_a.up.sql").write_text("CREATE TABLE a (id int PRIMARY KEY);\n")
    (folder / "000001_a.down.sql").write_text("DROP TABLE a;\n")
    return tmp_path


def lock(root: Path, **how: bool) -> int:
    return len(Desk.load(root).lock(**how).added)


def test_an_edit_after_locking_is_refused_until_it_is_accepted(project: Path) -> None:
    assert lock(project) == 1
    up = project / "migrations" / "alpha" / "000001_a.up.sql"
    up.write_text("CREATE TABLE a (id bigint PRIMARY KEY);\n")
    with pytest.raises(Refused, match="edited after it was locked"):
        lock(project)
    with pytest.raises(Refused, match="edited after it was locked"):
        Desk.load(project).plan(None, allow_unlocked=True)
    before = [line.id for line in Desk.load(project).tree.lock.lines]  # type: ignore[union-attr]
    assert lock(project, accept_edited=True) == 0
    assert [line.id for line in Desk.load(project).tree.lock.lines] == before  # type: ignore[union-attr]
    assert len(Desk.load(project).plan(None).plan.steps) == 1


def test_a_comment_does_not_count_as_an_edit(project: Path) -> None:
    lock(project)
    up = project / "migrations" / "alpha" / "000001_a.up.sql"
    up.write_text("-- why\n" + up.read_text())
    assert len(Desk.load(project).plan(None).plan.steps) == 1
    assert lock(project) == 0


def test_new_ones_may_be_planned_before_they_are_locked(project: Path) -> None:
    lock(project)
    folder = project / "migrations" / "alpha"
    (folder / "000002_b.up.sql").write_text("CREATE TABLE b (id int PRIMARY KEY REFERENCES a);\n")
    (folder / "000002_b.down.sql").write_text("DROP TABLE b;\n")
    with pytest.raises(Refused, match="not in bgce.lock"):
        Desk.load(project).plan(None)
    assert [s.id.short for s in Desk.load(project).plan(None, allow_unlocked=True).plan.steps] == [
        "alpha/000001",
        "alpha/000002",
    ]
    assert lock(project) == 1


def test_removed_files_are_named(project: Path) -> None:
    lock(project)
    for path in (project / "migrations" / "alpha").glob("000001*"):
        path.unlink()
    with pytest.raises(Refused, match="locked, but its file is gone"):
        lock(project)
    assert lock(project, accept_edited=True) == 0
