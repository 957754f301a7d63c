"""The values of grants as code: securables, rights, memberships and all of them together."""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType

from msgspec import Struct, field

#: The grantee that stands for everybody: no role can have this name, while one may well be called "PUBLIC".
PUBLIC = "public"


class SecurableKind(str, Enum):
    """What a right is on; the words GRANT uses."""

    TABLE = "TABLE"  # also views, materialised views, foreign and partitioned tables
    SEQUENCE = "SEQUENCE"
    FUNCTION = "FUNCTION"  # ROUTINE where it may be a procedure
    SCHEMA = "SCHEMA"
    TYPE = "TYPE"
    DATABASE = "DATABASE"

    # A kind is part of every key there is; Enum's own hash is Python's.
    __hash__ = str.__hash__


class Securable(Struct, frozen=True, order=True):
    """An object that has an ACL.

    Attributes:
        schema: empty for schemas and databases.
        arguments: of a function, as `pg_get_function_identity_arguments` gives them without names; else empty.
    """

    kind: SecurableKind
    schema: str
    name: str
    arguments: str = ""


class Right(Struct, frozen=True, order=True):
    """One privilege of one grantee on one object, or on one column of it.

    Attributes:
        privilege: in PostgreSQL's words, e.g. `SELECT`.
        column: empty for the whole object.
    """

    on: Securable
    grantee: str
    privilege: str
    column: str = ""
    grantable: bool = False


class Membership(Struct, frozen=True, order=True):
    """`member` may act as `role`; the options as servers from 16 on have them."""

    role: str
    member: str
    inherit: bool = False
    set_role: bool = True
    admin: bool = False


class DefaultRight(Struct, frozen=True, order=True):
    """What `owner` gives of everything it makes from now on (ALTER DEFAULT PRIVILEGES).

    Attributes:
        schema: empty for all schemas.
        objects: `TABLES`, `SEQUENCES`, `FUNCTIONS`, `TYPES` or `SCHEMAS`.
    """

    owner: str
    schema: str
    objects: str
    grantee: str
    privilege: str
    grantable: bool = False


class Access(Struct, frozen=True):
    """Everything that decides who may do what: wanted, or as a server has it.

    Attributes:
        rights: each with why it is wanted (empty in what a server has).
        owners: by securable, the role that owns it.
    """

    rights: Mapping[Right, str] = field(default_factory=lambda: MappingProxyType({}))
    memberships: frozenset[Membership] = frozenset()
    defaults: frozenset[DefaultRight] = frozenset()
    owners: Mapping[Securable, str] = field(default_factory=lambda: MappingProxyType({}))
