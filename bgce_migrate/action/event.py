"""What started the job: the event, its branch, its commit and its pull request."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

_LARGEST = 64 << 20


class Event(Struct, frozen=True):
    """One run of a workflow.

    Attributes:
        branch: the branch it is for: a pull request's target, else the branch that was pushed or chosen; "" for a tag.
        commit: what is checked out.
        pull_request: its number, if there is one.
        fork: its branch is in another repository, so the token may only read.
    """

    name: str = ""
    branch: str = ""
    commit: str = ""
    repository: str = ""
    pull_request: int | None = None
    fork: bool = False
    api_url: str = "https://api.github.com"
    run_url: str = ""

    @property
    def proposes(self) -> bool:
        """Whether the change is not on its branch yet."""
        return self.name in ("pull_request", "pull_request_target", "merge_group")


def read_event(environment: Mapping[str, str]) -> Event:
    """From the runner's variables and the event file; what is missing or unreadable stays empty."""
    name = environment.get("GITHUB_EVENT_NAME", "")
    content = _content(environment.get("GITHUB_EVENT_PATH"))
    pull = _part(content, "pull_request")
    number = _part(pull, "number")
    ref = environment.get("GITHUB_REF", "")
    if pull is not None:
        branch = _text(_part(pull, "base"), "ref") or environment.get("GITHUB_BASE_REF", "")
    elif name == "merge_group":
        branch = _text(_part(content, "merge_group"), "base_ref").removeprefix("refs/heads/")
    else:
        branch = ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else ""
    repository = environment.get("GITHUB_REPOSITORY", "")
    server = environment.get("GITHUB_SERVER_URL", "https://github.com")
    run = environment.get("GITHUB_RUN_ID", "")
    return Event(
        name,
        branch,
        environment.get("GITHUB_SHA", ""),
        repository,
        number if isinstance(number, int) and not isinstance(number, bool) else None,
        pull is not None and _text(_part(_part(pull, "head"), "repo"), "full_name") != repository,
        environment.get("GITHUB_API_URL") or "https://api.github.com",
        f"{server}/{repository}/actions/runs/{run}" if repository and run else "",
    )


def _content(path: str | None) -> Any:
    if not path:
        return None
    try:
        with Path(path).open("rb") as file:
            return json.loads(file.read(_LARGEST))
    except (OSError, ValueError, RecursionError):
        return None


def _part(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, dict) else None


def _text(value: Any, key: str) -> str:
    found = _part(value, key)
    return found if isinstance(found, str) else ""
