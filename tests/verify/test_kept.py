"""What is proven once is not proven again, and only what is asked for is proven."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from bgce_migrate.cli import execute
from bgce_migrate.desk import Desk
from bgce_migrate.errors import UsageError
from bgce_migrate.verify.run import Asked, Verified, prove
from bgce_migrate.verify.selection import chosen


def write(folder: Path, number: int, up: str, down: str) -> None:
    folder.mkdir(exist_ok=True)
    (folder / f"{number:06d}_x.up.sql").write_text(up)
    (folder / f"{number:06d}_x.down.sql").write_text(down)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for number in range(1, 15):
        write(tmp_path / "app", number, f"CREATE TABLE t{number} (i integer)", f"DROP TABLE t{number}")
    return tmp_path / "app"


def proven(folder: Path, asked: Asked) -> Verified:
    desk = Desk.load(folder, migrations=folder)
    return prove(desk.tree, desk.host, asked)


def test_only_what_changed_is_proven_again(folder: Path) -> None:
    asked = Asked(kept=True, whole=True)
    first = proven(folder, asked)
    assert not any(p.kept for p in first.proofs) and first.replayed == () and len(first.proofs) == 14
    write(folder, 7, "CREATE TABLE t7 (i integer)", "SELECT 7")
    write(folder, 15, "CREATE TABLE t15 (i integer)", "DROP TABLE t15")
    second = proven(folder, asked)
    # Nothing after it depends on a down.
    assert [p.id.version for p in second.proofs if not p.kept] == [7, 15]
    assert [p.verdict.value for p in second.proofs if p.verdict.value != "ok"] == ["differs"]
    third = proven(folder, asked)
    assert all(p.kept for p in third.proofs)
    assert [(p.verdict, p.differences, p.statements) for p in third.proofs] == [
        (p.verdict, p.differences, p.statements) for p in second.proofs
    ]
    write(folder, 9, "CREATE TABLE t9 (i bigint)", "DROP TABLE t9")
    fourth = proven(folder, asked)
    assert [p.id.version for p in fourth.proofs if not p.kept] == [9, 10, 11, 12, 13, 14, 15]


def test_words_choose(folder: Path) -> None:
    tree = Desk.load(folder, migrations=folder).tree

    def versions(*words: str) -> list[int]:
        return sorted(i.version for i in chosen(tree, words))

    assert versions("app/000003") == versions("3") == [3]
    assert versions("app/3..5") == versions("3..5") == versions("app/000003..app/000005") == [3, 4, 5]
    assert versions("app/12..") == versions("12..") == [12, 13, 14]
    assert versions("app/..2", "9") == [1, 2, 9]
    assert len(versions("app")) == 14
    for word in ("app/99", "99..", "else/3", "else", "app/x"):
        with pytest.raises(UsageError):
            chosen(tree, [word])


def test_a_range_and_a_change(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert execute(["verify", "app/3..4", "--migrations", "app", "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [m["version"] for m in document["migrations"]] == [3, 4] and document["replay"] is None
    git = ["git", "-c", "user.name=x", "-c", "user.email=x@x", "-c", "init.defaultBranch=main"]
    for words in (["init", "-q"], ["add", "app"], ["commit", "-q", "-m", "one"]):
        subprocess.run([*git, *words], check=True, cwd=folder.parent)
    write(folder, 5, "CREATE TABLE t5 (i integer)", "DROP TABLE IF EXISTS t5")
    write(folder, 15, "CREATE TABLE t15 (i integer)", "SELECT 1")
    assert execute(["verify", "--changed", "--base", "HEAD", "--migrations", "app", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert [(m["version"], m["verdict"]) for m in document["migrations"]] == [(5, "ok"), (15, "differs")]
    assert execute(["verify", "--changed", "--base", "nowhere", "--migrations", "app"]) == 2


def test_an_up_that_fails_before_what_is_asked_for(folder: Path) -> None:
    write(folder, 3, "CREATE TABLE t2 (i integer)", "SELECT 1")
    desk = Desk.load(folder, migrations=folder)
    found = prove(desk.tree, desk.host, Asked(chosen(desk.tree, ["app/14"])))
    assert [(p.id.version, p.verdict.value, p.message) for p in found.proofs] == [
        (3, "error", 'the up fails: relation "t2" already exists'), (14, "not_reached", ""),
    ]  # fmt: skip
