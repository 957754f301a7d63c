"""What a fingerprint is made of: objects with named facts, without OIDs, in a catalog of one major."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TypeAlias

from msgspec import Struct, field

#: What a fact says. A fact that is as PostgreSQL makes it by itself is left out.
Value: TypeAlias = str | int | bool | tuple[str, ...]

#: A fact of relations and composite types: the names of their columns in their order.
ORDER = "column order"
#: A fact of everything that has an ACL.
RIGHTS = "rights"

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*\Z")


def quoted(name: str) -> str:
    """A name as it is shown: in quotes unless it is of lower case letters, digits and underscores."""
    return name if _PLAIN.match(name) else '"' + name.replace('"', '""') + '"'


class Object(Struct, frozen=True):
    """One thing of the catalog.

    Attributes:
        kind: PostgreSQL's word for it: `table`, `column`, `index`.
        name: with its schema, e.g. `public.users.email`, `public.area(integer)`, `users_pkey on public.users`.
        facts: what is to be said of it, by name.
        owner: the role that owns it, or that owns what it is a part of; empty where nobody does.
        part_of: the identity of the object that it goes with, or empty.
    """

    kind: str
    name: str
    facts: Mapping[str, Value] = field(default_factory=lambda: MappingProxyType({}))
    owner: str = ""
    part_of: str = ""

    @property
    def identity(self) -> str:
        """Kind and name: one in a catalog."""
        return f"{self.kind} {self.name}"


class Catalog(Struct, frozen=True):
    """All objects of one database by identity.

    Attributes:
        major: the server's, e.g. 18; some facts count only within one.
    """

    major: int
    objects: Mapping[str, Object] = field(default_factory=lambda: MappingProxyType({}))

    def whole(self, identity: str) -> str:
        """The identity of the object that this one is a part of, at last; of itself, if of none."""
        while (found := self.objects.get(identity)) is not None and found.part_of:
            identity = found.part_of
        return identity


def catalog(major: int, objects: Iterable[Object]) -> Catalog:
    """A catalog of these objects."""
    return Catalog(major, MappingProxyType({o.identity: o for o in objects}))
