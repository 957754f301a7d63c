"""A repository made for a test, and the events GitHub would tell of it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.action.github_stub import REPOSITORY, TOKEN, Stub
from tests.action.harness import Outcome, Runner
from tests.cli.program import SHOP
from tests.git.repos import ATTRIBUTES, Site, git_environment

ENVIRONMENTS = """
[environments.production]
url_env = "DATABASE_URL"
branch = "main"

[environments.staging]
url_env = "STAGING_URL"
branch = "develop"
"""
FOLDER = "migrations/postal"
BAD: dict[str, str | bytes | None] = {
    f"{FOLDER}/000002_take.up.sql": "ALTER TABLE users ADD COLUMN karma bigint;\nDROP TABLE posts;\n",
    f"{FOLDER}/000002_take.down.sql": "ALTER TABLE users DROP COLUMN karma;\n",
}
GOOD: dict[str, str | bytes | None] = {
    f"{FOLDER}/000002_add_slug.up.sql": "ALTER TABLE posts ADD COLUMN slug text;\n",
    f"{FOLDER}/000002_add_slug.down.sql": "ALTER TABLE posts DROP COLUMN slug;\n",
}
ZEROS = "0" * 40


@dataclass(slots=True)
class Proposal:
    """`main` and `feature`; the work tree is on `feature`."""

    site: Site
    temp: Path
    github: Stub
    before: str
    head: str

    def pull_request(self, *, fork: bool = False, number: int = 7) -> dict[str, str]:
        """The variables of a pull request from what is checked out to `main`; its merge is what is there then."""
        tree, tip = "HEAD^{tree}", self.site.git("rev-parse", "HEAD").strip()
        merged = self.site.git("commit-tree", tree, "-p", self.before, "-p", tip, "-m", "merge").strip()
        self.site.git("checkout", "-q", "--detach", merged)
        self.head = merged
        head = {"ref": "feature", "sha": tip, "repo": {"full_name": "guest/archive" if fork else REPOSITORY}}
        base = {"ref": "main", "sha": self.before, "repo": {"full_name": REPOSITORY}}
        content = {"number": number, "pull_request": {"number": number, "head": head, "base": base}}
        return self.event("pull_request", f"refs/pull/{number}/merge", content) | {"GITHUB_BASE_REF": "main"}

    def push(self, branch: str = "main", *, before: str | None = None, forced: bool = False) -> dict[str, str]:
        """The variables of a push."""
        content = {"ref": f"refs/heads/{branch}", "before": before or self.before, "after": self.head, "forced": forced}
        return self.event("push", f"refs/heads/{branch}", content)

    def event(self, name: str, ref: str, content: Mapping[str, Any]) -> dict[str, str]:
        """The variables of any event."""
        file = self.temp / "event.json"
        whole = {"repository": {"default_branch": "main", "full_name": REPOSITORY}, **content}
        file.write_text(json.dumps(whole))
        return {
            "GITHUB_EVENT_NAME": name, "GITHUB_EVENT_PATH": str(file), "GITHUB_REF": ref, "GITHUB_SHA": self.head,
            "GITHUB_REPOSITORY": REPOSITORY, "GITHUB_API_URL": self.github.url, "GITHUB_RUN_ID": "1", "TEST_TOKEN": TOKEN,
        }  # fmt: skip

    def runner(self, environment: Mapping[str, str], **settings: Any) -> Runner:
        """A machine with this repository checked out."""
        plain = {k: v for k, v in git_environment().items() if k.startswith("GIT_")}
        return Runner(self.site.root, self.temp / "runner", {**plain, **environment}, **settings)

    def use(self, event: Mapping[str, str], /, **inputs: str) -> Outcome:
        """The Action, once; without SARIF and artifact unless a test asks."""
        return self.runner(event).use(**{"sarif_file": "", "upload_report": "false", **inputs})


def make_checkout(root: Path) -> tuple[str, str]:
    """Two commits on `main` and one on `feature`: the end of each."""
    root.mkdir()
    site = Site(root)
    site.git("init", "-q", "-b", "main")
    files = {**SHOP, **ATTRIBUTES}
    files["bgce.toml"] = str(files["bgce.toml"]) + ENVIRONMENTS
    site.write(files)
    site.lock()
    before = site.commit("main")
    site.git("checkout", "-q", "-b", "feature")
    return before, site.commit("take", BAD)
