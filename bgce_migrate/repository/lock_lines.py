"""The lock file against the target branch's: lines that are there are never moved, changed or removed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import TYPE_CHECKING

from bgce_migrate.config.paths import shown
from bgce_migrate.errors import Where
from bgce_migrate.migration import Finding, MigrationId, Severity
from bgce_migrate.order.lockfile import LockLine

if TYPE_CHECKING:
    from bgce_migrate.repository.recorded import Recorded
    from bgce_migrate.repository.target import Base
    from bgce_migrate.tree import Tree

_MOST = 5


def moved_lines(tree: Tree, base: Base, then: Recorded) -> Iterator[Finding]:
    """`git-lock-moved`: lines of the target branch that are gone, changed, or in another order."""
    if then.lock is None:
        return
    file = shown(tree.project.lock_path)
    place = f"{base.branch} (commit {base.short})"
    hint = f"git checkout {base.short} -- {shlex.quote(file)} && bgce-migrate lock"
    if tree.lock is None:
        if then.lock:
            yield _finding(f"{file} is on {place} and was deleted", Where(file), hint)
        return
    now = {line.id: line for line in tree.lock.lines}
    gone = [line.id for line in then.lock if line.id not in now]
    if gone:
        yield _finding(f"lines of {place} were removed from {file}: {_names(gone)}", Where(file), hint)
    for before in then.lock:
        after = now.get(before.id)
        if after is not None and _says_otherwise(before, after) and not _is_read_here(tree, then, before.id):
            message = f"the line of {before.id} is on {place} and was changed"
            yield _finding(message, Where(file, after.line), hint, before.id.domain)
    expected = [line.id for line in then.lock if line.id in now]
    kept = set(expected)
    order = [line.id for line in tree.lock.lines if line.id in kept]
    for wanted, found in zip(expected, order, strict=True):
        if wanted != found:
            message = f"{file} has {now[found].id} before {now[wanted].id}; on {place} it is the other way round"
            yield _finding(message, Where(file, now[found].line), hint, found.domain)
            break


def _is_read_here(tree: Tree, then: Recorded, migration: MigrationId) -> bool:
    """Whether the files themselves are compared, so that the line need not be."""
    return migration in then.pairs and migration in tree.migrations


def _says_otherwise(before: LockLine, after: LockLine) -> bool:
    """Raw bytes may change with comments; the checksums may not."""
    return (before.up_checksum, before.down_checksum) != (after.up_checksum, after.down_checksum)


def _names(ids: list[MigrationId]) -> str:
    more = f" and {len(ids) - _MOST} more" if len(ids) > _MOST else ""
    return ", ".join(str(i) for i in ids[:_MOST]) + more


def _finding(message: str, where: Where, hint: str, domain: str | None = None) -> Finding:
    return Finding("git-lock-moved", Severity.ERROR, message, where, hint, domain)
