"""What the declarations ask of an administrator, and what of it is there."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field
from msgspec.structs import replace

from bgce_migrate.db import golang_migrate
from bgce_migrate.db.golang_migrate import Place
from bgce_migrate.db.session import Session
from bgce_migrate.db.target import read_facts
from bgce_migrate.domain import Domain
from bgce_migrate.errors import Refused


class Wanted(Struct, frozen=True):
    """What the declarations ask of an administrator."""

    domains: tuple[Domain, ...]
    schema: str = "bgce_migrate"
    mode: str = "role"
    extensions: tuple[str, ...] = ()
    history_view: str | None = None
    shared: tuple[Shared, ...] = ()
    versions: Mapping[str, Place] = MappingProxyType({})  # golang-migrate's tables by domain
    restore_points: bool = False  # that the migrator may make them


class Shared(Struct, frozen=True):
    """A function that a domain shares: where it is, whose, and for whom."""

    schema: str
    name: str
    owner: str
    grantees: tuple[str, ...]


class Found(Struct, frozen=True):
    """What is there already. `me` is "" where the script is for an administrator who is not connected."""

    me: str
    superuser: bool
    may_grant_stats: bool
    roles: dict[str, tuple[bool, bool, bool]] = field(default_factory=dict)  # login, superuser, inherit
    members: frozenset[tuple[str, str]] = frozenset()
    extensions: frozenset[str] = frozenset()
    schemas: dict[str, str] = field(default_factory=dict)
    creators: frozenset[tuple[str, str]] = frozenset()  # (schema, role or "" for PUBLIC)
    views: frozenset[str] = frozenset()
    logins: frozenset[tuple[str, str]] = frozenset()
    version: int = 0  # of the bookkeeping; 0 where there is none
    may_read: frozenset[tuple[str, str]] = frozenset()  # (view, role) that everybody's services read
    options: dict[tuple[str, str], str] = field(default_factory=dict)  # of memberships, from 16 on
    functions: frozenset[tuple[str, str, str]] = frozenset()  # (schema, name, arguments)
    executors: frozenset[tuple[str, str]] = frozenset()  # (schema.name(arguments), role or "" for PUBLIC)
    versions: golang_migrate.Found = golang_migrate.Found()

    @property
    def bookkeeping(self) -> bool:
        """Whether there is one."""
        return self.version > 0


def find(session: Session, schema: str, versions: Mapping[str, Place] = MappingProxyType({})) -> Found:
    """Read the catalog; two round trips, more where golang-migrate's tables (by domain) are wanted."""
    facts = read_facts(session)
    me, superuser, createrole, stats_admin, _ = session.ask("roles", "me")[0]
    rows = session.ask("roles", "existing", schema)

    def pick(kind: str) -> list[tuple[str, str]]:
        return [(a or "", b or "") for k, a, b, _ in rows if k == kind]

    logins: frozenset[tuple[str, str]] = frozenset()
    version = 0
    if facts.has_bookkeeping:
        said, layout = session.ask("roles", "version")[0]
        version = int(said or 0)
        if layout != "guarded":
            raise Refused(
                f"database {facts.database} has its bookkeeping in layout plain, owned by the login that made it",
                hint="start from a fresh database, or hand the objects over with `bgce-migrate adopt`",
            )
        logins = frozenset((a or "", b or "") for a, b in session.ask("roles", "logins"))
    flags = {name: tuple(word == "true" for word in v.split(",")) for name, v in pick("role")}
    return Found(
        me=me or "",
        superuser=superuser == "true",
        may_grant_stats=superuser == "true"
        or stats_admin == "true"
        or (createrole == "true" and facts.server_version < 160000),
        roles={name: (f[0], f[1], f[2]) for name, f in flags.items()},
        members=frozenset(pick("member")),
        extensions=frozenset(a for a, _ in pick("extension")),
        schemas=dict(pick("schema")),
        creators=frozenset(pick("create")),
        views=frozenset(a for a, _ in pick("view")),
        logins=logins,
        version=version,
        may_read=frozenset(pick("reader")),
        options={(a or "", b or ""): o or "" for k, a, b, o in rows if k == "member"},
        functions=frozenset((a or "", b or "", o or "") for k, a, b, o in rows if k == "function"),
        executors=frozenset((f"{a}.{b}({o})", "") for k, a, b, o in rows if k == "open function")
        | frozenset(pick("executor")),
        versions=golang_migrate.find(session, versions) if versions else golang_migrate.Found(),
    )


def in_new_database(found: Found) -> Found:
    """The same, in a database that is yet to be made: roles and memberships alone belong to the whole server."""
    # Up to 14 everybody may create in schema public.
    creators = frozenset({("public", "")})
    return Found(
        found.me, found.superuser, found.may_grant_stats, found.roles, found.members, creators=creators, options=found.options
    )


def for_somebody(found: Found) -> Found:
    """The same, for whichever administrator is going to run the script by hand."""
    return replace(found, me="", superuser=False, may_grant_stats=False)
