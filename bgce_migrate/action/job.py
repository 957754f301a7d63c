"""One run of the Action: what was asked, what started it, where it works and what it will say."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

from msgspec import Struct, field
from msgspec.structs import replace

from bgce_migrate.action.console import Console
from bgce_migrate.action.event import Event
from bgce_migrate.action.inputs import Inputs
from bgce_migrate.action.program import Answer, Program
from bgce_migrate.config import Project
from bgce_migrate.config.project import Environment
from bgce_migrate.report.comment import Page

#: libpq's own variables that name a database.
_LIBPQ = ("PGSERVICE", "PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE")

#: Every output with the value it has when nothing was found out.
OUTPUTS: Mapping[str, str] = {
    "result": "fail",
    "exit-code": "70",
    "environment": "",
    "deployment": "",
    "errors": "0",
    "warnings": "0",
    "notes": "0",
    "changed-files": "[]",
    "domains-touched": "[]",
    "pending": "0",
    "applied": "0",
    "fingerprint": "",
    "report-path": "",
    "sarif-path": "",
    "plan-path": "",
    "receipt-path": "",
    "comment-url": "",
}


class Job(Struct):
    """What all commands share.

    Attributes:
        environment: variables of the process.
        deploys: the environment of `bgce.toml` this run is for.
        reports: the folder that is uploaded.
    """

    inputs: Inputs
    event: Event
    console: Console
    environment: Mapping[str, str]
    project: Project
    deploys: Environment | None
    reports: Path
    program: Program

    @property
    def deployment(self) -> str:
        """Joins this run with later ones: what was said, else the commit."""
        return self.inputs.deployment or self.event.commit

    @property
    def one_domain(self) -> tuple[str, ...]:
        """`--domain`, where only one is wanted."""
        return (f"--domain={self.inputs.domain}",) if self.inputs.domain else ()

    def towards_database(self) -> tuple[Program, tuple[str, ...]]:
        """The program, and the words with which it finds the environment's database; none where its variable is not set."""
        if self.deploys is None:
            return self.program, ()
        if any(name in self.environment for name in self.deploys.url_env):
            return self.program, (f"--env={self.deploys.name}",)
        # Another environment's database must not pass for this one's.
        others = {*self.project.database.url_env, *_LIBPQ, "BGCE_DATABASE_URL", "BGCE_ENV"}
        return replace(self.program, environment={k: v for k, v in self.environment.items() if k not in others}), ()

    def save(self, name: str, text: str) -> str:
        """A file for the report; its path."""
        path = self.reports / name
        path.write_text(text if text.endswith("\n") else text + "\n", encoding="utf-8", errors="backslashreplace")
        return str(path)

    def in_workspace(self, file: str) -> str:
        """A path as GitHub knows it: from the repository's root."""
        workspace = self.environment.get("GITHUB_WORKSPACE") or "."
        return os.path.relpath(os.path.realpath(file), os.path.realpath(workspace))


class Result(Struct):
    """How it ended.

    Attributes:
        outputs: those that this command knows better than `OUTPUTS`.
        clean: there is nothing that a comment would have to say.
    """

    code: int
    page: Page
    outputs: dict[str, str] = field(default_factory=dict)
    clean: bool = False
    warned: bool = False


def failure_of(answer: Answer) -> tuple[str, str] | None:
    """Message and hint of what stopped a command."""
    error = answer.error
    if error is None:
        return None
    problems = error.get("problems") or ()
    listed = [str(p.get("message", "")) for p in problems if isinstance(p, dict)][:20]
    message = str(error.get("message", ""))
    return "; ".join(dict.fromkeys([message, *listed])), str(error.get("hint") or "")
