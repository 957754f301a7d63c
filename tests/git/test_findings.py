"""What is on the target branch is not edited, deleted, renamed or given a number again."""

from __future__ import annotations

from pathlib import Path

import pytest

from bgce_migrate.migration import Finding, MigrationId
from bgce_migrate.repository import findings, on_target
from tests.git.repos import Site, pair

BIO = "migrations/cortex/000002_add_bio.up.sql"
BIO_DOWN = "migrations/cortex/000002_add_bio.down.sql"


def found(site: Site, ref: str | None = None) -> tuple[Finding, ...]:
    repository, base = site.base(ref)
    return findings(site.desk().tree, repository, base)


def one(site: Site, rule: str) -> Finding:
    result = found(site)
    assert [f.rule for f in result] == [rule], result
    return result[0]


def test_an_unchanged_branch_has_nothing_to_say(site: Site) -> None:
    site.git("checkout", "-q", "-b", "feature")
    site.commit("more", pair("cortex", 3, "add_age", "ALTER TABLE users ADD COLUMN age int;\n"))
    assert found(site) == ()


def test_an_edited_migration_is_named_with_its_branch_and_commit(site: Site) -> None:
    commit = site.git("rev-parse", "--short=10", "HEAD").strip()
    site.git("checkout", "-q", "-b", "feature")
    site.commit("edit", {BIO: "ALTER TABLE users ADD COLUMN bio varchar(80);\n"})
    finding = one(site, "git-edited")
    assert finding.message == f"cortex/000002_add_bio is on main (commit {commit}) and was edited"
    assert finding.where is not None and finding.where.file.endswith(BIO)
    assert finding.domain == "cortex"
    assert finding.hint and f"git checkout {commit} -- :/{BIO}" in finding.hint


def test_the_hint_is_a_command_that_mends(site: Site) -> None:
    site.commit("edit", {"x": "y"})
    site.git("checkout", "-q", "-b", "feature")
    site.commit("delete", {BIO: None, BIO_DOWN: None})
    finding = one(site, "git-deleted")
    assert finding.hint
    site.git(*finding.hint.split(";")[0].split()[1:])
    assert found(site) == ()


def test_an_edit_that_is_not_committed_yet_is_seen(site: Site) -> None:
    site.write({BIO: "ALTER TABLE users ADD COLUMN bio varchar(80);\n"})
    assert one(site, "git-edited")


@pytest.mark.parametrize(
    "text",
    [
        "-- why\nALTER TABLE users ADD COLUMN bio text;\n",
        "alter   table users\n  add column bio text ;\n".replace(" ;", ";"),
        "\ufeffALTER TABLE users ADD COLUMN bio text;\r\n",
        "-- bgce: allow add-column until 2099-01-01 reason=\"x\"\nALTER TABLE users ADD COLUMN bio text;\n",
    ],
)
def test_comments_case_and_line_ends_are_free(site: Site, text: str) -> None:
    site.git("checkout", "-q", "-b", "feature")
    site.commit("cosmetics", {BIO: text})
    assert found(site) == ()


def test_an_edited_down_counts(site: Site) -> None:
    site.commit("x")
    site.write({BIO_DOWN: "ALTER TABLE users DROP COLUMN bio CASCADE;\n"})
    finding = one(site, "git-edited")
    assert finding.message.startswith("the down of cortex/000002_add_bio is on main")


def test_a_renamed_slug_and_a_new_number(site: Site) -> None:
    site.git("checkout", "-q", "-b", "feature")
    site.git("mv", BIO, BIO.replace("add_bio", "bio"))
    site.git("mv", BIO_DOWN, BIO_DOWN.replace("add_bio", "bio"))
    assert "is on main" in one(site, "git-renamed").message
    for path in (BIO, BIO_DOWN):
        site.git("mv", path.replace("add_bio", "bio"), path.replace("000002", "000007"))
    finding = one(site, "git-renamed")
    assert "it is cortex/000007 now" in finding.message
    assert finding.hint
    for command in finding.hint.split(";")[0].split(" && "):
        site.git(*command.split()[1:])
    assert found(site) == ()


