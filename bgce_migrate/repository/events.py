"""GitHub's variables and event file -> the branch that a change goes to."""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from msgspec import Struct

_LARGEST = 64 << 20


class Event(Struct, frozen=True):
    """What a run on GitHub is about.

    Attributes:
        branch: where the change goes, by its bare name.
        commits: commits or refs that say what is recorded there, the best first.
        why: the event in words, for messages.
    """

    branch: str
    commits: tuple[str, ...]
    why: str


def read_event(environment: Mapping[str, str], targets: Collection[str]) -> Event | None:
    """The event of this run; None where this is no run on GitHub, or its event names no branch.

    Args:
        targets: branches that are deployed: a push to one is judged against what was there before.
    """
    name = environment.get("GITHUB_EVENT_NAME", "")
    if not name:
        return None
    content = _content(environment.get("GITHUB_EVENT_PATH"))
    default = _text(_part(content, "repository"), "default_branch")
    if name in ("pull_request", "pull_request_target"):
        base = _part(_part(content, "pull_request"), "base")
        branch = _text(base, "ref") or environment.get("GITHUB_BASE_REF", "")
        # The first parent of the merge that GitHub checks out is the target's end; it may be newer than the event.
        merge = environment.get("GITHUB_SHA", "") if environment.get("GITHUB_REF", "").endswith("/merge") else ""
        tips = (f"{merge}^1",) if merge else ()
        return _event(branch, (*tips, f"origin/{branch}", _text(base, "sha")), "this pull request")
    if name == "merge_group":
        group = _part(content, "merge_group")
        branch = _text(group, "base_ref").removeprefix("refs/heads/")
        return _event(branch, (_text(group, "base_sha"), f"origin/{branch}"), "this merge group")
    ref = environment.get("GITHUB_REF", "")
    branch = ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else ""
    if name == "push" and branch and branch in {default, *targets}:
        before = _text(content, "before")
        return _event(branch, (before if before.strip("0") else "",), "this push")
    return _event(default, (f"origin/{default}",), f"this {name.replace('_', ' ')}")


def _event(branch: str, commits: tuple[str, ...], why: str) -> Event | None:
    usable = tuple(c for c in commits if c and not c.endswith("/"))
    return Event(branch, usable, why) if branch or usable else None


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
