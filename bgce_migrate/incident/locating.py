"""Which statement of which file a session is at, where the files are at hand."""

from __future__ import annotations

from msgspec.structs import replace

from bgce_migrate.errors import BgceError
from bgce_migrate.incident.model import Scene, Work
from bgce_migrate.migration import MigrationId, Statement
from bgce_migrate.tree import Tree


def located(scene: Scene, tree: Tree) -> Scene:
    """The same scene with numbers of statements."""
    runs = [replace(r, works=tuple(_located(w, tree) for w in r.works)) for r in scene.runs]
    return replace(scene, runs=tuple(runs))


def _located(work: Work, tree: Tree) -> Work:
    if not work.statement or not work.step:
        return work
    for migration in tree.migrations:
        if not _fits(work, migration):
            continue
        for statements in _files(tree, migration):
            for number, statement in enumerate(statements, 1):
                if _same(statement.text, work.statement):
                    return replace(work, step=migration.short, cut=False, number=number, of=len(statements))
    return work


def _fits(work: Work, migration: MigrationId) -> bool:
    return _bare(migration).startswith(work.step) if work.cut else migration.short == work.step


def _bare(migration: MigrationId) -> str:
    """As a session calls itself."""
    return f"{migration.domain}/{migration.version}"


def _files(tree: Tree, migration: MigrationId) -> list[tuple[Statement, ...]]:
    """The statements of its files, as far as they can be read."""
    try:
        down, _ = tree.down(migration)
        scripts = [tree.script(migration), down]
    except BgceError:
        return []
    return [s.statements for s in scripts if s is not None]


def _same(text: str, shown: str) -> bool:
    """The server shows the beginning of a long one."""
    return text.strip().startswith(shown.strip().rstrip(";")) or shown.strip().startswith(text.strip())
