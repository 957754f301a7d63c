"""Where words go: results to standard output, the rest to standard error; readers that go away; hostile text."""

from __future__ import annotations

import os
import subprocess
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bgce_migrate.commands.checkout import commit_of
from bgce_migrate.report.clean import Secrets, clean, one_line
from tests.cli.program import COMMAND, bgce, environment, write

pytestmark = pytest.mark.postgres(18)


def test_progress_is_not_the_result(shop: Path, database: str) -> None:
    answer = bgce("up", "-d", database, cwd=shop)
    assert [line.split()[:2] for line in answer.err.splitlines()] == [
        ["cortex/000001_create_users", "applied"],
        ["cortex/000002_add_bio", "applied"],
        ["postal/000001_create_posts", "applied"],
    ]
    assert answer.out.splitlines()[-1].startswith("3 applied in database")


@pytest.mark.parametrize("where", ["1>&-", "| true", "2>&1 | true", "2>&-", ">&- 2>&-"])
def test_a_reader_that_goes_away_does_not_stop_a_run(where: str, shop: Path, database: str) -> None:
    script = f"({' '.join(COMMAND)} up -d '{database}'; echo $? >code) {where}"
    done = subprocess.run(["bash", "-c", script], cwd=shop, env=environment(), capture_output=True, text=True)
    assert "Traceback" not in done.stdout + done.stderr
    assert "Exception ignored" not in done.stderr
    assert (shop / "code").read_text() == "0\n"
    assert bgce("status", "--check", "-d", database, cwd=shop).code == 0


def test_a_full_disk_under_standard_output_is_said(shop: Path, database: str) -> None:
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            [*COMMAND, "up", "--json", "-d", database], cwd=shop, env=environment(), stdout=full,
            stderr=subprocess.PIPE, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 2
    assert "could not be written" in done.stderr
    assert bgce("status", "--check", "-d", database, cwd=shop).code == 0


def test_output_survives_a_terminal_without_unicode(shop: Path, database: str) -> None:
    write(shop, {"migrations/postal/domain.toml": 'name = "postal"\ntitle = "Beiträge"\n'})
    answer = bgce("graph", cwd=shop, env={"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0", "LC_ALL": "C"})
    assert answer.code in (0, 3)
    assert "Traceback" not in answer.err


def test_notices_and_errors_of_the_server_do_not_drive_the_terminal(shop: Path, database: str) -> None:
    evil = "DO $$BEGIN RAISE EXCEPTION E'\\x1b]0;owned\\x07\\x1b[31mred\\u202e'; END$$;\n"
    write(shop, {"migrations/cortex/000001_create_users.up.sql": evil})
    answer = bgce("up", "-v", "-d", database, cwd=shop)
    assert answer.code == 5
    assert "\\x1b]0;owned\\x07" in answer.err
    for text in (answer.out, answer.err):
        assert not any(c in text for c in "\x1b\x07\u202e")


def test_hostile_file_names(tmp_path: Path, database: str) -> None:
    write(tmp_path / "db", {"1_a\x1b[31m\u202eb.up.sql": "SELECT 1;\n", "2_[bold]x[/].up.sql": "SELECT 2;\n"})
    for command in ("up", "status", "graph", "plan --explain"):
        answer = bgce("--migrations", "db", *command.split(), "-d", database, cwd=tmp_path)
        assert "\x1b" not in answer.out + answer.err
        assert "\u202e" not in answer.out + answer.err
        assert answer.code in (0, 2)


@given(st.text())
def test_clean_text_holds_nothing_a_terminal_obeys(text: str) -> None:
    for character in clean(text):
        assert character in "\n\t" or unicodedata.category(character)[0] not in "CZ" or character == " "
    assert "\n" not in one_line(text)


@given(st.text(alphabet=st.characters(exclude_categories=["C"]), min_size=6), st.text(), st.text())
def test_a_known_secret_never_survives(secret: str, before: str, after: str) -> None:
    secrets = Secrets()
    secrets.add(secret)
    if secret not in "***":
        masked = secrets.mask(f"{before}{secret}{after}")
        assert masked.count("***") >= 1


def test_the_password_of_any_url_is_masked() -> None:
    assert Secrets().mask("at postgresql://u:pw@h/d") == "at postgresql://u:***@h/d"


def git(folder: Path, *arguments: str) -> str:
    env = {**os.environ, "GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    who = ("-c", "user.name=t", "-c", "user.email=t@t")
    done = subprocess.run(["git", *who, *arguments], cwd=folder, env=env, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_commit_is_what_git_says(tmp_path: Path) -> None:
    assert commit_of(tmp_path) is None
    repository = tmp_path / "r"
    repository.mkdir()
    git(repository, "init", "-q")
    assert commit_of(repository) is None
    git(repository, "commit", "-q", "--allow-empty", "-m", "one")
    (repository / "deep/er").mkdir(parents=True)
    assert commit_of(repository / "deep/er") == git(repository, "rev-parse", "HEAD")
    git(repository, "pack-refs", "--all")
    assert commit_of(repository) == git(repository, "rev-parse", "HEAD")
    git(repository, "worktree", "add", "-q", "-b", "side", str(tmp_path / "w"))
    git(tmp_path / "w", "commit", "-q", "--allow-empty", "-m", "two")
    assert commit_of(tmp_path / "w") == git(tmp_path / "w", "rev-parse", "HEAD") != commit_of(repository)
    git(repository, "checkout", "-q", "--detach")
    assert commit_of(repository) == git(repository, "rev-parse", "HEAD")


def test_the_commit_is_recorded(shop: Path, database: str) -> None:
    git(shop, "init", "-q")
    git(shop, "commit", "-q", "--allow-empty", "-m", "one")
    assert bgce("up", "-d", database, cwd=shop).code == 0
    rows = bgce("history", "--json", "-d", database, cwd=shop).document["rows"]
    assert {row["git_commit"] for row in rows} == {git(shop, "rev-parse", "HEAD")}


def test_json_is_ascii(shop: Path) -> None:
    write(shop, {"migrations/cortex/domain.toml": 'name = "cortex"\ntitle = "Größe \u202e"\n[tables.users]\n'})
    answer = bgce("graph", "--json", cwd=shop)
    assert answer.out.isascii()
    assert answer.document["domains"][0]["title"].startswith("Größe")
