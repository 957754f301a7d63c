"""`renumber` mends what two branches with one number make, and never touches what the target branch has."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.git.repos import Site, pair

AGE = pair("cortex", 3, "add_age", "ALTER TABLE users ADD COLUMN age int;\n", "ALTER TABLE users DROP COLUMN age;\n")
CITY = pair("cortex", 3, "add_city", "ALTER TABLE users ADD COLUMN city text;\n", "ALTER TABLE users DROP COLUMN city;\n")
ZIP = pair("cortex", 4, "add_zip", "ALTER TABLE users ADD COLUMN zip text;\n", "ALTER TABLE users DROP COLUMN zip;\n")
VIEW = pair(
    "postal", 2, "ages",
    "-- bgce: requires cortex/000003\n-- bgce: requires cortex/1, cortex/3_add_age\nCREATE VIEW ages AS SELECT age FROM users;\n",
    "DROP VIEW ages;\n",
)  # fmt: skip


@pytest.fixture
def collided(site: Site) -> Site:
    """On branch feature: age and zip of ours, city merged in from main; the lock file merged by union."""
    site.git("checkout", "-q", "-b", "feature")
    site.write({**AGE, **ZIP, **VIEW})
    site.lock()
    site.commit("mine")
    site.git("checkout", "-q", "main")
    site.write(CITY)
    site.lock()
    site.commit("theirs")
    site.git("checkout", "-q", "feature")
    site.git("merge", "-q", "-m", "merge", "main")
    return site


def lock_ids(site: Site) -> list[str]:
    return [line.split()[0] for line in (site.root / "bgce.lock").read_text().splitlines() if not line.startswith("#")]


def names(site: Site, folder: str = "cortex") -> set[str]:
    return {p.name for p in (site.root / "migrations" / folder).glob("*.up.sql")}


def test_the_collision_is_said_with_the_command_that_mends_it(collided: Site) -> None:
    answer = collided.bgce("check")
    assert answer.code == 2
    assert "000003_add_age.up.sql" in answer.err and "000003_add_city.up.sql" in answer.err
    assert "hint: bgce-migrate renumber cortex" in answer.err


def test_ours_moves_behind_theirs_and_keeps_its_order(collided: Site) -> None:
    answer = collided.bgce("renumber", "cortex")
    assert answer.code == 0, answer.err
    assert "cortex/000003_add_age -> cortex/000004_add_age" in answer.out
    assert "cortex/000004_add_zip -> cortex/000005_add_zip" in answer.out
    assert names(collided) == {
        "000001_create_users.up.sql", "000002_add_bio.up.sql", "000003_add_city.up.sql",
        "000004_add_age.up.sql", "000005_add_zip.up.sql",
    }  # fmt: skip
    text = (collided.root / "migrations/postal/000002_ages.up.sql").read_text()
    assert text.startswith("-- bgce: requires cortex/000004\n-- bgce: requires cortex/1, cortex/4_add_age\n")
    assert lock_ids(collided) == [
        "cortex/000001_create_users", "cortex/000002_add_bio", "postal/000001_create_posts", "cortex/000003_add_city",
        "cortex/000004_add_age", "cortex/000005_add_zip", "postal/000002_ages",
    ]  # fmt: skip
    # Moved as `git mv` does.
    assert "R  migrations/cortex/000003_add_age.up.sql -> migrations/cortex/000004_add_age.up.sql" in collided.git(
        "status", "--porcelain"
    )
    assert collided.bgce("lock", "--check").code == 0
    collided.commit("mended")
    answer = collided.bgce("check")
    assert answer.code == 0, answer.out + answer.err


def test_a_second_call_has_nothing_to_do(collided: Site) -> None:
    assert collided.bgce("renumber").code == 0
    before = collided.git("status", "--porcelain")
    answer = collided.bgce("renumber")
    assert answer.code == 0 and "nothing to do" in answer.out
    assert collided.git("status", "--porcelain") == before


def test_check_changes_nothing(collided: Site) -> None:
    answer = collided.bgce("renumber", "--check", "--json")
    assert answer.code == 1
    assert [m["to"]["id"] for m in answer.document["moves"]] == ["cortex/000004_add_age", "cortex/000005_add_zip"]
    assert collided.git("status", "--porcelain") == ""


def test_before_the_merge(site: Site) -> None:
    site.git("checkout", "-q", "-b", "feature")
    site.write(AGE)
    site.lock()
    site.commit("mine")
    site.git("checkout", "-q", "main")
    site.write(CITY)
    site.lock()
    site.commit("theirs")
    site.git("checkout", "-q", "feature")
    answer = site.bgce("check")
    assert answer.code == 1 and "[git-same-number]" in answer.out
    assert site.bgce("renumber").code == 0
    site.commit("mended")
    site.git("merge", "-q", "-m", "merge", "main")
    assert site.bgce("lock").code == 0
    assert site.bgce("check").code == 0


def test_a_gap_is_kept_where_order_does_not_need_it(site: Site) -> None:
    site.git("checkout", "-q", "-b", "feature")
    later = {name.replace("000004", "000009"): text for name, text in ZIP.items()}
    site.commit("mine", {**AGE, **later})
    site.git("checkout", "-q", "main")
    site.commit("theirs", CITY)
    site.git("checkout", "-q", "feature")
    answer = site.bgce("renumber")
    assert "add_age -> cortex/000004_add_age" in answer.out and "add_zip" not in answer.out


def test_files_that_git_does_not_know_yet(site: Site) -> None:
    site.commit("theirs", CITY)
    site.git("checkout", "-q", "-b", "feature")
    site.write(AGE)
    assert site.bgce("renumber").code == 0
    assert "000004_add_age.up.sql" in names(site)


def test_what_the_target_branch_has_never_moves(collided: Site) -> None:
    collided.git("checkout", "-q", "main")
    collided.git("merge", "-q", "-m", "merge", "feature")
    answer = collided.bgce("renumber")
    assert answer.code == 3 and "is on the target branch twice" in answer.err and "--base" in answer.err
    assert collided.bgce("renumber", "--move", "cortex/000003_add_city").code == 3
    assert collided.git("status", "--porcelain") == ""
    # Said from before the merge it is clear again.
    answer = collided.bgce("renumber", "--base", "HEAD^2")
    assert answer.code == 0 and "cortex/000003_add_age -> cortex/000004_add_age" in answer.out


def test_without_git_the_lock_file_decides(site: Site, tmp_path: Path) -> None:
    import shutil

    plain = Site(Path(shutil.copytree(site.root, tmp_path / "plain", ignore=shutil.ignore_patterns(".git"))))
    plain.write(CITY)
    plain.lock()
    plain.write(AGE)
    answer = plain.bgce("renumber")
    assert answer.code == 0 and "cortex/000003_add_age -> cortex/000004_add_age" in answer.out
    plain.write({name.replace("000003", "000006"): text for name, text in CITY.items()})
    plain.write({name.replace("000003", "000006"): text for name, text in AGE.items()})
    answer = plain.bgce("renumber")
    assert answer.code == 3 and "--move" in answer.err
    answer = plain.bgce("renumber", "--move", "cortex/6_add_city")
    assert answer.code == 0 and "cortex/000006_add_city -> cortex/000007_add_city" in answer.out


def test_a_conflict_over_one_file_is_not_moved(site: Site) -> None:
    path = "migrations/cortex/000003_add_age.up.sql"
    site.git("checkout", "-q", "-b", "feature")
    site.commit("mine", AGE)
    site.git("checkout", "-q", "main")
    site.commit("theirs", {path: "ALTER TABLE users ADD COLUMN age bigint;\n"})
    site.git("checkout", "-q", "feature")
    site.git("merge", "-q", "main", code=1)
    answer = site.bgce("renumber")
    assert answer.code == 3 and "git merge --abort" in answer.err and path in answer.err
    site.git("merge", "--abort")
    assert site.bgce("renumber").code == 0
    site.commit("mended")
    site.git("merge", "-q", "-m", "merge", "main")
    assert {"000003_add_age.up.sql", "000004_add_age.up.sql"} <= names(site)


@pytest.mark.parametrize("words", [("nobody",), ("--move", "cortex/3"), ("--move", "--x"), ("--base", "--x")])
def test_what_makes_no_sense_is_said(site: Site, words: tuple[str, ...]) -> None:
    answer = site.bgce("renumber", *words)
    assert answer.code == 2 and answer.err.startswith("error: ")
