"""action.yml and the workflows as files: schema, audit, pins, and inputs and outputs that are real."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from bgce_migrate.action.inputs import OF_THE_STEPS, Inputs
from bgce_migrate.action.job import OUTPUTS
from tests.action.expressions import Evaluator, Unsupported
from tests.action.harness import ACTION, ROOT, STUBS, load

WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
PAGE = ROOT / "docs" / "how-to" / "github-action.md"
_USES = re.compile(r"uses:\s*(\S+)")


def _tool(name: str) -> str:
    """A program of the extra `dev`."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed (extra dev)")
    return found


def _workflow(path: Path) -> dict[str, Any]:
    found = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def _examples() -> list[str]:
    return re.findall(r"```yaml\n(name: .*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)


def test_the_schemas_accept_them(tmp_path: Path) -> None:
    check = _tool("check-jsonschema")
    for schema, files in (("github-actions", [ACTION]), ("github-workflows", [*WORKFLOWS, *_written(tmp_path)])):
        done = subprocess.run([check, "--builtin-schema", f"vendor.{schema}", *files], capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_zizmor_finds_nothing(tmp_path: Path) -> None:
    command = [_tool("zizmor"), "--offline", "--no-progress", "--persona=regular", ACTION, *WORKFLOWS, *_written(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def _written(folder: Path) -> list[Path]:
    """The examples of the how-to as files."""
    place = folder / ".github" / "workflows"
    place.mkdir(parents=True, exist_ok=True)
    files = []
    for number, text in enumerate(_examples()):
        file = place / f"{number}.yml"
        file.write_text(text.replace("@COMMIT", f"@{'0123456789' * 4}"))
        files.append(file)
    assert len(files) >= 4
    return files


@pytest.mark.parametrize("path", [ACTION, PAGE, *WORKFLOWS], ids=lambda p: p.name)
def test_every_use_is_pinned(path: Path) -> None:
    for used in _USES.findall(path.read_text(encoding="utf-8")):
        # Whoever copies an example of the page puts the commit of a release of ours there.
        ours = used == "./" or used == "OWNER/bgce-migrate@COMMIT"
        assert ours or re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", used), used


def test_inputs_are_those_of_the_entry() -> None:
    action = load()
    entry = {name.replace("_", "-") for name in Inputs.__struct_fields__}
    assert set(action["inputs"]) == entry | OF_THE_STEPS
    assert not entry & OF_THE_STEPS
    steps = str(action["runs"]["steps"])
    for name in OF_THE_STEPS:
        assert f"inputs.{name}" in steps
    for name, given in action["inputs"].items():
        assert given["description"] and "default" in given and set(given) == {"description", "default"}, name


def test_outputs_are_those_of_the_entry() -> None:
    """With the run step skipped every output has the value the entry begins with."""
    outputs = load()["outputs"]
    assert set(outputs) == set(OUTPUTS)
    evaluator = Evaluator({"steps": {}, "inputs": {}, "github": {}, "runner": {}})
    assert {name: evaluator.fill(o["value"]) for name, o in outputs.items()} == OUTPUTS


def test_no_expression_inside_a_script() -> None:
    for step in load()["runs"]["steps"]:
        assert "${{" not in step.get("run", "")
        assert ("run" in step) != ("uses" in step)
        if "run" in step:
            assert step["shell"] == "bash"
        else:
            assert step["uses"].partition("@")[0] in STUBS


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda p: p.name)
def test_workflows_ask_for_little(path: Path) -> None:
    workflow = _workflow(path)
    assert workflow["permissions"] in ({}, {"contents": "read"})
    assert "pull_request_target" not in workflow[True]  # YAML 1.1 reads `on` as true
    for job in workflow["jobs"].values():
        applies = "up" in {step.get("with", {}).get("command") for step in job["steps"]}
        if applies:
            group = job.get("concurrency", workflow.get("concurrency"))
            assert group["group"] and group["cancel-in-progress"] is False


def test_the_page_lists_inputs_and_outputs() -> None:
    action, text = load(), PAGE.read_text(encoding="utf-8")
    inputs = text.partition("## Inputs")[2].partition("\n## ")[0]
    outputs = text.partition("## Outputs")[2].partition("\n## ")[0]
    for part, wanted in ((inputs, action["inputs"]), (outputs, action["outputs"])):
        cells = [[c.strip() for c in line.split("|")[1:-1]] for line in part.splitlines() if line.startswith("| `")]
        assert {row[0].strip("`"): row[-1] for row in cells} == {name: v["description"] for name, v in wanted.items()}


@pytest.mark.parametrize(
    "expression",
    ["hashFiles('x')", "secrets.X", "inputs.a.b.c[0]", "env.X", "1 == 1", "github", "contains(inputs.command, 'x')", "inputs.*"],
)
def test_other_syntax_is_refused(expression: str) -> None:
    evaluator = Evaluator({"inputs": {"command": "lint", "a": ""}, "steps": {}, "github": {}, "runner": {}})
    with pytest.raises(Unsupported):
        evaluator.value(expression)
