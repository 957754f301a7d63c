"""What people wait for: everything with style that is known already, and a commit of one new file under pre-commit."""

from __future__ import annotations

import importlib.util
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from bench.clock import Job, Sample, Timing, run
from bench.lint import ROOT

STYLED, STAGED = "lint --all --style, nothing changed", "pre-commit, one new file staged"
_NEW = "migrations/cortex/000900_add_remark"
_HOOK = """\
repos:
  - repo: local
    hooks:
      - id: bgce-lint
        name: lint
        language: system
        entry: {python} -m bgce_migrate lint
        files: \\.(up|down)\\.sql$
        require_serial: true
"""
_GIT = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
_WHO = ("-c", "user.name=bench", "-c", "user.email=bench@example.org")


def measure(folder: Path, rounds: int, say: Callable[[str], None] = print) -> tuple[Sample, ...]:
    """The shipped domains in a repository of their own; nothing where a program is missing."""
    missing = [name for name in ("sqlfluff", "git", "pre_commit") if importlib.util.find_spec(name) is None]
    if missing or shutil.which("git") is None:
        say(f"  {', '.join(missing) or 'git'} is not installed, so the hook is not timed")
        return ()
    site = _site(folder / "hook")
    environment = {"PYTHONPATH": str(ROOT), "PRE_COMMIT_HOME": str(folder / "pre-commit"), **_GIT}
    everything = Job((sys.executable, "-m", "bgce_migrate", "lint", "--all", "--style", "--fail-on", "error"), environment, site)
    hook = Job((sys.executable, "-m", "pre_commit", "run", "bgce-lint"), environment, site)
    run(everything)  # sqlfluff reads every file once
    _stage(site, 0)
    run(hook)
    styled: list[Timing] = []
    staged: list[Timing] = []
    for number in range(1, rounds + 1):
        _stage(site, number)
        staged.append(run(hook))
        run(everything)
        styled.append(run(everything))
    return Sample(STYLED, tuple(styled)), Sample(STAGED, tuple(staged))


def _site(folder: Path) -> Path:
    shutil.copytree(ROOT / "migrations", folder / "migrations")
    text = (ROOT / "bgce.toml").read_text(encoding="utf-8")
    # Plugins deliver the same folders from where they are installed.
    (folder / "bgce.toml").write_text(re.sub(r"^plugins = \[.*?\]\n", "", text, flags=re.MULTILINE | re.DOTALL), encoding="utf-8")
    shutil.copy(ROOT / "bgce.lock", folder / "bgce.lock")
    (folder / ".gitignore").write_text(".bgce/\n", encoding="utf-8")
    (folder / ".pre-commit-config.yaml").write_text(_HOOK.format(python=sys.executable), encoding="utf-8")
    for words in (("init", "-q", "-b", "main"), ("add", "-A"), ("commit", "-q", "-m", "domains"), ("checkout", "-q", "-b", "feature")):
        _git(folder, *words)
    return folder


def _stage(site: Path, number: int) -> None:
    """A file that nobody has seen, so that nothing of it is kept."""
    text = f"-- round {number}\nALTER TABLE categories\nADD COLUMN remark text;\n"
    (site / f"{_NEW}.up.sql").write_text(text, encoding="utf-8")
    (site / f"{_NEW}.down.sql").write_text("ALTER TABLE categories\nDROP COLUMN remark;\n", encoding="utf-8")
    run(Job((sys.executable, "-m", "bgce_migrate", "lock"), {"PYTHONPATH": str(ROOT)}, site))
    _git(site, "add", "-A")


def _git(folder: Path, *words: str) -> None:
    run(Job(("git", *_WHO, *words), _GIT, folder))
