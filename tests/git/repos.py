"""Real git repositories for tests, made with the git program in an environment of their own."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bgce_migrate.desk import Desk
from bgce_migrate.repository import Base, Repository, find_base, open_repository
from tests.cli.program import SHOP, Answer, bgce, write

ATTRIBUTES: dict[str, str | bytes] = {".gitattributes": "bgce.lock merge=union\n", ".gitignore": ".bgce/\n"}


def git_environment() -> dict[str, str]:
    """The test's environment without anything of the user's git, and with fixed names and times."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {
        **kept,
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_AUTHOR_NAME": "A", "GIT_AUTHOR_EMAIL": "a@example.org",
        "GIT_COMMITTER_NAME": "A", "GIT_COMMITTER_EMAIL": "a@example.org",
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Site:
    """A repository with a work tree."""

    root: Path

    def git(self, *words: str, code: int = 0) -> str:
        """What a git command prints; its exit code must be `code`."""
        done = subprocess.run(
            ["git", *words], cwd=self.root, env=git_environment(), capture_output=True, text=True, check=False
        )
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout

    def commit(self, message: str, files: Mapping[str, str | bytes | None] | None = None) -> str:
        """Write files (None deletes one), commit everything; the commit's hash."""
        self.write(files or {})
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)
        return self.git("rev-parse", "HEAD").strip()

    def write(self, files: Mapping[str, str | bytes | None]) -> None:
        """Write files; None deletes one."""
        write(self.root, {name: text for name, text in files.items() if text is not None})
        for name, text in files.items():
            if text is None:
                (self.root / name).unlink()

    def bgce(self, *words: str, env: Mapping[str, str] | None = None, cwd: Path | None = None) -> Answer:
        """Run our program here."""
        return bgce(*words, cwd=cwd or self.root, env={**git_environment(), **(env or {})})

    def lock(self) -> None:
        """Record the order."""
        answer = self.bgce("lock")
        assert answer.code == 0, answer.err

    def desk(self) -> Desk:
        """The project as its files tell it."""
        return Desk.load(self.root, plugins_required=False)

    def base(self, ref: str | None = None, environment: Mapping[str, str] | None = None) -> tuple[Repository, Base]:
        """The repository and its target branch."""
        repository = open_repository(self.root)
        assert repository is not None
        return repository, find_base(repository, ref, environment or {})


def empty(root: Path) -> Site:
    """A repository without a commit, on branch main."""
    root.mkdir(parents=True, exist_ok=True)
    site = Site(root)
    site.git("init", "-q", "-b", "main")
    return site


def shop(root: Path) -> Site:
    """The two domains of the shop, recorded and committed on main."""
    site = empty(root)
    site.write({**SHOP, **ATTRIBUTES})
    site.lock()
    site.commit("shop")
    return site


def pair(domain: str, number: int, slug: str, up: str, down: str = "SELECT 1;\n") -> dict[str, str | bytes | None]:
    """The two files of a migration."""
    stem = f"migrations/{domain}/{number:06d}_{slug}"
    return {f"{stem}.up.sql": up, f"{stem}.down.sql": down}
