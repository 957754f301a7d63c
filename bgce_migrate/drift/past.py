"""What a target's history has applied, as a tree of its own: in history's order, with history's text where files differ."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate.config import Project
from bgce_migrate.db.history import Applied, State, Stored
from bgce_migrate.domain import Domain
from bgce_migrate.errors import Refused
from bgce_migrate.migration import Migration, MigrationId, SourceFile
from bgce_migrate.order.lockfile import LockFile, LockLine
from bgce_migrate.registry import build
from bgce_migrate.tree import Tree


class Past(Struct, frozen=True):
    """The applied migrations.

    Attributes:
        tree: has these and no others, locked in the order in which they were applied.
        warnings: of texts that are nowhere.
    """

    tree: Tree
    warnings: tuple[str, ...] = ()


def of_history(tree: Tree, state: State, stored: Iterable[Stored]) -> Past:
    """Rebuild what was applied.

    A file counts while it is the one that was applied; else the text that history keeps does.

    Raises:
        Refused: a migration was recorded without its text, and its file is gone.
    """
    texts = {s.id: s.up_sql or None for s in stored}  # a version that was forced has none
    migrations: dict[MigrationId, Migration] = {}
    lines, warnings = [], []
    for id, applied in state.applied.items():
        found, warning = _text_of(tree, applied, texts.get(id))
        warnings += warning
        migrations[id] = found
        lines.append(LockLine(id, applied.checksum or tree.checksum(id), found.up.sha256))
    past = Tree.of(_with_gone(tree.project, migrations), migrations, LockFile(tuple(lines)))
    for id in migrations:
        past.know_down(id, None)  # nobody goes down here
    return Past(past, tuple(warnings))


def _text_of(tree: Tree, applied: Applied, text: str | None) -> tuple[Migration, list[str]]:
    id = applied.id
    on_disk = tree.migrations.get(id)
    if on_disk is not None and (applied.checksum is None or tree.checksum(id) == applied.checksum):
        return on_disk, []
    if text is not None:
        source = SourceFile(f"history:{id}.up.sql", text, hashlib.sha256(text.encode()).hexdigest())
        declared = on_disk.declared if on_disk else id.domain in tree.project.registry and tree.project.declared
        return Migration(id, source, None, declared), []
    if on_disk is not None:
        return on_disk, [f"{id} was recorded without its text, and its file is another now: the file was taken"]
    raise Refused(
        f"{id} is applied, but its file is gone and history has no text of it",
        hint="bring the file back, then look again",
    )


def _with_gone(project: Project, migrations: Mapping[MigrationId, Migration]) -> Project:
    """The project with the domains that only history knows; they own what they made."""
    gone = {id.domain for id in migrations} - {d.name for d in project.domains}
    if not gone:
        return project
    last = max((d.rank for d in project.domains), default=0)
    stubs = [
        Domain(name, Path(name), last + n, declared=project.declared) for n, name in enumerate(sorted(gone), 1)
    ]
    domains = (*project.domains, *stubs)
    return replace(project, domains=domains, registry=build(domains))
