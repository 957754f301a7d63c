"""Runs `action.yml` as a runner does: steps with bash, their files, conditions, and stubs for every `uses`."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.action.expressions import Evaluator

ROOT = Path(__file__).resolve().parents[2]
ACTION = ROOT / "action.yml"
_PINNED = re.compile(r"(?P<name>[\w.-]+/[\w./-]+)@[0-9a-f]{40}\Z")

#: Stands in for Python: venv and pip are only noted, everything else is the real thing, isolated as it asks to be.
_PYTHON = """\
#!{python} -I
import os, sys
arguments = sys.argv[1:]
assert arguments[0] == "-I", "not isolated: " + repr(arguments)
with open({log!r}, "a") as log:
    log.write(repr(arguments) + "\\n")
if arguments[1:3] == ["-m", "venv"]:
    place = os.path.join(arguments[-1], "bin")
    os.makedirs(place, exist_ok=True)
    with open(__file__) as own, open(os.path.join(place, "python"), "w") as copy:
        copy.write(own.read())
    os.chmod(os.path.join(place, "python"), 0o755)
elif arguments[1:3] == ["-m", "pip"]:
    sys.exit({pip_code})
elif arguments[1] == "-m":
    start = "import sys, runpy; sys.path.insert(0, " + repr({root!r}) + "); runpy.run_module(" + repr(arguments[2])
    os.execv({python!r}, [{python!r}, "-I", "-c", start + ", run_name='__main__', alter_sys=True)"])
else:
    os.execv({python!r}, [{python!r}, *arguments])
