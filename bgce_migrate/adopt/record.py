"""Writes what was proven into the history: one transaction, nothing else on the target changes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from bgce_migrate.adopt.model import Adoption
from bgce_migrate.apply.compat.rows import Tables
from bgce_migrate.apply.marks import mark
from bgce_migrate.apply.target import require_writable
from bgce_migrate.migration import MigrationId
from bgce_migrate.tree import Tree

if TYPE_CHECKING:
    from bgce_migrate.apply.context import Limits, RunInfo
    from bgce_migrate.apply.target import Target


def record(
    tree: Tree,
    target: Target,
    info: RunInfo,
    limits: Limits,
    adoption: Adoption,
    *,
    what: str,
    despite: str | None = None,
    check: Callable[[], None] = lambda: None,
) -> tuple[MigrationId, ...]:
    """Record everything that was found as applied, with a row for each domain that says why.

    Args:
        what: the decision's name in history: `adopt` or `baseline`.
        despite: why it is recorded although there are differences.
        check: called under the run's lock before anything is written.

    Raises:
        Refused: the target takes no changes; or what `check` raises.
    """
    if not adoption.found:
        return ()
    require_writable(target)
    marks = []
    for migration in adoption.found:
        down = tree.down_source(migration)
        marks.append((migration, True, tree.checksum(migration), down.text if down else None))
    why = _reasons(adoption, what, despite)
    return mark(target, info, limits, marks, reasons=why, check=check, versions=Tables.of(tree))


def _reasons(adoption: Adoption, what: str, despite: str | None) -> Mapping[str, tuple[str, str]]:
    proof = f"catalog fingerprint {adoption.fingerprint} (PostgreSQL {adoption.major})"
    if despite is None:
        proof = f"a replay equals the live catalog, {proof}"
        if adoption.moved:
            proof += f"; {len(adoption.moved)} tables have their columns in another order"
    else:
        proof = f"{len(adoption.differences)} differences from a replay accepted: {despite}; {proof}"
    domains = dict.fromkeys(i.domain for i in adoption.found)
    return {d: (what, f"{adoption.sources.get(d, 'as said')}; {proof}") for d in domains}
