"""The Action under every event that starts it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.action.events import BAD, ZEROS, Proposal
from tests.action.harness import Runner
from tests.cli.program import SHOP, write
from tests.git.repos import Site, git_environment


@pytest.mark.parametrize("name", ["push", "force push", "merge group", "dispatch", "schedule"])
def test_compared_with_the_right_commit(name: str, proposal: Proposal) -> None:
    """What came with this change is judged, what was there before is not."""
    group = {"merge_group": {"base_ref": "refs/heads/main", "base_sha": proposal.before, "head_sha": proposal.head}}
    if name in ("dispatch", "schedule"):
        # On a branch that is deployed nowhere, compared with the default branch.
        proposal.site.git("update-ref", "refs/remotes/origin/main", proposal.before)
    event = {
        "push": lambda: proposal.push(),
        "force push": lambda: proposal.push(forced=True),
        "merge group": lambda: proposal.event("merge_group", "refs/heads/gh-readonly-queue/main/pr-7", group),
        "dispatch": lambda: proposal.event("workflow_dispatch", "refs/heads/feature", {"inputs": {}}),
        "schedule": lambda: proposal.event("schedule", "refs/heads/feature", {"schedule": "0 3 * * *"}),
    }[name]()
    done = proposal.use(event)
    assert done.outputs["exit-code"] == "1"
    assert json.loads(done.outputs["changed-files"]) == sorted(BAD)
    assert f"<code>main at {proposal.before[:10]}</code>" in done.summary
    assert not proposal.github.comments, "only a pull request gets one"
    assert done.outputs["environment"] == ("" if name in ("dispatch", "schedule") else "production")


def test_first_push_and_commits_that_are_gone(proposal: Proposal) -> None:
    """Nothing to compare with: it is said, and what is not in the lock file is judged."""
    done = proposal.use(proposal.push(before=ZEROS))
    assert "the commit before this push to main is not here" in done.summary
    assert json.loads(done.outputs["domains-touched"])[0] == "postal"
    assert done.outputs["exit-code"] == "1"


def test_shallow_clone(proposal: Proposal) -> None:
    clone = proposal.temp / "shallow"
    event = proposal.pull_request()
    proposal.site.git("clone", "-q", "--depth", "1", f"file://{proposal.site.root}", str(clone))
    proposal.site = Site(clone)
    done = proposal.use(event)
    assert "shallow" in done.summary
    assert done.outputs["exit-code"] == "1" and "Traceback" not in done.log


def test_no_git_folder(proposal: Proposal, tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    write(plain, SHOP)
    event = proposal.pull_request()
    proposal.site = Site(plain)
    done = proposal.use(event, fail_on="never")
    assert done.succeeded and "no git repository" in done.summary


def test_no_event_at_all(tmp_path: Path) -> None:
    """By hand, outside of any runner's job, in a folder of plain files."""
    write(tmp_path / "w", {"db/000001_a.up.sql": "CREATE TABLE a (id int);\n", "db/000001_a.down.sql": "DROP TABLE a;\n"})
    plain = {k: v for k, v in git_environment().items() if k.startswith("GIT_")}
    done = Runner(tmp_path / "w", tmp_path / "t", plain).use(path="db", fail_on="never", sarif_file="", upload_report="false")
    assert done.succeeded, done.log


def test_outputs_are_set_when_nothing_could_be_installed(proposal: Proposal) -> None:
    done = proposal.runner(proposal.pull_request(), pip_code=1).use()
    assert not done.succeeded and done.steps["Run"] == "skipped"
    assert done.outputs["result"] == "fail" and done.outputs["exit-code"] == "70" and done.outputs["changed-files"] == "[]"


def test_the_wanted_python_and_plugins(proposal: Proposal, tmp_path: Path) -> None:
    done = proposal.runner(proposal.pull_request()).use(python="/nowhere/python", cache="false")
    assert not done.succeeded and done.steps["Install"] == "skipped" and "/nowhere" not in done.log
    runner = proposal.runner(proposal.pull_request())
    done = runner.use(plugins="./plugins\r\n\n  bgce-archive-domains==1.0 \n", command="nonsense")
    (pip,) = [call for call in done.python if "pip" in call]
    assert pip[-2:] == ["./plugins", "bgce-archive-domains==1.0"] and "--" in pip
    assert done.outputs["exit-code"] == "2" and "command is one of lint, plan, up" in done.log
    done = runner.use(plugins="--index-url=http://evil")
    assert done.steps["Install"] == "failure" and len([c for c in done.python if "pip" in c]) == 1
