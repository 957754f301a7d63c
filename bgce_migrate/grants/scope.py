"""What grants are about: the domains' schemas and roles, and what everybody is to have of it."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from msgspec import Struct, field
from msgspec.structs import force_setattr

from bgce_migrate.access import Grant
from bgce_migrate.domain import Domain
from bgce_migrate.grants.existing import Place
from bgce_migrate.registry import Registry


class Mode(str, Enum):
    """How far a difference is acted on."""

    OBSERVE = "observe"  # tell, change nothing
    ADDITIVE = "additive"  # give what is missing, take nothing
    AUTHORITATIVE = "authoritative"  # make it as declared


class Absent(str, Enum):
    """What everybody holds unless it is taken: `ensure absent`."""

    SCHEMA_CREATE = "schema-create"  # CREATE on the domains' schemas; servers before 15 give it on public
    TEMPORARY = "temporary"  # TEMPORARY on the database
    FUNCTIONS = "functions"  # EXECUTE on the domains' functions
    CONNECT = "connect"  # CONNECT on the database; other people's logins lose it too


#: Without `connect`, which would shut out logins that the declarations know nothing of.
ABSENT = frozenset({Absent.SCHEMA_CREATE, Absent.TEMPORARY, Absent.FUNCTIONS})


class Scope(Struct, frozen=True):
    """The roles and schemas of a project on one database.

    Attributes:
        guarded: owner roles exist; else `session_role` owns everything and no right between owners is needed.
        session_role: the login that owns everything in layout plain.
        migrators: the migrator logins, with the owner roles each may act as.
        bookkeeper: the role that owns the bookkeeping; nobody logs in as it.
        states: relations of the bookkeeping that services may read, where they exist.
        versions: by service, the table of its domain's previous tool.
        extra: what plugins ask for, with the domain they ask for.
        declared: the domains that say what they own; others get no rights and lose none.
        schemas: the domains' schemas, sorted.
        owners: the domain of each owner role; in layout plain none can be told from the owner.
        owning: the roles whose objects are the project's.
        logins: the service of each login; where several have one login, one of them.
        functions: the domain of each declared function, by schema and name.
        roles: every role of the project: owners, services, migrators, the bookkeeper.
        grantees: those, and the roles that plugins name.
    """

    registry: Registry
    guarded: bool
    session_role: str
    migrators: Mapping[str, tuple[str, ...]]
    bookkeeping: str
    bookkeeper: str
    states: tuple[Place, ...] = ()
    versions: Mapping[str, Place] = field(default_factory=lambda: MappingProxyType({}))
    absent: frozenset[Absent] = ABSENT
    extra: tuple[tuple[str, Grant], ...] = ()

    declared: tuple[Domain, ...] = ()
    schemas: tuple[str, ...] = ()
    owners: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    owning: tuple[str, ...] = ()
    logins: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    functions: Mapping[Place, str] = field(default_factory=lambda: MappingProxyType({}))
    roles: frozenset[str] = frozenset()
    grantees: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        """Work out what is asked for with every single right; nobody gives these."""
        declared = tuple(d for d in self.registry.domains if d.declared)
        owners = {d.owner: d.name for d in declared} if self.guarded else {}
        logins = {s.login: s.name for d in declared for s in d.services}
        roles = frozenset({*owners, *logins, *self.migrators, self.bookkeeper})
        for name, value in {
            "declared": declared,
            "schemas": tuple(sorted({d.schema for d in declared})),
            "owners": MappingProxyType(owners),
            "owning": tuple(owners) if self.guarded else (self.session_role,),
            "logins": MappingProxyType(logins),
            "functions": MappingProxyType({(d.schema, name): d.name for d in declared for name in d.functions}),
            "roles": roles,
            "grantees": roles | {grant.grantee for _, grant in self.extra},
        }.items():
            force_setattr(self, name, value)

    def owner_of(self, domain: str) -> str:
        """The role that is to own a domain's objects."""
        return self.registry[domain].owner if self.guarded else self.session_role
