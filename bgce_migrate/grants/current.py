"""Who may do what on a server, as it says itself."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field

from bgce_migrate.grants.existing import Existing
from bgce_migrate.grants.model import Access, Membership, Right, Securable


class Account(Struct, frozen=True):
    """A role that exists.

    Attributes:
        settable: this session may act as it with SET ROLE.
        usable: this session has its rights without that.
        administrable: this session may make itself a member.
    """

    name: str
    may_login: bool
    superuser: bool
    inherits: bool
    settable: bool
    usable: bool
    administrable: bool


class Current(Struct, frozen=True):
    """Everything one reading of the catalog says.

    Attributes:
        access: rights that owners gave, memberships, default privileges, owners of objects.
        passed_on: rights that somebody else gave, with who.
        grantors: of memberships; from 16 on each is taken back in the name of who gave it.
        words: of relations, what ALTER calls them.
        definers: functions that run with their owner's rights.
        strangers: relations in the domains' schemas that belong to nobody of the project.
    """

    session: str
    superuser: bool
    database: str
    server_version: int
    access: Access
    existing: Existing
    accounts: Mapping[str, Account]
    passed_on: Mapping[Right, str] = field(default_factory=lambda: MappingProxyType({}))
    grantors: Mapping[Membership, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    words: Mapping[Securable, str] = field(default_factory=lambda: MappingProxyType({}))
    definers: frozenset[Securable] = frozenset()
    strangers: tuple[Securable, ...] = ()
