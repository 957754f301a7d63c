"""New migrations into `bgce.lock`, in derived order, behind what is recorded."""

from __future__ import annotations

import os
from pathlib import Path

from msgspec.structs import replace

from bgce_migrate.errors import Problem, Refused, UsageError, Where
from bgce_migrate.migration import MigrationId
from bgce_migrate.order import lockfile
from bgce_migrate.order.lockfile import LockFile, LockLine
from bgce_migrate.outcome import LockResult
from bgce_migrate.settling import settle
from bgce_migrate.tree import Tree


def extend_lock(tree: Tree, *, check: bool, accept_edited: bool = False) -> LockResult:
    """Append what is new; lines that are there keep their place.

    Args:
        check: write nothing.
        accept_edited: take what was edited or removed since it was locked as it is now, in its old place. Only for
            migrations that nobody has applied yet.

    Raises:
        Refused: the order cannot be found, or a locked file was edited or is gone.
    """
    project = tree.project
    if not project.declared:
        raise UsageError("a plain folder has no lock file", hint="`bgce-migrate init` makes a project of it")
    known = tree.lock.lines if tree.lock is not None else ()
    if accept_edited:
        known = tuple(line for line in known if line.id in tree.migrations or line.id.domain not in project.registry)
    else:
        _require_unchanged(tree, known)
    order = settle(tree, ())
    locked = {line.id for line in known}
    added = tuple(i for i in order.log if i not in locked)
    refreshed = tuple(_refreshed(tree, line, accept_edited) for line in known)
    if not check and (added or tree.lock is None or refreshed != tree.lock.lines):
        lock = LockFile((*refreshed, *(_line(tree, i) for i in added)))
        _write(project.lock_path, lockfile.render(lock))
    return LockResult(project.lock_path, added, findings=order.placement.findings)


def _require_unchanged(tree: Tree, known: tuple[LockLine, ...]) -> None:
    problems = []
    for line in known:
        found = tree.migrations.get(line.id)
        if found is None:
            if line.id.domain in tree.project.registry:
                problems.append(Problem(f"{line.id} is locked, but its file is gone"))
        elif found.up.sha256 != line.up_sha256 and tree.checksum(line.id) != line.up_checksum:
            problems.append(Problem(f"{line.id} was edited after it was locked", Where(found.up.path)))
        elif _down_moved(tree, line):
            problems.append(Problem(f"the down of {line.id} was edited after it was locked", Where(found.up.path)))
    if problems:
        raise Refused(
            problems[0].message if len(problems) == 1 else f"{len(problems)} locked migrations have changed",
            hint="put the old text back and write a new migration for the change; while nobody has applied them yet:"
            " bgce-migrate lock --accept-edited",
            where=problems[0].where,
            problems=problems,
        )


def _down_moved(tree: Tree, line: LockLine) -> bool:
    down = tree.migrations[line.id].down
    sha = down.sha256 if down is not None else None
    return sha != line.down_sha256 and tree.down_checksum(line.id) != line.down_checksum


def _refreshed(tree: Tree, line: LockLine, accept_edited: bool) -> LockLine:
    """The same line with the bytes of today: comments and line ends may change."""
    found = tree.migrations.get(line.id)
    if found is None:
        return line
    if accept_edited:
        return replace(_line(tree, line.id), line=line.line)
    return replace(
        line, up_sha256=found.up.sha256, down_sha256=found.down.sha256 if found.down is not None else None
    )


def _line(tree: Tree, migration: MigrationId) -> LockLine:
    found = tree.migrations[migration]
    return LockLine(
        found.id,
        tree.script(migration).checksum,
        found.up.sha256,
        tree.down_checksum(migration),
        found.down.sha256 if found.down is not None else None,
        tree.domain(migration).distribution,
    )


def _write(path: Path, text: str) -> None:
    """All of it or nothing."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.write_text(text, encoding="utf-8")
    temporary.replace(path)
