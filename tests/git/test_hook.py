"""`hook install`: git's own hook, beside what is there, and what it stops."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from bgce_migrate.scaffold.git_hook import BACKUP, MARKER
from tests.cli.program import environment
from tests.git.repos import Site, empty, git_environment, pair

BIO = "migrations/cortex/000002_add_bio.up.sql"
AGE = pair("cortex", 3, "add_age", "ALTER TABLE users ADD COLUMN age int;\n", "ALTER TABLE users DROP COLUMN age;\n")


def commit(site: Site, *words: str) -> subprocess.CompletedProcess[str]:
    """A commit as a person makes it, hooks and all."""
    env = {**environment(), **git_environment()}
    return subprocess.run(
        ["git", "commit", "-q", "-m", "x", *words], cwd=site.root, env=env, capture_output=True, text=True, check=False
    )


def hook_file(site: Site) -> Path:
    return site.root / ".git" / "hooks" / "pre-commit"


@pytest.fixture
def hooked(site: Site) -> Site:
    """A branch with the hook installed."""
    assert site.bgce("hook", "install").code == 0
    site.git("checkout", "-q", "-b", "feature")
    return site


def test_a_good_commit_passes(hooked: Site) -> None:
    hooked.write(AGE)
    hooked.lock()
    hooked.git("add", "-A")
    done = commit(hooked)
    assert done.returncode == 0, done.stdout + done.stderr


def test_an_edit_of_what_is_on_main_is_stopped(hooked: Site) -> None:
    hooked.write({BIO: "ALTER TABLE users ADD COLUMN bio varchar(80);\n"})
    done = commit(hooked, "-a")
    assert done.returncode != 0
    assert "cortex/000002_add_bio is on main" in done.stdout + done.stderr
    assert "--no-verify" in done.stderr
    assert commit(hooked, "-a", "--no-verify").returncode == 0


def test_a_deletion_alone_is_stopped(hooked: Site) -> None:
    hooked.git("rm", "-q", BIO, BIO.replace(".up.", ".down."))
    done = commit(hooked)
    assert done.returncode != 0 and "was deleted" in done.stdout + done.stderr


def test_a_commit_of_one_file_has_its_own_index(hooked: Site) -> None:
    hooked.write({"notes.txt": "x", BIO: "SELECT 1;\n"})
    hooked.git("add", "notes.txt")
    assert commit(hooked, "notes.txt").returncode == 0


def test_files_of_no_project_are_not_looked_at(tmp_path: Path) -> None:
    site = empty(tmp_path / "other")
    assert site.bgce("hook", "install").code == 0
    site.write({"a.sql": "not SQL"})
    site.git("add", "-A")
    assert commit(site).returncode == 0


def test_what_is_not_staged_is_said(hooked: Site) -> None:
    hooked.write(AGE)
    hooked.lock()
    hooked.git("add", "-A")
    hooked.write({"migrations/cortex/000003_add_age.up.sql": "-- later\nALTER TABLE users ADD COLUMN age int;\n"})
    done = commit(hooked)
    assert "has changes that are not staged" in done.stderr


def test_installing_again_changes_nothing(hooked: Site) -> None:
    before = hook_file(hooked).read_bytes()
    answer = hooked.bgce("hook", "install")
    assert answer.code == 0 and "up to date" in answer.out
    assert hook_file(hooked).read_bytes() == before
    assert not (hook_file(hooked).parent / BACKUP).exists()


def test_a_hook_that_is_there_runs_first_and_comes_back(site: Site) -> None:
    old = "#!/bin/sh\necho \"old hook: $0\" >&2\ntest ! -e stop\n"
    hook_file(site).parent.mkdir(exist_ok=True)
    hook_file(site).write_text(old)
    hook_file(site).chmod(0o755)
    answer = site.bgce("hook", "install")
    assert answer.code == 0 and "runs first" in answer.out
    assert site.bgce("hook", "install").code == 0
    site.git("checkout", "-q", "-b", "feature")
    site.write({"notes.txt": "x"})
    site.git("add", "-A")
    done = commit(site)
    assert done.returncode == 0 and "old hook" in done.stderr
    site.write({"stop": "", BIO: "SELECT 1;\n"})
    done = commit(site, "-a")
    assert done.returncode == 1 and "is on main" not in done.stderr
    assert site.bgce("hook", "install", "--uninstall").code == 0
    assert hook_file(site).read_text() == old and os.access(hook_file(site), os.X_OK)
    assert "nothing to do" in site.bgce("hook", "install", "--uninstall").out


def test_two_hooks_of_others_are_not_joined(site: Site) -> None:
    folder = hook_file(site).parent
    folder.mkdir(exist_ok=True)
    for name in ("pre-commit", BACKUP):
        (folder / name).write_text("#!/bin/sh\n")
    answer = site.bgce("hook", "install")
    assert answer.code == 3 and "someone else's" in answer.err
    assert (folder / "pre-commit").read_text() == "#!/bin/sh\n"


def test_after_pre_commit_moved_ours_aside(hooked: Site) -> None:
    folder = hook_file(hooked).parent
    hook_file(hooked).rename(folder / "pre-commit.legacy")
    hook_file(hooked).write_text("#!/bin/sh\n# made by pre-commit\n")
    assert "up to date" in hooked.bgce("hook", "install").out
    assert "made by pre-commit" in hook_file(hooked).read_text()
    assert hooked.bgce("hook", "install", "--uninstall").code == 0
    assert not (folder / "pre-commit.legacy").exists() and hook_file(hooked).exists()


@pytest.mark.parametrize("path", ["hooks", "folder with 'quotes' and space", "/absolute"])
def test_hooks_path_is_respected(site: Site, tmp_path: Path, path: str) -> None:
    folder = tmp_path / "absolute" if path == "/absolute" else site.root / path
    site.git("config", "core.hooksPath", str(folder) if path == "/absolute" else path)
    answer = site.bgce("hook", "install", cwd=site.root / "migrations")
    assert answer.code == 0, answer.err
    assert MARKER in (folder / "pre-commit").read_text()
    assert not hook_file(site).exists()
    site.git("checkout", "-q", "-b", "feature")
    site.write({BIO: "SELECT 1;\n"})
    assert "is on main" in commit(site, "-a").stderr


def test_a_program_that_is_gone_is_said(hooked: Site) -> None:
    text = hook_file(hooked).read_text()
    hook_file(hooked).write_text(text.replace("program=", "program=/nowhere"))
    hooked.write({"notes.txt": "x"})
    hooked.git("add", "-A")
    env = {**git_environment(), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(["git", "commit", "-m", "x"], cwd=hooked.root, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 1 and "bgce-migrate hook install" in done.stderr


def test_no_repository(tmp_path: Path) -> None:
    answer = Site(tmp_path).bgce("hook", "install")
    assert answer.code == 2 and "in no git repository" in answer.err