"""


def load() -> dict[str, Any]:
    """action.yml."""
    found = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


@dataclass(slots=True)
class Outcome:
    """What one use of the Action did."""

    succeeded: bool
    outputs: dict[str, str]
    log: str
    summary: str
    steps: dict[str, str]
    handed: dict[str, dict[str, str]]
    python: list[list[str]]

    @property
    def commands(self) -> list[str]:
        """Lines that a runner obeys."""
        return [line for line in self.log.splitlines() if line.lstrip().startswith("::") or "##[" in line]

    def annotations(self, level: str) -> list[str]:
        """Annotations of a level."""
        return [line for line in self.commands if line.startswith((f"::{level} ", f"::{level}::"))]


@dataclass(slots=True)
class Runner:
    """One job's machine.

    Attributes:
        workspace: what was checked out.
        environment: `env:` of the job, and what describes its event.
        pip_code: how `pip install` ends.
        watch: called for each script when it has started, with the step's name.
        python: a real one to install with; empty: the stand-in.
    """

    workspace: Path
    temp: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    pip_code: int = 0
    timeout: float = 60.0
    watch: Callable[[str, subprocess.Popen[bytes]], None] | None = None
    python: str = ""

    def use(self, **inputs: str) -> Outcome:
        """Run the Action with these inputs (`_` for `-`)."""
        action = load()
        said = {name.replace("_", "-"): value for name, value in inputs.items()}
        assert not set(said) - set(action["inputs"]), "no such input"
        github = {"token": self.environment.get("TEST_TOKEN", "")}
        defaults = {
            name: Evaluator({"github": github}).fill(str(i.get("default", ""))) for name, i in action["inputs"].items()
        }
        contexts: dict[str, Any] = {
            "inputs": {**defaults, **said},
            "steps": {},
            "runner": {"temp": str(self.temp), "os": "Linux", "arch": "X64"},
            "github": github,
        }
        self.temp.mkdir(exist_ok=True)
        python = self._python()
        outcome = Outcome(True, {}, "", "", {}, {}, [])
        for number, step in enumerate(action["runs"]["steps"]):
            self._step(number, step, contexts, outcome)
        evaluator = Evaluator(contexts)
        outcome.outputs = {name: evaluator.fill(o["value"]) for name, o in action["outputs"].items()}
        log = python.with_suffix(".log")
        outcome.python = [eval(line) for line in log.read_text().splitlines()] if log.is_file() else []  # our own list
        return outcome

    def _python(self) -> Path:
        place = self.temp / "tools"
        place.mkdir(exist_ok=True)
        python = place / "python3"
        values = {"python": sys.executable, "log": str(python.with_suffix(".log")), "root": str(ROOT), "pip_code": self.pip_code}
        python.write_text(_PYTHON.format(**values))
        python.chmod(0o755)
        if self.python:
            python.unlink()
            python.symlink_to(self.python)
        return python

    def _step(self, number: int, step: dict[str, Any], contexts: dict[str, Any], outcome: Outcome) -> None:
        known = {"name", "id", "if", "shell", "env", "run", "uses", "with", "continue-on-error"}
        assert not set(step) - known, f"the harness does not know {set(step) - known}"
        evaluator = Evaluator(contexts, outcome.succeeded)
        name = step["name"]
        if not evaluator.condition(step.get("if")):
            outcome.steps[name] = "skipped"
            return
        if "uses" in step:
            outputs, ok = self._uses(step, evaluator, outcome), True
        else:
            outputs, ok = self._run(number, step, evaluator, outcome)
        if "id" in step:
            contexts["steps"][step["id"]] = {"outputs": outputs}
        outcome.steps[name] = "success" if ok else "failure"
        outcome.succeeded = outcome.succeeded and (ok or step.get("continue-on-error") is True)

    def _uses(self, step: dict[str, Any], evaluator: Evaluator, outcome: Outcome) -> dict[str, str]:
        pinned = _PINNED.match(step["uses"])
        assert pinned, f"{step['uses']} is not pinned by a full commit hash"
        handed = {key: evaluator.fill(str(value)) for key, value in step.get("with", {}).items()}
        outcome.handed[pinned["name"]] = handed
        return STUBS[pinned["name"]](self, handed)

    def _run(self, number: int, step: dict[str, Any], evaluator: Evaluator, outcome: Outcome) -> tuple[dict[str, str], bool]:
        assert step["shell"] == "bash"
        files = {name: self.temp / f"{number}-{name}" for name in ("OUTPUT", "ENV", "PATH", "STEP_SUMMARY", "STATE")}
        for file in files.values():
            file.write_bytes(b"")
        script = self.temp / f"{number}.sh"
        script.write_text(step["run"])
        environment = {
            "PATH": f"{self.temp / 'tools'}:{os.environ['PATH']}",
            "HOME": str(self.temp),
            "CI": "true", "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self.workspace), "GITHUB_ACTION_PATH": str(ROOT), "RUNNER_TEMP": str(self.temp),
            **{f"GITHUB_{name}": str(file) for name, file in files.items()},
            **self.environment,
            **{key: evaluator.fill(str(value)) for key, value in step.get("env", {}).items()},
        }  # fmt: skip
        command = ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)]
        with (self.temp / f"{number}.log").open("w+b") as log:
            process = subprocess.Popen(command, cwd=self.workspace, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=subprocess.STDOUT)
            if self.watch is not None:
                self.watch(step["name"], process)
            code = process.wait(self.timeout)
            log.seek(0)
            outcome.log += log.read().decode("utf-8", "replace")
        outcome.summary += files["STEP_SUMMARY"].read_text(encoding="utf-8")
        assert files["STEP_SUMMARY"].stat().st_size <= 1 << 20, "GitHub refuses a longer summary"
        assert not files["ENV"].read_bytes() and not files["PATH"].read_bytes(), "later steps are left alone"
        return read_file_commands(files["OUTPUT"].read_text(encoding="utf-8")), code == 0


def read_file_commands(text: str) -> dict[str, str]:
    """`name=value` and `name<<END` as the runner reads them."""
    found: dict[str, str] = {}
    lines = iter(text.split("\n"))
    for line in lines:
        if not line:
            continue
        name, _, value = line.partition("=")
        if "<<" in name or (not value and "<<" in line):
            name, _, end = line.partition("<<")
            parts = []
            for part in lines:
                if part == end:
                    break
                parts.append(part)
            else:
                raise AssertionError(f"{name} has no end")
            value = "\n".join(parts)
        assert re.match(r"[a-z-]+\Z", name), f"no output: {line!r}"
        found[name] = value
    return found


def _setup_python(runner: Runner, handed: Mapping[str, str]) -> dict[str, str]:
    assert tuple(map(int, handed["python-version"].split("."))) >= (3, 10)
    return {"python-path": str(runner.temp / "tools" / "python3")}


def _cache(runner: Runner, handed: Mapping[str, str]) -> dict[str, str]:
    assert handed["path"].splitlines()[0].startswith(str(runner.temp))
    for key in ("key", "restore-keys"):
        assert re.match(r"bgce-migrate-[\w-]+\Z", handed[key]), handed[key]
    return {"cache-hit": "false"}


def _artifact(_: Runner, handed: Mapping[str, str]) -> dict[str, str]:
    assert handed["name"] and Path(handed["path"]).is_dir() and list(Path(handed["path"]).iterdir())
    return {}


def _sarif(_: Runner, handed: Mapping[str, str]) -> dict[str, str]:
    document = json.loads(Path(handed["sarif_file"]).read_text(encoding="utf-8"))
    assert document["version"] == "2.1.0" and len(document["runs"]) == 1
    assert all(r["partialFingerprints"] for r in document["runs"][0]["results"])
    return {}


STUBS: dict[str, Callable[[Runner, Mapping[str, str]], dict[str, str]]] = {
    "actions/setup-python": _setup_python,
    "actions/cache": _cache,
    "actions/upload-artifact": _artifact,
    "github/codeql-action/upload-sarif": _sarif,
}
