"""The real pre-commit with our hooks: a snapshot of this checkout as the repository that delivers them."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from tests.git.repos import Site, empty, git_environment

ROOT = Path(__file__).resolve().parents[2]
#: What is built into the package, beside what git would not tell of a checkout with new files.
PARTS = ("bgce_migrate", "pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", ".pre-commit-hooks.yaml")
HOOKS = ("bgce-lock", "bgce-check", "bgce-lint")


def deliver(to: Path) -> Site:
    """This checkout, as it is on disk, committed as a repository of hooks."""
    site = empty(to)
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, to / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, to / part)
    site.commit("hooks")
    return site


def configuration(hooks: Site) -> str:
    """`.pre-commit-config.yaml` with all of our hooks."""
    revision = hooks.git("rev-parse", "HEAD").strip()
    lines = "".join(f"      - id: {name}\n" for name in HOOKS)
    return f"repos:\n  - repo: {hooks.root.as_uri()}\n    rev: {revision}\n    hooks:\n{lines}"


def run(site: Site, *words: str, home: Path) -> subprocess.CompletedProcess[str]:
    """pre-commit, or git with pre-commit's hook installed; nothing of this process' Python is seen by the hooks."""
    env = {name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")}
    env |= {**git_environment(), "PRE_COMMIT_HOME": str(home), "PRE_COMMIT_COLOR": "never"}
    command = [sys.executable, "-m", "pre_commit", *words] if words[0] != "git" else list(words)
    return subprocess.run(
        command, cwd=site.root, env=env, capture_output=True, text=True, check=False, timeout=600
    )
