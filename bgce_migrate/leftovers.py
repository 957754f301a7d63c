"""Rights on what others own that steps had been given, and that nothing needs once the steps are undone."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping

from msgspec import Struct, field
from msgspec.structs import replace

from bgce_migrate import rights
from bgce_migrate.apply import granting
from bgce_migrate.apply.context import Access, Limits, RunInfo
from bgce_migrate.apply.marks import leading
from bgce_migrate.apply.target import Target
from bgce_migrate.db import rights_sql
from bgce_migrate.db import statements as st
from bgce_migrate.db.session import Session
from bgce_migrate.db.wire import Command, Failed, Lost
from bgce_migrate.domain import Domain
from bgce_migrate.effect import ObjectKind
from bgce_migrate.errors import BgceError, Refused
from bgce_migrate.grants.changes import RightsChange
from bgce_migrate.grants.readers import Readers
from bgce_migrate.grants.scope import Mode
from bgce_migrate.host import Host
from bgce_migrate.migration import ForeignUse, MigrationId
from bgce_migrate.plan.rights import Right, needed
from bgce_migrate.registry import Registry
from bgce_migrate.settling import settle
from bgce_migrate.tree import Tree

#: Schema (of a schema its own name), name, who has it, privilege, column ("" is all of it).
_One = tuple[str, str, str, str, str]
#: Everybody may use types; rights on functions are told apart by name alone, and are the server's word otherwise.
_KINDS = (ObjectKind.RELATION, ObjectKind.SCHEMA, ObjectKind.FUNCTION)


def leave_nothing(
    tree: Tree, host: Host, target: Target, session: Session, access: Access, limits: Limits, these: Collection[MigrationId]
) -> tuple[str, ...]:
    """Take back what only these steps needed; what was left, in words. To be called under the run's lock.

    Args:
        session: may act as the owners in mode `role`, and is in no transaction.
        these: the steps that were undone since the target's state was read, or are pending.
    """
    found = _spare_of(tree, target, these)
    return take_back(found, tree, host, target, session, access, limits)


def leave_nothing_of_pending(tree: Tree, host: Host, target: Target, info: RunInfo, limits: Limits) -> tuple[str, ...]:
    """The same for all steps that are not applied: `up` gives what they need before its first one. Takes the run's lock.

    Raises:
        Unavailable: another run holds it.
    """
    if target.layout != "guarded":
        return ()
    pending = [i for i in tree.migrations if i not in target.state.applied]
    try:
        found = _spare_of(tree, target, pending)
    except Refused:
        return ()  # they have no place in the order, so nothing was ever given for them
    if not found.one_by_one:
        return ()
    with leading(target, info, limits) as leadership:
        return take_back(found, tree, host, target, leadership.control, target.access(info), limits)


def _spare_of(tree: Tree, target: Target, these: Collection[MigrationId]) -> Spare:
    applied, project, gone = target.state.applied, tree.project, frozenset(these)
    staying = [i for i in applied if i not in gone]
    return spare(project.registry, project.domains, settle(tree, applied).foreign, gone, staying)


class Spare(Struct, frozen=True):
    """What may be taken back: rights that some steps needed and no other one needs, nor any declaration gives.

    Whether it is there, and whether a key or view that is there needs it, only the server can tell.
    """

    one_by_one: frozenset[_One] = field(default_factory=frozenset)

    def part(self, change: RightsChange) -> Iterator[RightsChange]:
        """Of a right that is too much, what is ours to take."""
        if change.gives or change.option:
            return
        schema = change.on.schema or change.on.name
        for grantee in change.grantees:
            for privilege in change.privileges:
                found = [c for c in change.columns or ("",) if (schema, change.on.name, grantee, privilege, c) in self.one_by_one]
                if found:
                    columns = tuple(found) if change.columns else ()
                    yield replace(change, grantees=(grantee,), privileges=(privilege,), columns=columns)


def spare(
    registry: Registry, domains: Iterable[Domain], foreign: Mapping[MigrationId, tuple[ForeignUse, ...]],
    these: Collection[MigrationId], staying: Collection[MigrationId],
) -> Spare:  # fmt: skip
    """What steps needed of objects that stay, and nothing that stays needs. Asks nobody.

    Args:
        foreign: what each migration uses of other domains.
        these: the steps that are undone, or were never done.
        staying: those that are applied afterwards.
    """
    by_name = {d.name: d for d in domains}
    gone = set(these)
    uses = {i: foreign.get(i, ()) for i in these}
    # Rights on what goes go with it, but not those on the schema it was in.
    outside = {i: tuple(u for u in found if u.maker not in gone) for i, found in uses.items()}
    try:
        lost = set(_each(needed(outside, by_name)))
        lost |= {one for one in _each(needed(uses, by_name)) if _is_schema(one)}
        lost -= set(_each(needed({i: foreign.get(i, ()) for i in staying}, by_name))) if lost else set()
    except Refused:
        return Spare()  # today's declarations do not allow what was done; `grants` tells of it
    lost = {one for one in lost if not _declared(registry, by_name, one)}
    return Spare(frozenset(lost | set(_of_emptied(by_name, gone, staying))))


def _is_schema(one: _One) -> bool:
    return one[0] == one[1] and one[3] == "USAGE"


def _of_emptied(domains: Mapping[str, Domain], gone: Collection[MigrationId], staying: Iterable[MigrationId]) -> Iterator[_One]:
    """The way into the schemas of domains that have nothing left: it was given with what was in them."""
    left = {i.domain for i in staying}
    roles = {role for d in domains.values() for role in (d.owner, *(s.login for s in d.services))}
    for name in {i.domain for i in gone} - left:
        domain = domains.get(name)
        if domain is not None and domain.declared and domain.schema != "public":
            yield from ((domain.schema, domain.schema, role, "USAGE", "") for role in roles - {domain.owner})


def _each(found: Iterable[Right]) -> Iterator[_One]:
    for right in found:
        name = right.object
        if name.kind in _KINDS:
            schema = name.name if name.kind is ObjectKind.SCHEMA else name.schema or "public"
            for privilege in right.privileges:
                yield from ((schema, name.name, right.grantee, privilege, column) for column in right.columns or ("",))


def _declared(registry: Registry, domains: Mapping[str, Domain], one: _One) -> bool:
    """Whether declarations alone give an owner this very read: one of the whole table is another than of its columns."""
    schema, table, grantee, privilege, column = one
    owner = registry.owner_of(table, schema)
    if privilege != "SELECT" or owner is None:
        return False
    for reading in Readers(registry).of(domains[owner], table, [column] if column else []):
        if reading.home.owner == grantee and column in (reading.columns or ("",)):
            return True
    return False


def take_back(
    found: Spare, tree: Tree, host: Host, target: Target, session: Session, access: Access, limits: Limits
) -> tuple[str, ...]:
    """Take it, as each object's owner. To be called under the run's lock; one look, and nothing more where nothing is there.

    Args:
        session: may act as the owners in mode `role`, and is in no transaction.

    Returns:
        What was not taken, in words: it does no harm, and `grants apply` will.
    """
    owners = {d.owner: d.migrator for d in tree.project.domains}
    if not found.one_by_one or target.layout != "guarded":
        return ()
    try:
        seen = granting.find(session, rights.scope_of(tree.project, host, target), Mode.AUTHORITATIVE)
    except (BgceError, Failed, Lost) as error:
        return (f"whether rights are left behind was not found out: {error}; see bgce-migrate grants check",)
    by_owner: dict[str, list[str]] = {}
    for hand, change in seen.possible:
        if isinstance(change, RightsChange) and hand.role in owners:
            for part in found.part(change):
                by_owner.setdefault(hand.role, []).append(rights_sql.statement(part, target.facts.server_version))
    left: list[str] = []
    for owner, statements in by_owner.items():
        own = session if access.mode == "role" else None
        try:
            _run(own, access, owners[owner], owner, statements, limits)
        except (BgceError, Failed, Lost) as error:
            text = str(error.error) if isinstance(error, Failed) else str(error)
            left.append(f"left behind, for bgce-migrate grants apply: {'; '.join(statements)} ({text.strip()})")
    return tuple(left)


def _run(
    session: Session | None, access: Access, migrator: str, owner: str, statements: list[str], limits: Limits
) -> None:
    """One short transaction."""
    if session is None:
        with access.work(migrator) as own:
            return _run(own, access, migrator, owner, statements, limits)
    waiting = {"lock_timeout": limits.lock_timeout, "search_path": "pg_catalog, pg_temp"}
    text, values = st.settings(session.server_version, waiting)
    first = [Command("BEGIN"), Command(text, values), Command(st.set_role(owner))]
    try:
        session.run([*first, *map(Command, statements), Command("COMMIT")])
    except Failed:
        if session.usable:
            session.run([Command("ROLLBACK")])
        raise
    return None
