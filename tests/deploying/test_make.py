"""`make deploy`: the same deployment for people who type make, also from a service's own Makefile."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import REPOSITORY, environment
from tests.deploying.conftest import applied

pytestmark = [
    pytest.mark.postgres(18),
    pytest.mark.skipif(shutil.which("make") is None, reason="no make here"),
]

BEFORE = ["cortex/1", "cortex/2", "postal/1"]


def make(shop: Path, database: str, *words: str) -> subprocess.CompletedProcess[str]:
    program = f"{sys.executable} -m bgce_migrate"
    (shop / "Makefile").write_text(f"BGCE = {program}\ninclude {REPOSITORY}/bgce.mk\n")
    return subprocess.run(
        ["make", "migrate-deploy", *words], cwd=shop, env=environment({"DATABASE_URL": database}),
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


def test_it_goes_well_and_it_fails(shop: Path, database: str) -> None:
    subprocess.run(["git", "init", "-q"], cwd=shop, check=True)
    who = {**os.environ, **{f"GIT_{w}_{k}": "a@b" for w in ("AUTHOR", "COMMITTER") for k in ("NAME", "EMAIL")}}
    subprocess.run(["git", "commit", "-q", "--allow-empty", "-m", "x"], cwd=shop, env=who, check=True)
    quoted = """cmd=echo "it's" 'deployed' $$BGCE_DEPLOYMENT > said; exit 7"""
    failed = make(shop, database, "domain=cortex", quoted, "undo=all")
    assert failed.returncode == 2, failed.stderr  # make's own
    assert "the command exited 7" in failed.stderr
    assert applied(database) == BEFORE
    said = (shop / "said").read_text().split()
    assert said[:2] == ["it's", "deployed"] and len(said[2]) == 40
    done = make(shop, database, "domain=cortex", "cmd=true", """health=test "it's" = "it's" """)
    assert done.returncode == 0, done.stderr
    assert applied(database) == [*BEFORE, "cortex/3", "cortex/4", "cortex/5"]


def test_what_is_missing_is_said(shop: Path, database: str) -> None:
    assert 'make migrate-deploy domain=NAME cmd="./deploy.sh"' in make(shop, database, "domain=cortex").stderr
    assert "could be about each of 2 domains" in make(shop, database, "cmd=true").stderr
    assert applied(database) == BEFORE
