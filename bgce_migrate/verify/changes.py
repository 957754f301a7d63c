"""Which migrations a change brought, or changed in either of their files."""

from __future__ import annotations

from bgce_migrate.errors import UsageError
from bgce_migrate.migration import Migration, MigrationId
from bgce_migrate.repository import Base, Repository
from bgce_migrate.repository.recorded import Recorded, state_at
from bgce_migrate.tree import Tree


def changed_since(tree: Tree, repository: Repository | None, base: Base) -> frozenset[MigrationId]:
    """Migrations whose files are not, or not byte for byte, at the commit from which the change went out.

    Raises:
        UsageError: git cannot say what has changed.
    """
    if repository is None or base.commit is None:
        reason = base.reason or "this folder is in no git repository"
        raise UsageError(f"--changed: {reason}", hint=base.hint or "say what to compare with: --base REF")
    then = state_at(repository, base.commit, tree.project)
    return frozenset(i for i, now in tree.migrations.items() if not _is_same(then, i, now))


def _is_same(then: Recorded, id: MigrationId, now: Migration) -> bool:
    pair = then.pairs.get(id)
    if pair is None or not then.has_bytes(pair.up, now.up):
        return False
    if pair.down is None or now.down is None:
        return pair.down is None and now.down is None
    return then.has_bytes(pair.down, now.down)
