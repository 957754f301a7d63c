"""What is shipped under the platform's names: the script, and this repository under its own Action."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.action.harness import ROOT, Runner
from tests.cli.program import SHOP, environment, write
from tests.git.repos import git_environment

SCRIPT = ROOT / "scripts" / "run-all-migrations.sh"


def _run(root: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        ["sh", root / "scripts" / SCRIPT.name, *words], cwd="/", env=environment(env), capture_output=True, text=True
    )


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A project with the script, in a folder with a blank, and a program that shows what it gets."""
    root = write(tmp_path / "a shop", SHOP)
    (root / "scripts").mkdir()
    shutil.copy(SCRIPT, root / "scripts")
    program = root / "program"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m bgce_migrate "$@"\n')
    program.chmod(0o755)
    return root


@pytest.mark.postgres(18)
def test_the_script_applies_everything(shop: Path, database: str) -> None:
    done = _run(shop, "--json", DATABASE_URL=database, BGCE=str(shop / "program"))
    assert done.returncode == 0, done.stderr
    assert [s["status"] for s in json.loads(done.stdout)["steps"]] == ["applied"] * 3
    assert os.access(SCRIPT, os.X_OK)


def test_the_script_refuses_an_empty_variable(shop: Path) -> None:
    done = _run(shop, DATABASE_URL="", BGCE=str(shop / "program"))
    assert done.returncode == 2 and "set and empty" in done.stderr
    done = _run(shop, PATH="/usr/bin:/bin")
    assert done.returncode == 2 and "not installed" in done.stderr


def test_this_repository_is_clean_under_its_own_action(tmp_path: Path) -> None:
    plain = {k: v for k, v in git_environment().items() if k.startswith("GIT_")}
    done = Runner(ROOT, tmp_path / "t", plain).use(upload_report="false")
    assert done.succeeded and done.outputs["errors"] == done.outputs["warnings"] == "0", done.log


@pytest.mark.slow
def test_the_real_installation(tmp_path: Path) -> None:
    """The install step as a runner does it, from the package index."""
    write(tmp_path / "w", SHOP)
    runner = Runner(tmp_path / "w", tmp_path / "t", {}, timeout=600, python=sys.executable)
    done = runner.use(fail_on="never", upload_report="false")
    if done.steps["Install"] == "failure":
        pytest.skip("nothing can be installed here")
    assert done.succeeded and done.outputs["result"] in ("pass", "warn"), done.log
