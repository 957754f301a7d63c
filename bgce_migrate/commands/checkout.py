"""The commit that is checked out, read from git's own files: starting git costs more than a whole `up`."""

from __future__ import annotations

import re
from pathlib import Path

_COMMIT = re.compile(r"[0-9a-f]{40}(?:[0-9a-f]{24})?\Z")
_LONGEST = 1 << 26


def commit_of(folder: Path) -> str | None:
    """The full hash of HEAD of the repository that `folder` is in; None where that cannot be read."""
    try:
        for place in (folder.absolute(), *folder.absolute().parents):
            git = place / ".git"
            if git.is_dir():
                return _head(git)
            if git.is_file():
                # A worktree or submodule: `gitdir: PATH`.
                target = _read(git).removeprefix("gitdir:").strip()
                return _head(place / target)
    except OSError:
        pass
    return None


def _head(git: Path) -> str | None:
    head = _read(git / "HEAD").strip()
    if not head.startswith("ref:"):
        return head if _COMMIT.match(head) else None
    name = head.removeprefix("ref:").strip()
    if not name.startswith("refs/") or ".." in name.split("/"):
        return None
    common = git / "commondir"
    folders = (git, git / _read(common).strip()) if common.is_file() else (git,)
    for folder in folders:
        if (folder / name).is_file():
            found = _read(folder / name).strip()
            return found if _COMMIT.match(found) else None
    for folder in folders:
        if (folder / "packed-refs").is_file():
            for line in _read(folder / "packed-refs").splitlines():
                commit, _, ref = line.partition(" ")
                if ref == name and _COMMIT.match(commit):
                    return commit
    return None


def _read(path: Path) -> str:
    with path.open("rb") as file:
        return file.read(_LONGEST).decode("utf-8", "replace")
