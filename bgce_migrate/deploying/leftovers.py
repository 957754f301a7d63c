"""Rights on what others own that an undone step had been given, and that nothing needs any more."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from bgce_migrate import rights
from bgce_migrate.apply import granting
from bgce_migrate.apply.context import Limits, RunInfo
from bgce_migrate.apply.marks import leading
from bgce_migrate.apply.target import Target
from bgce_migrate.db import rights_sql
from bgce_migrate.db import statements as st
from bgce_migrate.db.wire import Command, Failed
from bgce_migrate.grants.changes import RightsChange
from bgce_migrate.grants.scope import Mode
from bgce_migrate.host import Host
from bgce_migrate.migration import MigrationId
from bgce_migrate.settling import settle
from bgce_migrate.tree import Tree


def take_back(
    tree: Tree, host: Host, target: Target, info: RunInfo, limits: Limits,
    before: Collection[MigrationId], undone: Collection[MigrationId],
) -> tuple[str, ...]:  # fmt: skip
    """Take from the owners of undone steps what those needed of other owners' objects and nothing needs now.

    `up` gives such rights before its first step; keys, views and declared reads that are still there keep theirs.

    Args:
        before: what was applied when the undoing began.

    Returns:
        What was not taken, in words: it does no harm, and `grants apply` will.
    """
    owners = {d.name: d.owner for d in tree.project.domains if d.declared}
    grantees = {owners[i.domain] for i in undone if i.domain in owners}
    if target.layout != "guarded" or not grantees or not (named := _named(tree, before, undone)):
        return ()
    scope = rights.scope_of(tree.project, host, target)
    found = granting.find(target.control, scope, Mode.AUTHORITATIVE)
    by_owner: dict[str, list[str]] = {}
    for hand, change in found.possible:
        if not isinstance(change, RightsChange) or change.gives or not set(change.grantees) <= grantees:
            continue
        if (change.on.schema or change.on.name, change.on.name) in named and hand.role in owners.values():
            by_owner.setdefault(hand.role, []).append(rights_sql.statement(change, target.facts.server_version))
    return _run(tree, target, info, limits, by_owner) if by_owner else ()


def _named(tree: Tree, before: Iterable[MigrationId], undone: Collection[MigrationId]) -> set[tuple[str, str]]:
    """Schema and name of other domains' objects that the undone steps used; a schema stands for itself."""
    foreign = settle(tree, before).foreign
    uses = [use.object for migration in undone for use in foreign.get(migration, ())]
    return {(name.schema or "public", name.name) for name in uses} | {(name.name, name.name) for name in uses}


def _run(tree: Tree, target: Target, info: RunInfo, limits: Limits, by_owner: dict[str, list[str]]) -> tuple[str, ...]:
    """One short transaction an owner, under the run's lock."""
    migrators = {d.owner: d.migrator for d in tree.project.domains}
    waiting = {"lock_timeout": limits.lock_timeout, "search_path": "pg_catalog, pg_temp"}
    left = []
    with leading(target, info, limits):
        for owner, statements in by_owner.items():
            with target.access(info).work(migrators[owner]) as session:
                text, values = st.settings(session.server_version, waiting)
                commands = [Command("BEGIN"), Command(text, values), Command(st.set_role(owner)), *map(Command, statements), Command("COMMIT")]
                try:
                    session.run(commands)
                except Failed as failed:
                    left += [f"left behind: {statement} ({failed.error})" for statement in statements]
    return tuple(left)
