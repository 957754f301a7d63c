"""The shortest road: nothing is pending, so nothing is parsed, planned or locked."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from bgce_migrate.outcome import RunReport

if TYPE_CHECKING:
    from bgce_migrate.apply.context import RunInfo
    from bgce_migrate.apply.target import Target
    from bgce_migrate.tree import Tree

#: The digest of a plan without steps (`Plan.digest(())`).
EMPTY_FINGERPRINT = "e3b0c44298fc1c14"


def nothing_to_do(tree: Tree, target: Target, info: RunInfo) -> RunReport | None:
    """The report of an `up` that has nothing to do, or None: then plan."""
    applied = target.state.applied
    if any(i not in applied for i in tree.migrations) or target.state.journal:
        return None
    if tree.edited({i: a.checksum for i, a in applied.items()}):
        return None
    warnings = tuple(
        f"{i} is applied, but its file is gone; `bgce-migrate down` still can undo it from history"
        for i in applied
        if i not in tree.migrations and i.domain in tree.project.registry
    )
    return RunReport(
        info.run_id,
        "nothing_to_do",
        EMPTY_FINGERPRINT,
        heads=MappingProxyType(dict(target.state.heads)),
        warnings=warnings,
        deployment=info.deployment,
        target=MappingProxyType(target.describe()),
    )
