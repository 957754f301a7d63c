"""Files that were changed after they were committed, as the main line of git's history tells it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate import repository, sqlfile
from bgce_migrate.config.folders import FILE_NAME
from bgce_migrate.errors import BgceError, UsageError
from bgce_migrate.looking.model import Edited, GitHistory
from bgce_migrate.looking.reading import relative
from bgce_migrate.migration import Direction
from bgce_migrate.tree import Tree

#: Marks the line of a commit among those of files, which begin with a colon.
_COMMIT = b"commit "


class _Change(Struct, frozen=True):
    """One commit's change of one file; the blobs are hashes, all zeros where there is no file."""

    commit: str
    time: int
    status: str
    before: str
    after: str
    path: str


def history(tree: Tree) -> GitHistory:
    """What git remembers of the migrations' files; why not, where it cannot be asked."""
    root = tree.project.root
    if not any((folder / ".git").exists() for folder in (root, *root.parents)):
        return GitHistory(unknown="the tree is in no git repository")
    try:
        found = repository.open_repository(root)
        if found is None:
            return GitHistory(unknown="the tree is in no git repository")
        if found.shallow:
            return GitHistory(unknown="the clone is shallow: git fetch --unshallow brings the history")
        return _history(tree, found)
    except UsageError as error:
        return GitHistory(unknown=error.message)


def _history(tree: Tree, found: repository.Repository) -> GitHistory:
    folders = {inside for d in tree.project.domains if (inside := found.inside(d.folder)) is not None}
    changes: dict[str, list[_Change]] = {}
    for change in _changes(found, folders):
        changes.setdefault(change.path, []).append(change)
    here = {
        inside: source.path
        for m in tree.migrations.values()
        for source in (m.up, m.down)
        if source is not None and (inside := found.inside(Path(source.path))) is not None
    }
    edits = {path: [c for c in done if c.status == "M"] for path, done in changes.items() if path in here}
    wanted = {name for done in edits.values() for c in done for name in (c.before, c.after)}
    sums = {name: _checksum(raw) for name, raw in found.blobs(wanted).items()}
    edited, untouched = [], 0
    for path, done in edits.items():
        real = [c for c in done if sums.get(c.before) != sums.get(c.after)]
        if real:
            began = changes[path][-1].time
            shown = relative(here[path], tree.project.root)
            edited.append(Edited(shown, tuple(c.commit[:10] for c in real), _day(began), _day(real[0].time)))
        untouched += bool(done) and not real
    gone = sorted(path for path, done in changes.items() if path not in here and done[0].status == "D")
    removed = tuple(relative(found.top / path, tree.project.root) for path in gone)
    newest_first = sorted(edited, key=lambda e: (e.last, e.path), reverse=True)
    return GitHistory(tuple(newest_first), untouched, removed)


def _changes(found: repository.Repository, folders: set[str]) -> Iterator[_Change]:
    """Newest first, along first parents: what a branch did before it was merged is nobody else's business."""
    if not folders:
        return
    raw = found.ask(
        "log", "-m", "--first-parent", "--raw", "--no-abbrev", "--no-renames", "-z", "--no-show-signature",
        "--format=commit %H %ct", "--diff-filter=AMD", "HEAD", "--", *sorted(folders),
    )  # fmt: skip
    commit, time = "", 0
    words = iter(raw.split(b"\0"))
    for word in words:
        line = word.strip(b"\n")
        if line.startswith(_COMMIT):
            head, _, line = line.partition(b"\n")
            commit, time = head.split()[1].decode("ascii"), int(head.split()[2])
            line = line.strip(b"\n")
        if not line.startswith(b":"):
            continue
        _, _, before, after, status = line.decode("ascii").split()
        path = os.fsdecode(next(words, b""))
        if FILE_NAME.match(path.rpartition("/")[2]):
            yield _Change(commit, time, status[0], before, after, path)


def _checksum(raw: bytes) -> str:
    """Over the statements, without a BEGIN and COMMIT around them; over the bytes where they cannot be read."""
    try:
        source = sqlfile.read_source("", raw)
        script = sqlfile.read_script(source, declared=False, direction=Direction.UP)
        if not script.statements:
            return sqlfile.checksum(source)
        return sqlfile.checksum(replace(source, text=";\n".join(s.text for s in script.statements)))
    except BgceError:
        return raw.hex()


def _day(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).date().isoformat()