def test_two_branches_took_one_number(site: Site) -> None:
    site.git("checkout", "-q", "-b", "feature")
    site.commit("mine", pair("cortex", 3, "add_age", "ALTER TABLE users ADD COLUMN age int;\n"))
    site.git("checkout", "-q", "main")
    theirs = site.commit("theirs", pair("cortex", 3, "add_city", "ALTER TABLE users ADD COLUMN city text;\n"))
    site.git("checkout", "-q", "feature")
    finding = one(site, "git-same-number")
    assert finding.message == (
        f"cortex/000003 is taken: main (commit {theirs[:10]}) has add_city under this number, here it is add_age"
    )
    assert finding.hint == "bgce-migrate renumber cortex"
    assert [f.hint for f in found(site, "main~0")] == ["bgce-migrate renumber cortex --base 'main~0'"]


def test_the_same_migration_on_both_branches_is_no_collision(site: Site) -> None:
    site.git("checkout", "-q", "-b", "feature")
    files = pair("cortex", 3, "add_age", "ALTER TABLE users ADD COLUMN age int;\n")
    site.commit("mine", files)
    site.git("checkout", "-q", "main")
    site.commit("picked", {**files, "other": ""})
    site.git("checkout", "-q", "feature")
    assert found(site) == ()
    repository, base = site.base()
    assert MigrationId("cortex", 3) in on_target(site.desk().tree, repository, base)


def test_on_target_holds_what_main_has(site: Site) -> None:
    site.git("checkout", "-q", "-b", "feature")
    site.commit("mine", pair("cortex", 3, "add_age", "ALTER TABLE users ADD COLUMN age int;\n"))
    repository, base = site.base()
    names = {str(i) for i in on_target(site.desk().tree, repository, base)}
    assert names == {"cortex/000001_create_users", "cortex/000002_add_bio", "postal/000001_create_posts"}


def test_lock_lines_moved_removed_and_changed(site: Site) -> None:
    lock = site.root / "bgce.lock"
    lines = lock.read_text().splitlines(keepends=True)
    head, rows = lines[:2], lines[2:]
    lock.write_text("".join([*head, rows[1], rows[0], *rows[2:]]))
    assert "the other way round" in one(site, "git-lock-moved").message
    lock.write_text("".join([*head, *rows[:-1]]))
    assert "were removed from" in one(site, "git-lock-moved").message
    lock.unlink()
    assert one(site, "git-lock-moved").message.endswith("and was deleted")


def test_the_project_may_stand_below_the_top(tmp_path: Path) -> None:
    from tests.cli.program import SHOP
    from tests.git.repos import empty

    site = empty(tmp_path / "mono")
    site.commit("all", {f"database/{name}": text for name, text in SHOP.items()})
    below = Site(site.root / "database")
    below.write({BIO: "ALTER TABLE users ADD COLUMN bio varchar(80);\n"})
    finding = one(below, "git-edited")
    assert finding.hint and f":/database/{BIO}" in finding.hint


def test_a_hostile_slug_stays_a_name(site: Site) -> None:
    name = "add_$(touch pwned);`id`'\" *"
    site.commit("hostile", pair("cortex", 3, name, "ALTER TABLE users ADD COLUMN age int;\n"))
    site.git("checkout", "-q", "-b", "feature")
    site.write({f"migrations/cortex/000003_{name}.up.sql": "ALTER TABLE users ADD COLUMN age bigint;\n"})
    finding = one(site, "git-edited")
    assert finding.hint
    import shlex

    assert f":/migrations/cortex/000003_{name}.up.sql" in shlex.split(finding.hint.split("; what")[0])
    assert not (site.root / "pwned").exists()
