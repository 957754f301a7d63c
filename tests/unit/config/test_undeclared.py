"""Plain golang-migrate trees become domains by their folders."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from bgce_migrate.config import read_migrations, undeclared
from bgce_migrate.errors import ConfigError
from tests.unit.config.tree import write

UP = "SELECT 1;\n"


def names(root: Path) -> list[str]:
    return [d.name for d in undeclared(root).domains]


def test_each_folder_with_files_is_a_domain(tmp_path: Path) -> None:
    files = {
        "b/1_x.up.sql": UP,
        "a/1_x.up.sql": UP,
        "docs/x.md": "",
        "c/readme.sql": "",
        ".git/1_x.up.sql": UP,
    }
    project = undeclared(write(tmp_path, files))
    assert [(d.name, d.rank, d.declared) for d in project.domains] == [("a", 0, False), ("b", 1, False)]
    assert not project.declared
    assert project.plugins == ()
    assert project.lock_path == tmp_path / "bgce.lock"
    assert project.notes[0].rule == "undeclared"
    assert "ownership rules are off" in project.notes[0].message
    assert [m.id.short for m in read_migrations(project.domains[0])] == ["a/000001"]


def test_a_folder_that_holds_the_files_itself_is_one_domain(tmp_path: Path) -> None:
    root = write(tmp_path / "orders", {"1_x.up.sql": UP, "old/1_x.up.sql": UP})
    project = undeclared(root)
    assert [d.name for d in project.domains] == ["orders"]
    assert [n.rule for n in project.notes] == ["undeclared", "nested-folder"]


def test_migrations_takes_its_parents_name(tmp_path: Path) -> None:
    files = {"cortex/migrations/1_x.up.sql": UP, "postal/migrations/1_x.up.sql": UP, "go/api/main.go": ""}
    assert names(write(tmp_path, files)) == ["cortex", "postal"]
    assert names(tmp_path / "cortex") == ["cortex"]
    assert names(tmp_path / "cortex" / "migrations") == ["cortex"]


def test_relative_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write(tmp_path, {"cortex/migrations/1_x.up.sql": UP})
    monkeypatch.chdir(tmp_path / "cortex" / "migrations")
    assert names(Path(".")) == ["cortex"]


def test_names_that_declared_domains_could_not_have(tmp_path: Path) -> None:
    files = {"my-service/1_x.up.sql": UP, "Größe/1_x.up.sql": UP, "pg_x/1_x.up.sql": UP, "a b/1_x.up.sql": UP}
    assert names(write(tmp_path, files)) == ["Größe", "a b", "my-service", "pg_x"]


def test_control_characters_are_refused(tmp_path: Path) -> None:
    write(tmp_path, {"a\x1b[31m/1_x.up.sql": UP, "b\u202ec/1_x.up.sql": UP, "ok/1_x.up.sql": UP})
    os.mkdir(os.fsencode(tmp_path) + b"/\xff")
    write(tmp_path / os.fsdecode(b"\xff"), {"1_x.up.sql": UP})
    with pytest.raises(ConfigError) as caught:
        undeclared(tmp_path)
    messages = [p.message for p in caught.value.problems]
    assert len(messages) == 3
    assert all(m.isascii() and m.isprintable() for m in messages)


def test_two_folders_of_one_name(tmp_path: Path) -> None:
    write(tmp_path, {"a/db/migrations/1_x.up.sql": UP, "b/DB/migrations/1_x.up.sql": UP})
    with pytest.raises(ConfigError, match=r"a/db/migrations and .*b/DB/migrations would be domains of names"):
        undeclared(tmp_path)


def test_down_files_alone_are_no_domain(tmp_path: Path) -> None:
    project = undeclared(write(tmp_path, {"a/1_x.up.sql": UP, "b/1_x.down.sql": UP}))
    assert [d.name for d in project.domains] == ["a"]
    assert [n.rule for n in project.notes] == ["undeclared", "down-without-up"]


def test_declarations_are_not_read(tmp_path: Path) -> None:
    project = undeclared(write(tmp_path, {"a/1_x.up.sql": UP, "a/domain.toml": "broken ="}))
    assert [d.name for d in project.domains] == ["a"]
    assert [n.rule for n in project.notes] == ["undeclared", "declaration-not-read"]


def test_links(tmp_path: Path) -> None:
    write(tmp_path, {"out/1_x.up.sql": UP, "root/a/1_x.up.sql": UP})
    (tmp_path / "root" / "again").symlink_to("a")
    (tmp_path / "root" / "loop").symlink_to(".")
    project = undeclared(tmp_path / "root")
    assert [d.name for d in project.domains] == ["a"]
    (tmp_path / "root" / "far").symlink_to(tmp_path / "out")
    with pytest.raises(ConfigError, match="is a link that leads out of"):
        undeclared(tmp_path / "root")
    (tmp_path / "door").symlink_to("out")
    assert names(tmp_path / "door") == ["door"]


@pytest.mark.parametrize("files", [{}, {"a/readme.md": ""}, {"a/1.sql": UP}])
def test_nothing_there(tmp_path: Path, files: dict[str, str | bytes]) -> None:
    with pytest.raises(ConfigError, match=r"holds no \*\.up\.sql"):
        undeclared(write(tmp_path, files))
    with pytest.raises(ConfigError, match="there is no folder"):
        undeclared(tmp_path / "gone")
