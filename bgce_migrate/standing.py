"""Where every migration stands: files, lock file and history side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from bgce_migrate.migration import MigrationId
from bgce_migrate.outcome import StatusRow

if TYPE_CHECKING:
    from bgce_migrate.apply.target import Target
    from bgce_migrate.tree import Tree

Mark = tuple[MigrationId, bool, "str | None", "str | None"]


def status_rows(tree: Tree, target: Target | None) -> tuple[StatusRow, ...]:
    """One row a migration: those of the tree, then applied ones whose file is gone."""
    applied = target.state.applied if target is not None else {}
    failed, times = _recorded(target)
    edited = set(tree.edited({i: a.checksum for i, a in applied.items()}))
    out = []
    for migration in tree.migrations:
        done = applied.get(migration)
        if done is not None:
            word = "edited" if migration in edited else "applied"
        else:
            word = "failed" if migration in failed else "pending"
        at = times.get(done.history_id) if done is not None else None
        out.append(StatusRow(migration, word, at, tree.locked(migration) is not None))
    gone = (a for i, a in applied.items() if i not in tree.migrations)
    return (*out, *(StatusRow(a.id, "missing", times.get(a.history_id)) for a in gone))


def _recorded(target: Target | None) -> tuple[set[MigrationId], dict[int, str]]:
    """Versions whose last row is a failure, and when each history row was written."""
    if target is None or target.state.meta is None:
        return set(), {}
    rows = target.control.ask("history", "last_failures")
    failed = {MigrationId(r[0] or "", int(r[1] or 0)) for r in rows if r[2] == "false"}
    times = {int(r[0] or 0): r[1] or "" for r in target.control.ask("history", "applied_times")}
    return failed, times


def version_rows(tree: Tree, target: Target) -> tuple[str, ...]:
    """Sentences about golang-migrate's version rows that do not say what they should."""
    if tree.project.compat.golang_migrate is None:
        return ()
    from bgce_migrate.apply.compat.agreeing import disagreements
    from bgce_migrate.apply.compat.rows import Tables

    return tuple(d.text for d in disagreements(target, Tables.of(tree)))


def marks_to(tree: Tree, target: Target, domain: str, version: int) -> list[Mark]:
    """What `force` must record so that `domain` counts as being at `version`."""
    applied = target.state.applied
    marks: list[Mark] = []
    for i in tree.migrations:
        if i.domain == domain and i.version <= version and i not in applied:
            down = tree.down_source(i)
            marks.append((i, True, tree.checksum(i), down.text if down else None))
    return marks + [(i, False, None, None) for i in applied if i.domain == domain and i.version > version]
