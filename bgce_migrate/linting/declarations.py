"""Findings of the lock file, the versions and the declared tables: what no statement shows."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping

from bgce_migrate.domain import Domain
from bgce_migrate.effect import Action, ObjectKind
from bgce_migrate.errors import BgceError, Where
from bgce_migrate.lint.ownership.values import Touch
from bgce_migrate.migration import Direction, Finding, MigrationId, Severity
from bgce_migrate.order import lockfile
from bgce_migrate.order.lockfile import Edited, Missing, Renumbered
from bgce_migrate.tree import Tree

#: Above this a version is a time, and gaps mean nothing.
_TIMESTAMPS = 100_000


def lock_findings(tree: Tree) -> Iterator[Finding]:
    """Edited, removed and renumbered locked migrations; new ones that are not locked yet."""
    lock = tree.lock
    if lock is None:
        return
    name = tree.project.lock_path.name
    back = "put the old text back (version control has it), and write a new migration for the change"
    for difference in lockfile.check(lock, tuple(tree.migrations.values())):
        if isinstance(difference, Edited):
            yield from _edited(tree, difference, back)
        elif isinstance(difference, Missing):
            line = difference.line
            if line.id.domain in tree.project.registry and line.id not in tree.unread:
                where = Where(_shown(tree), line.line)
                message = f"{line.id} is in {name}, but its file is gone"
                yield Finding("lock-removed", Severity.ERROR, message, where, "put the file back", line.id.domain)
        elif isinstance(difference, Renumbered):
            now, line = difference.migration, difference.line
            message = f"{line.id} is in {name}; here it is {now.id.short}: it was renumbered"
            hint = f"give it back its version, {line.id.version:06d}"
            yield Finding("lock-renumbered", Severity.ERROR, message, Where(now.up.path), hint, now.id.domain)
        else:
            found = difference.migration
            message = f"{found.id} is not in {name}"
            hint = "record it: bgce-migrate lock"
            yield Finding("not-locked", Severity.NOTE, message, Where(found.up.path), hint, found.id.domain)


def _edited(tree: Tree, difference: Edited, hint: str) -> Iterator[Finding]:
    """The bytes differ; comments, white space and letter case are free."""
    line, migration = difference.line, difference.migration
    down = difference.direction is Direction.DOWN
    if down and migration.down is None and migration.id in tree.unread:
        return
    try:
        same = tree.down_checksum(line.id) == line.down_checksum if down else tree.checksum(line.id) == line.up_checksum
    except BgceError:
        same = False
    if same:
        return
    file = migration.down if down and migration.down is not None else migration.up
    what = f"the down of {line.id}" if down else f"{line.id}"
    message = f"{what} was edited after it was locked"
    yield Finding("lock-edited", Severity.ERROR, message, Where(file.path), hint, line.id.domain)


def _shown(tree: Tree) -> str:
    from bgce_migrate.config.paths import shown

    return shown(tree.project.lock_path)


def version_findings(tree: Tree, judged: Collection[MigrationId]) -> Iterator[Finding]:
    """Numbers that are left out before a new migration."""
    versions: dict[str, list[MigrationId]] = {}
    for migration in dict.fromkeys((*tree.migrations, *tree.unread)):
        versions.setdefault(migration.domain, []).append(migration)
    for domain, listed in versions.items():
        listed.sort()
        for before, after in zip(listed, listed[1:], strict=False):
            gap = after.version - before.version
            if after in judged and gap > 1 and after.version < _TIMESTAMPS:
                missing = f"{before.version + 1:06d}" + (f" to {after.version - 1:06d}" if gap > 2 else "")
                message = f"{domain} has no version {missing}: {after.short} follows {before.short}"
                where = Where(tree.migrations[after].up.path)
                hint = f"if none is missing here, bgce-migrate renumber {domain}"
                yield Finding("version-gap", Severity.NOTE, message, where, hint, domain)


def table_findings(
    tree: Tree, touches: Mapping[MigrationId, tuple[Touch, ...]], judged: Collection[MigrationId]
) -> Iterator[Finding]:
    """Tables that are made and not declared, or declared by another domain."""
    owners = {(d.schema, t): d for d in tree.project.domains if d.declared for t in d.tables}
    for migration in sorted(judged & touches.keys() if isinstance(judged, frozenset) else judged):
        domain = tree.domain(migration)
        if not domain.declared:
            continue
        path = tree.migrations[migration].up.path
        dropped = {t.object for t in touches.get(migration, ()) if t.action is Action.DROP}
        for touch in touches.get(migration, ()):
            if _makes_table(touch) and touch.object not in dropped and touch.detail != "partition":
                yield from _table(domain, owners, touch, path)


def _makes_table(touch: Touch) -> bool:
    if touch.object.kind is not ObjectKind.RELATION or touch.soft or touch.over:
        return False
    return touch.action in (Action.MAKE, Action.REPLACE) and touch.relation_kind == "table"


def _table(domain: Domain, owners: Mapping[tuple[str, str], Domain], touch: Touch, path: str) -> Iterator[Finding]:
    schema, name = touch.object.schema or "public", touch.object.name
    owner = owners.get((schema, name))
    where = Where(path, touch.line)
    if owner is None and schema == domain.schema:
        message = f"table {touch.shown} has no owner: no domain declares it"
        hint = f"write [tables.{name}] into the domain.toml of {domain.name}"
        yield Finding("undeclared-table", Severity.WARNING, message, where, hint, domain.name, subject=touch.shown)
    elif owner is not None and owner.name != domain.name:
        team = f" (team {owner.team})" if owner.team else ""
        message = f"{domain.name} makes table {touch.shown}, which domain {owner.name}{team} declares"
        hint = f"move this migration into the folder of {owner.name}, or declare the table in {domain.name}"
        yield Finding("foreign-table", Severity.ERROR, message, where, hint, domain.name, subject=touch.shown)
