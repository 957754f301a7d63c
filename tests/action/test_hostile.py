"""Names and values of strangers stay text."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bgce_migrate.action.inputs import Inputs, read_inputs
from bgce_migrate.errors import UsageError
from tests.action.events import FOLDER, Proposal
from tests.action.harness import Outcome

EVIL = "$(touch pwned);`touch pwned`;\"'|& touch pwned #"
COMMAND = "::set-output name=result::pass%0A::add-mask::x"


def _nothing_happened(proposal: Proposal, done: Outcome) -> None:
    assert not list(proposal.temp.rglob("pwned"))
    known = ("::add-mask::ghs_", "::error ", "::warning ", "::notice ")
    assert all(line.startswith(known) for line in done.commands), done.commands
    assert "Traceback" not in done.log


def test_a_line_feed_in_a_name(proposal: Proposal) -> None:
    name = f"{FOLDER}/000004_d\n::set-output name=result::pass.up.sql"
    proposal.site.commit("evil", {name: "DROP TABLE users;\n"})
    done = proposal.use(proposal.pull_request())
    _nothing_happened(proposal, done)
    assert done.outputs["result"] == "fail" and done.outputs["exit-code"] == "1"
    assert any("control character" in line for line in done.annotations("error"))


def test_file_and_branch_names(proposal: Proposal) -> None:
    names = ["a$(touch pwned)", "b;touch pwned", "c`touch pwned`", "e%0A::error::x", "f|<b>@someone",
             "##[error]g", "::stop-commands::h"]  # fmt: skip
    files = {}
    for number, name in enumerate(names, 4):
        for direction in ("up", "down"):
            files[f"{FOLDER}/{number:06d}_{name}.{direction}.sql"] = "DROP TABLE users; -- ``` </details> ::error::x ##[error]y\n"
    proposal.site.commit("evil\n::error::message", files)
    proposal.site.git("checkout", "-q", "-b", "x$(touch${IFS}pwned);touch${IFS}pwned")
    event = proposal.pull_request()
    content = json.loads(Path(event["GITHUB_EVENT_PATH"]).read_text())
    content["pull_request"]["head"]["ref"] = "x$(touch${IFS}pwned);touch${IFS}pwned"
    content["pull_request"]["title"] = EVIL + COMMAND
    Path(event["GITHUB_EVENT_PATH"]).write_text(json.dumps(content))
    done = proposal.use(event)
    _nothing_happened(proposal, done)
    assert done.outputs["result"] == "fail" and done.outputs["exit-code"] == "1"
    assert len(json.loads(done.outputs["changed-files"])) == 2 * (1 + len(names))
    (comment,) = proposal.github.comments.values()
    body = comment["body"]
    assert "@someone" not in body and "<b>" not in body
    assert body.count("\n````sql\n") == 2 * len(names), "a fence that its content cannot end"


@pytest.mark.parametrize("name", ["working_directory", "config", "domain", "base_ref", "environment", "postgres_version", "path"])
def test_inputs(name: str, proposal: Proposal) -> None:
    if name not in ("working_directory", "base_ref"):
        # The same road without the machine around it.
        with pytest.raises(UsageError):
            read_inputs(json.dumps({name.replace("_", "-"): f"a\n{COMMAND}"}))
        assert getattr(read_inputs(json.dumps({name.replace("_", "-"): EVIL})), name) == EVIL
        return
    done = proposal.use(proposal.pull_request(), **{name: f"--help {EVIL} {COMMAND}"})
    _nothing_happened(proposal, done)
    assert done.outputs["exit-code"] == "2" and done.outputs["result"] == "fail"


def test_the_repository_hands_us_no_modules(proposal: Proposal) -> None:
    """`import json` must not find the pull request's own json.py."""
    trap = "open('pwned', 'w').close()\nraise SystemExit(0)\n"
    proposal.site.write({"json.py": trap, "click.py": trap, "bgce_migrate/__init__.py": trap, "sitecustomize.py": trap})
    done = proposal.use(proposal.pull_request())
    _nothing_happened(proposal, done)
    assert done.outputs["exit-code"] == "1"


@pytest.mark.parametrize("text", [None, "", "[]", "{", '{"command": 1}', "[" * 100_000])
def test_no_document(text: str | None) -> None:
    with pytest.raises(UsageError):
        read_inputs(text)


def test_all_mistakes_at_once() -> None:
    said = {"command": "apply", "fail-on": "fatal", "timeout": "nan", "annotations": "yes", "unknown": "1", "domain": "a\0b"}
    with pytest.raises(UsageError) as caught:
        read_inputs(json.dumps(said))
    assert len(caught.value.problems) == 6
    assert read_inputs("{}") == Inputs()
