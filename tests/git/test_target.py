"""The target branch is found in clones of every kind, and where there is none, it is said in a sentence."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from bgce_migrate.errors import UsageError
from bgce_migrate.repository import find_base, findings, open_repository
from tests.git.repos import Site, empty, pair

AGE = pair("cortex", 3, "add_age", "ALTER TABLE users ADD COLUMN age int;\n")
CITY = pair("cortex", 4, "add_city", "ALTER TABLE users ADD COLUMN city text;\n")


def clone(site: Site, to: Path, *options: str) -> Site:
    site.git("clone", "-q", *options, site.root.as_uri(), str(to))
    return Site(to)


def event(tmp_path: Path, name: str, content: object, **more: str) -> dict[str, str]:
    path = tmp_path / "event.json"
    path.write_text(json.dumps(content))
    return {"GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(path), **more}


def test_a_branch_beside_main(site: Site) -> None:
    start = site.git("rev-parse", "HEAD").strip()
    site.git("checkout", "-q", "-b", "feature")
    site.commit("age", AGE)
    site.git("checkout", "-q", "main")
    tip = site.commit("city", CITY)
    site.git("checkout", "-q", "feature")
    _, base = site.base()
    assert (base.commit, base.tip, base.branch, base.notes) == (start, tip, "main", ())


def test_the_only_branch_is_compared_with_its_own_head(site: Site) -> None:
    _, base = site.base()
    assert base.commit == site.git("rev-parse", "HEAD").strip()


def test_commits_that_are_not_pushed_are_not_on_the_target(site: Site, tmp_path: Path) -> None:
    copy = clone(site, tmp_path / "copy")
    start = copy.git("rev-parse", "HEAD").strip()
    copy.commit("age", AGE)
    assert copy.base()[1].commit == start


def test_a_branch_that_follows_its_own_copy_goes_to_main(site: Site, tmp_path: Path) -> None:
    site.git("checkout", "-q", "-b", "feature")
    site.commit("age", AGE)
    site.git("checkout", "-q", "main")
    copy = clone(site, tmp_path / "copy")
    copy.git("checkout", "-q", "feature")
    base = copy.base()[1]
    assert base.branch == "main" and base.commit == copy.git("rev-parse", "main").strip()


def test_a_branch_made_from_develop_goes_to_develop(site: Site, tmp_path: Path) -> None:
    site.git("checkout", "-q", "-b", "develop")
    tip = site.commit("age", AGE)
    copy = clone(site, tmp_path / "copy")
    copy.git("checkout", "-q", "-b", "feature", "origin/develop")
    base = copy.base()[1]
    assert (base.branch, base.commit) == ("develop", tip)


def test_what_is_said_wins(site: Site) -> None:
    first = site.git("rev-parse", "HEAD").strip()
    site.commit("age", AGE)
    assert site.base("HEAD~1")[1].commit == first
    with pytest.raises(UsageError, match="--base nowhere: there is no such commit"):
        site.base("nowhere")


@pytest.mark.parametrize("hostile", ["--output=pwned", "-", "", "a\nb", "$(touch pwned)", "HEAD^{/x", "x" * 5000, "\0"])
def test_hostile_refs_are_only_not_found(site: Site, hostile: str) -> None:
    with pytest.raises(UsageError):
        site.base(hostile)
    assert not (site.root / "pwned").exists()


def test_a_detached_head(site: Site) -> None:
    start = site.git("rev-parse", "HEAD").strip()
    site.git("checkout", "-q", "--detach")
    site.commit("age", AGE)
    assert site.base()[1].commit == start
    site.git("branch", "-q", "-D", "main")
    base = site.base()[1]
    assert base.commit is None and "the head is detached" in base.reason and "--base REF" in str(base.hint)


def test_no_commits_yet(tmp_path: Path) -> None:
    site = empty(tmp_path / "new")
    base = site.base()[1]
    assert base.commit is None and base.notes[0].message.endswith("there are no commits yet")


def test_no_repository(tmp_path: Path) -> None:
    assert open_repository(tmp_path) is None
    assert open_repository(tmp_path / "nowhere") is None
    assert "in no git repository" in find_base(None).reason
    with pytest.raises(UsageError):
        find_base(None, "main")


def test_a_bare_repository_has_no_work_tree(site: Site, tmp_path: Path) -> None:
    site.git("clone", "-q", "--bare", str(site.root), str(tmp_path / "bare"))
    assert open_repository(tmp_path / "bare") is None
    assert open_repository(site.root / ".git") is None


def test_a_shallow_clone_says_what_to_fetch(site: Site, tmp_path: Path) -> None:
    site.commit("x", {"x": "1"})
    site.git("checkout", "-q", "-b", "feature")
    site.commit("age", AGE)
    site.git("checkout", "-q", "main")
    site.commit("y", {"y": "1"})
    copy = clone(site, tmp_path / "copy", "--depth=1", "--no-single-branch")
    copy.git("checkout", "-q", "feature")
    base = copy.base()[1]
    assert base.commit is None and "shallow" in base.reason and "fetch-depth: 0" in str(base.hint)
    repository, _ = copy.base()
    assert [f.rule for f in findings(copy.desk().tree, repository, base)] == ["git-no-base"]


def test_branches_without_a_common_commit(site: Site) -> None:
    site.git("checkout", "-q", "--orphan", "other")
    site.commit("other", {"z": "1"})
    base = site.base()[1]
    assert base.commit is None and "no commit in common" in base.reason


def test_a_submodule_is_a_repository_of_its_own(site: Site, tmp_path: Path) -> None:
    outer = empty(tmp_path / "outer")
    outer.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(site.root), "database")
    outer.commit("outer")
    inner = Site(outer.root / "database")
    repository, base = inner.base()
    assert repository.top == inner.root.resolve()
    assert base.commit == site.git("rev-parse", "HEAD").strip()
    # And one in the project's repository is no file of it.
    assert Site(outer.root).base()[0].changed(None)


def test_a_work_tree_beside_the_repository(site: Site, tmp_path: Path) -> None:
    site.git("worktree", "add", "-q", "-b", "feature", str(tmp_path / "beside"))
    beside = Site(tmp_path / "beside")
    start = beside.git("rev-parse", "HEAD").strip()
    beside.commit("age", AGE)
    assert beside.base()[1].commit == start


def test_variables_of_another_hook_lead_nowhere(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = empty(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.root / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.root))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other.root / ".git" / "index"))
    repository, base = site.base()
    assert repository.top == site.root.resolve() and base.branch == "main"
    assert repository.staged() == ()
    assert os.environ["GIT_DIR"] == str(other.root / ".git")


# -- GitHub ------------------------------------------------------------------------------------------------------


def test_a_pull_request(site: Site, tmp_path: Path) -> None:
    start = site.git("rev-parse", "HEAD").strip()
    site.git("checkout", "-q", "-b", "feature")
    site.commit("age", AGE)
    site.git("branch", "-q", "-D", "main")
    environment = event(
        tmp_path, "pull_request", {"pull_request": {"base": {"ref": "main", "sha": start}}}, GITHUB_BASE_REF="main"
    )
    base = site.base(environment=environment)[1]
    assert (base.commit, base.branch) == (start, "main")


def test_the_merge_of_a_pull_request_is_compared_with_its_first_parent(site: Site, tmp_path: Path) -> None:
    start = site.git("rev-parse", "HEAD").strip()
    site.git("checkout", "-q", "-b", "feature")
    site.commit("age", AGE)
    site.git("checkout", "-q", "main")
    tip = site.commit("city", CITY)
    site.git("checkout", "-q", "--detach")
    site.git("merge", "-q", "-m", "merge", "feature")
    head = site.git("rev-parse", "HEAD").strip()
    content = {"pull_request": {"base": {"ref": "main", "sha": start}}}
    environment = event(tmp_path, "pull_request", content, GITHUB_REF="refs/pull/1/merge", GITHUB_SHA=head)
    assert site.base(environment=environment)[1].commit == tip


def test_a_pull_request_without_its_base_says_what_to_fetch(site: Site, tmp_path: Path) -> None:
    site.commit("x", {"x": "1"})
    copy = clone(site, tmp_path / "copy", "--depth=1")
    copy.git("checkout", "-q", "--detach")
    copy.git("branch", "-q", "-D", "main")
    content = {"pull_request": {"base": {"ref": "release", "sha": "1" * 40}}}
    base = copy.base(environment=event(tmp_path, "pull_request", content))[1]
    assert base.commit is None and base.reason == "release of this pull request is not in this clone"
    assert "fetch-depth: 0" in str(base.hint)


def test_pushes(site: Site, tmp_path: Path) -> None:
    before = site.git("rev-parse", "HEAD").strip()
    site.commit("age", AGE)
    content = {"before": before, "repository": {"default_branch": "main"}}
    base = site.base(environment=event(tmp_path, "push", content, GITHUB_REF="refs/heads/main"))[1]
    assert (base.commit, base.branch) == (before, "main")
    # The first push of the branch, and one by force over commits that nobody has any more.
    for gone in ("0" * 40, "1" * 40):
        content = {"before": gone, "repository": {"default_branch": "main"}}
        base = site.base(environment=event(tmp_path, "push", content, GITHUB_REF="refs/heads/main"))[1]
        assert base.commit is None and "before this push to main is not here" in base.reason


def test_a_push_to_a_feature_branch_is_compared_with_the_default_branch(site: Site, tmp_path: Path) -> None:
    copy = clone(site, tmp_path / "copy")
    start = copy.git("rev-parse", "HEAD").strip()
    copy.git("checkout", "-q", "-b", "feature")
    first = copy.commit("age", AGE)
    copy.commit("city", CITY)
    content = {"before": first, "repository": {"default_branch": "main"}}
    environment = event(tmp_path, "push", content, GITHUB_REF="refs/heads/feature")
    assert copy.base(environment=environment)[1].commit == start
    repository = copy.base()[0]
    deployed = find_base(repository, None, environment, targets={"feature"})
    assert (deployed.commit, deployed.branch) == (first, "feature")


def test_a_merge_group(site: Site, tmp_path: Path) -> None:
    before = site.git("rev-parse", "HEAD").strip()
    site.commit("age", AGE)
    content = {"merge_group": {"base_sha": before, "base_ref": "refs/heads/main"}}
    base = site.base(environment=event(tmp_path, "merge_group", content))[1]
    assert (base.commit, base.branch) == (before, "main")


@pytest.mark.parametrize("content", [None, [], {"pull_request": []}, {"pull_request": {"base": {"sha": 7, "ref": "--x"}}}])
def test_broken_events_are_no_traceback(site: Site, tmp_path: Path, content: object) -> None:
    environment = event(tmp_path, "pull_request", content)
    base = site.base(environment=environment)[1]
    assert base.commit is None or base.branch == "main"


# -- paths -------------------------------------------------------------------------------------------------------


def test_staged_and_changed_names_survive_everything(site: Site) -> None:
    names = ["a\nb.sql", "-rf.sql", ":(top)x.sql", "ü\u202e.sql", "q\"'`$(touch pwned).sql", os.fsdecode(b"\xff.sql")]
    for name in names:
        (site.root / name).write_bytes(b"SELECT 1;\n")
    repository, base = site.base()
    assert {p.name for p in repository.changed(base.commit)} == set(names)
    site.git("add", "-A")
    assert {p.name for p in repository.staged()} == set(names)
    assert all(p.is_file() for p in repository.staged())
    assert not (site.root / "pwned").exists()


def test_staged_before_the_first_commit(tmp_path: Path) -> None:
    site = empty(tmp_path / "new")
    site.write({"a.sql": "SELECT 1;\n"})
    site.git("add", "a.sql")
    repository, _ = site.base()
    assert [p.name for p in repository.staged()] == ["a.sql"]
    assert [p.name for p in repository.changed(None)] == ["a.sql"]


def test_a_folder_with_a_line_feed(tmp_path: Path) -> None:
    site = empty(tmp_path / "line\nfeed")
    site.write({"a.sql": "SELECT 1;\n"})
    assert site.base()[0].changed(None) == (site.root.resolve() / "a.sql",)
