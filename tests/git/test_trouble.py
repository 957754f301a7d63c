"""Git that is missing, refuses or is damaged: a sentence and what to do, never a traceback."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.program import REPOSITORY
from tests.git.repos import Site, git_environment, pair

BIO = "migrations/cortex/000002_add_bio.up.sql"


def test_without_the_git_program_a_note(site: Site, tmp_path: Path) -> None:
    (tmp_path / "bin").mkdir()
    answer = site.bgce("check", env={"PATH": str(tmp_path / "bin")})
    assert answer.code == 0, answer.err
    assert "GitPython and the git program" in answer.out
    answer = site.bgce("check", "--base", "main", env={"PATH": str(tmp_path / "bin")})
    assert answer.code == 2 and "install git" in answer.err
    assert site.bgce("hook", "install", env={"PATH": str(tmp_path / "bin")}).code == 2


def test_without_gitpython_a_note(site: Site) -> None:
    program = "import sys\nsys.modules['git'] = sys.modules['git.cmd'] = None\nfrom bgce_migrate.cli import execute\nsys.exit(execute(['check']))\n"
    env = {**os.environ, **git_environment(), "PYTHONPATH": str(REPOSITORY)}
    done = subprocess.run([sys.executable, "-c", program], cwd=site.root, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "bgce-migrate[lint]" in done.stdout


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="needs root to give files away")
def test_a_repository_of_another_user(site: Site) -> None:
    for path in [site.root, *site.root.rglob("*")]:
        os.chown(path, 12345, 12345, follow_symlinks=False)
    answer = site.bgce("check")
    assert answer.code == 0 and "safe.directory" in answer.out, answer.out + answer.err
    assert site.bgce("renumber").code == 0


def test_a_damaged_repository(site: Site) -> None:
    shutil.rmtree(site.root / ".git" / "objects")
    (site.root / ".git" / "objects").mkdir()
    answer = site.bgce("check")
    assert answer.code in (0, 1, 2), answer.err
    (site.root / ".git" / "index").write_bytes(b"damaged")
    answer = site.bgce("hook", "run")
    assert answer.code == 2 and answer.err.startswith("error: "), answer.err


def test_blobs_that_are_not_here(site: Site, tmp_path: Path) -> None:
    site.git("config", "uploadpack.allowFilter", "true")
    site.git("clone", "-q", "--filter=blob:none", "--no-checkout", site.root.as_uri(), str(tmp_path / "partial"))
    copy = Site(tmp_path / "partial")
    copy.git("checkout", "-q", "main")
    copy.git("remote", "set-url", "origin", "file:///nowhere")
    copy.write({BIO: "ALTER TABLE users ADD COLUMN bio varchar(80);\n"})
    answer = copy.bgce("check")
    assert answer.code == 1 and "git-edited" in answer.out


@pytest.mark.parametrize("name", ["objects", "x.sql"])
def test_a_merge_that_is_not_done(site: Site, name: str) -> None:
    site.git("checkout", "-q", "-b", "feature")
    site.commit("mine", {name: "mine\n", **pair("cortex", 3, "age", "ALTER TABLE users ADD COLUMN age int;\n")})
    site.git("checkout", "-q", "main")
    site.commit("theirs", {name: "theirs\n", **pair("cortex", 4, "city", "ALTER TABLE users ADD COLUMN city int;\n")})
    site.git("checkout", "-q", "feature")
    site.git("merge", "-q", "main", code=1)
    repository, base = site.base()
    from bgce_migrate.migration import MigrationId
    from bgce_migrate.repository import on_target

    # What is being merged in is on the target branch already.
    assert MigrationId("cortex", 4) in on_target(site.desk().tree, repository, base)
    assert MigrationId("cortex", 3) not in on_target(site.desk().tree, repository, base)
