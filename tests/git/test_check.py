"""`check`: one answer about the whole project, in every state a repository can be in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.program import SHOP, write
from tests.git.repos import Site, empty, pair

BIO = "migrations/cortex/000002_add_bio.up.sql"
AGE = pair("cortex", 3, "add_age", "ALTER TABLE users ADD COLUMN age int;\n", "ALTER TABLE users DROP COLUMN age;\n")


def rules(site: Site, *words: str, code: int = 1) -> list[str]:
    answer = site.bgce("check", "--json", *words)
    assert answer.code == code, answer.out + answer.err
    assert answer.document["passed"] is (code == 0)
    return [f["rule"] for f in answer.document["findings"]]


def test_all_is_well(site: Site) -> None:
    assert rules(site, code=0) == []
    answer = site.bgce("check")
    assert answer.out.startswith("3 migrations of 2 domains are in order, compared with main at ")


def test_what_is_not_recorded(site: Site) -> None:
    site.write(AGE)
    answer = site.bgce("check")
    assert answer.code == 1
    assert "migrations/cortex/000003_add_age.up.sql: error: cortex/000003_add_age is not in bgce.lock" in answer.out
    assert "hint: bgce-migrate lock" in answer.out


def test_an_edit_is_said_once(site: Site) -> None:
    site.write({BIO: "ALTER TABLE users ADD COLUMN bio varchar(80);\n"})
    assert rules(site) == ["git-edited"]


def test_without_git_the_lock_file_tells_of_edits(tmp_path: Path) -> None:
    site = Site(write(tmp_path / "plain", SHOP))
    assert rules(site, code=0) == ["lock-none", "git-no-base"] or rules(site, code=0) == ["git-no-base", "lock-none"]
    site.lock()
    site.write({BIO: "ALTER TABLE users ADD COLUMN bio varchar(80);\n"})
    assert rules(site) == ["lock-edited", "git-no-base"]
    site.write({BIO: None, BIO.replace(".up.", ".down."): None})
    assert rules(site) == ["lock-gone", "git-no-base"]
    text = "ALTER TABLE users ADD COLUMN bio text;\n"
    site.write({BIO.replace("000002", "000005"): text, BIO.replace("000002", "000005").replace(".up.", ".down."): text})
    assert "lock-renumbered" in rules(site)


def test_an_undeclared_dependency_and_a_cycle_of_files_that_are_no_sql(site: Site) -> None:
    site.write(pair("cortex", 3, "posts", "ALTER TABLE users ADD FOREIGN KEY (id) REFERENCES posts (id);\n"))
    answer = site.bgce("check")
    assert answer.code == 1 and "[order]" in answer.out and "postal" in answer.out
    site.write(pair("cortex", 3, "posts", "ALTER TABEL users;\n"))
    answer = site.bgce("check")
    assert answer.code == 1 and "000003_posts.up.sql:1:7: error:" in answer.out and "[not-sql]" in answer.out


def test_declarations_that_cannot_be_read(site: Site) -> None:
    site.write({"migrations/cortex/domain.toml": "name = \n"})
    answer = site.bgce("check")
    assert answer.code == 2 and "domain.toml:1" in answer.err


def test_plugins_that_are_not_installed_are_left_out(site: Site) -> None:
    site.write({"bgce.toml": str(SHOP["bgce.toml"]).replace('name = "shop"', 'name = "shop"\nplugins = ["not_installed"]')})
    assert rules(site, code=0) == []
    assert site.bgce("status", "--embedded").code == 2


@pytest.mark.parametrize("fail_on,code", [("note", 1), ("warning", 0), ("error", 0)])
def test_the_weight_that_fails(tmp_path: Path, fail_on: str, code: int) -> None:
    site = Site(write(tmp_path / "plain", SHOP))
    assert "git-no-base" in rules(site, "--fail-on", fail_on, code=code)


def test_a_base_that_is_not_there(site: Site) -> None:
    answer = site.bgce("check", "--base", "nowhere")
    assert answer.code == 2 and "there is no such commit here" in answer.err


def test_a_plain_folder_is_not_compared(site: Site) -> None:
    site.write({"migrations/cortex/domain.toml": None})
    answer = site.bgce("check", "--migrations", "migrations/cortex")
    assert answer.code == 0, answer.out + answer.err


def test_before_the_first_commit(tmp_path: Path) -> None:
    site = empty(tmp_path / "new")
    site.write(SHOP)
    site.lock()
    assert rules(site, code=0) == ["git-no-base"]


def test_many_migrations_are_compared_quickly(site: Site) -> None:
    import time

    from bgce_migrate.repository import findings

    for number in range(3, 403):
        site.write(pair("cortex", number, f"c{number}", f"ALTER TABLE users ADD COLUMN c{number} int;\n" + "-- x\n" * 700))
    site.commit("many")
    desk = site.desk()
    start = time.process_time()
    repository, base = site.base()
    assert not [f for f in findings(desk.tree, repository, base) if f.rule != "git-lock-moved"]
    assert time.process_time() - start < 0.5
