"""Everything wanted beside rights on objects: schemas, database, memberships, default privileges, owners."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import MappingProxyType

from bgce_migrate.grants.current import Current
from bgce_migrate.grants.model import (
    PUBLIC,
    Access,
    DefaultRight,
    Membership,
    Right,
    Securable,
    SecurableKind,
)
from bgce_migrate.grants.scope import Absent, Scope
from bgce_migrate.grants.wanted import KEEPER_RIGHTS, WRITER, Why, on_objects, writes_all


def wanted(scope: Scope, current: Current) -> Access:
    """What the declarations want of a database, as far as its objects exist."""
    rights: dict[Right, str] = {}
    owners = frozenset(d.owner for d in scope.declared)
    for right, why in on_objects(scope.registry, current.existing, scope.extra):
        if scope.guarded or right.grantee not in owners:
            rights.setdefault(right, why)
    rights.update(_states(scope, current))
    rights.update(_version_tables(scope, current))
    rights.update(_schemas(scope, current, rights))
    rights.update(_database(scope, current))
    for on in current.access.owners:
        if on.kind is SecurableKind.TYPE:
            rights[Right(on, PUBLIC, "USAGE")] = "types are for everybody, as PostgreSQL makes them"
    owner = dict(_owners(scope, current))
    owned = {**current.access.owners, **owner}  # an owner has every right by itself
    rights = {right: why for right, why in rights.items() if right.grantee != owned.get(right.on)}
    return Access(
        MappingProxyType(rights), frozenset(_memberships(scope)), frozenset(_defaults(scope, current)),
        MappingProxyType(owner),
    )  # fmt: skip


def _states(scope: Scope, current: Current) -> Iterator[Why]:
    for schema, name in current.existing.states:
        for login in scope.logins:
            yield Right(Securable(SecurableKind.TABLE, schema, name), login, "SELECT"), "services see what is applied"


def _version_tables(scope: Scope, current: Current) -> Iterator[Why]:
    """What keeps golang-migrate's rows true writes them as the bookkeeping's owner."""
    for place in dict.fromkeys(current.existing.versions.values()) if scope.guarded else ():
        for privilege in KEEPER_RIGHTS:
            yield Right(Securable(SecurableKind.TABLE, *place), scope.bookkeeper, privilege), "its row is kept true"


def _schemas(scope: Scope, current: Current, rights: Iterable[Right]) -> Iterator[Why]:
    """USAGE for all who have a right inside; CREATE, too, for owners of domains whose schema is not theirs."""
    inside = {(r.on.schema, r.grantee) for r in rights if r.on.schema and r.grantee != PUBLIC}
    for schema, grantee in sorted(inside):
        yield Right(_schema(schema), grantee, "USAGE"), "it has rights on what is in it"
    for domain in scope.declared if scope.guarded else ():
        if _schema(domain.schema) in current.access.owners:
            for privilege in ("CREATE", "USAGE"):
                yield Right(_schema(domain.schema), domain.owner, privilege), f"the objects of {domain.name} are in it"


def _database(scope: Scope, current: Current) -> Iterator[Why]:
    """CONNECT for logins; TEMPORARY for owners, whose migrations may want temporary tables."""
    database = Securable(SecurableKind.DATABASE, "", current.database)
    for login in (*scope.logins, *(scope.migrators if scope.guarded else ())):
        yield Right(database, login, "CONNECT"), "it logs in"
    for owner in scope.owners:
        yield Right(database, owner, "TEMPORARY"), "its migrations may make temporary tables"
    if Absent.CONNECT not in scope.absent:
        yield Right(database, PUBLIC, "CONNECT"), "other people's logins are their own affair"


def _memberships(scope: Scope) -> Iterator[Membership]:
    for login, owners in scope.migrators.items() if scope.guarded else ():
        yield from (Membership(owner, login) for owner in owners)


def _defaults(scope: Scope, current: Current) -> Iterator[DefaultRight]:
    """For services that write all of their domain; readers get nothing that nobody declared for them."""
    for domain in scope.declared if scope.guarded else ():
        if domain.owner not in current.accounts:
            continue
        yield DefaultRight(domain.owner, "", "TYPES", PUBLIC, "USAGE")
        if Absent.FUNCTIONS not in scope.absent:
            yield DefaultRight(domain.owner, "", "FUNCTIONS", PUBLIC, "EXECUTE")
        for service in domain.services:
            if writes_all(service, domain):
                for privilege in WRITER:
                    yield DefaultRight(domain.owner, domain.schema, "TABLES", service.login, privilege)


def _owners(scope: Scope, current: Current) -> Iterator[tuple[Securable, str]]:
    """Declared tables and functions, sequences of declared tables' columns, and schemas of one domain's own."""
    registry, guarded = scope.registry, scope.guarded
    for on in current.access.owners:
        home: str | None = None
        if on.kind is SecurableKind.TABLE:
            home = registry.owner_of(on.name, on.schema)
        elif on.kind is SecurableKind.FUNCTION and on.schema != scope.bookkeeping:
            home = scope.functions.get((on.schema, on.name))
        elif on.kind is SecurableKind.SCHEMA and guarded and on.name not in ("public", scope.bookkeeping):
            home = next((d.name for d in scope.declared if d.schema == on.name), None)
        if home is not None and registry[home].declared:
            yield on, scope.owner_of(home)


def _schema(name: str) -> Securable:
    return Securable(SecurableKind.SCHEMA, "", name)
