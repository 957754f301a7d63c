"""CODEOWNERS from the declarations: the shipped file, people's own lines, odd folders, and `--check`."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from bgce_migrate.config.project import CodeOwners
from bgce_migrate.domain import Domain
from bgce_migrate.errors import Refused
from bgce_migrate.report.codeowners import BEGIN, END, differences, ownership, placed
from tests.cli.program import REPOSITORY, SHOP, bgce, write
from tests.ownership.shipped import shipped

TEAMS = '[codeowners]\nowner = "@shop/{team}"\n[codeowners.teams]\nplatform = "@shop/core  @someone"\n'


def shop(folder: Path, more: str = TEAMS) -> Path:
    files = {**SHOP, "bgce.toml": f'{SHOP["bgce.toml"]}{more}'}  # type: ignore[str-bytes-safe]
    for name, team in (("cortex", "platform"), ("postal", "content")):
        key = f"migrations/{name}/domain.toml"
        files[key] = str(files[key]).replace("\n", f'\nteam = "{team}"\n', 1)
    return write(folder, files)


def test_the_shipped_file_says_what_the_declarations_say(tmp_path: Path) -> None:
    answer = bgce("codeowners", "--check", cwd=shipped(tmp_path))
    assert answer.code == 0, answer.out + answer.err
    text = (REPOSITORY / ".github/CODEOWNERS").read_text()
    assert "/migrations/cortex/       @bgce-archive/platform\n" in text
    assert text.count("\n/migrations/") == 11


def test_written_checked_and_kept(tmp_path: Path) -> None:
    folder = shop(tmp_path)
    answer = bgce("codeowners", "--check", cwd=folder)
    assert (answer.code, "hint: bgce-migrate codeowners" in answer.err) == (1, True)
    assert not (folder / ".github").exists()
    assert bgce("codeowners", cwd=folder).code == 0
    file = folder / ".github/CODEOWNERS"
    lines = ["/migrations/cortex/  @shop/core @someone", "/migrations/postal/  @shop/content"]
    assert file.read_text().splitlines() == [BEGIN, *lines, END]
    file.write_text("*  @shop/all\n\n" + file.read_text() + "/docs/  @shop/writers\n")
    before = file.read_text()
    assert bgce("codeowners", "--check", cwd=folder).code == 0
    toml = folder / "migrations/postal/domain.toml"
    toml.write_text(toml.read_text().replace("content", "mail"))
    changed = bgce("codeowners", "--check", "--json", cwd=folder)
    assert changed.code == 1
    assert changed.document["changes"] == ["-/migrations/postal/  @shop/content", "+/migrations/postal/  @shop/mail"]
    assert file.read_text() == before
    assert bgce("codeowners", cwd=folder).code == 0
    assert file.read_text() == before.replace("@shop/content", "@shop/mail")


def test_the_repository_may_begin_above(tmp_path: Path) -> None:
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    folder = shop(tmp_path / "services" / "database one")
    assert bgce("codeowners", cwd=folder).code == 0
    assert "/services/database\\ one/migrations/cortex/  @shop/core @someone" in (folder / ".github/CODEOWNERS").read_text()


def test_who_the_teams_are_must_be_said(tmp_path: Path) -> None:
    answer = bgce("codeowners", cwd=shop(tmp_path, ""))
    assert answer.code == 2
    assert 'hint: [codeowners] owner = "@organisation/{team}"' in answer.err
    one = bgce("codeowners", "--json", cwd=shop(tmp_path, '[codeowners.teams]\nplatform = "@me"\n'))
    assert one.document["without"] == [{"domain": "postal", "reason": "nobody says who team content is"}]
    wrong = bgce("codeowners", cwd=shop(tmp_path, '[codeowners]\nowner = "everybody"\nfile = "../x"\n'))
    assert wrong.code == 2
    assert "'everybody' is not @user, @organisation/team or an address" in wrong.err
    assert "'../x' is not the name of a file below this one" in wrong.err


@pytest.mark.parametrize(("name", "pattern"), [
    ("plain", "/plain/"), ("two words", "/two\\ words/"), ("a[1]*#!", "/a?1????/"), ("über", "/über/"),
])  # fmt: skip
def test_folders_that_patterns_read_otherwise(name: str, pattern: str, tmp_path: Path) -> None:
    domain = Domain("a", tmp_path / name, team="x")
    assert ownership(tmp_path, [domain], CodeOwners(owner="@{team}")).lines == ((pattern, "@x"),)


def test_domains_without_a_line(tmp_path: Path) -> None:
    away = Domain("away", Path("/elsewhere/away"), team="x")
    nameless = Domain("nameless", tmp_path / "b", rank=1)
    owned = ownership(tmp_path, [nameless, away], CodeOwners(owner="@{team}"))
    assert owned.lines == ()
    assert owned.without == (
        ("away", "its files are not in this repository"), ("nameless", "its declaration names no team"),
    )  # fmt: skip


@pytest.mark.parametrize("text", [f"{BEGIN}\n", f"{END}\n", f"{END}\n{BEGIN}\n", f"{BEGIN}\n{BEGIN}\n{END}\n"])
def test_marks_that_somebody_broke(text: str, tmp_path: Path) -> None:
    owned = ownership(tmp_path, [Domain("a", tmp_path / "a", team="x")], CodeOwners(owner="@{team}"))
    with pytest.raises(Refused, match="one begin and one end"):
        placed(text, owned)
    once = placed("* @all", owned)
    assert once.startswith(f"* @all\n\n{BEGIN}\n")
    assert placed(once, owned) == once
    assert differences(once, once) == []
