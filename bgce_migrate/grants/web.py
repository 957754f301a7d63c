"""Everything beside ACLs that lets somebody reach an object: memberships, views, definer functions, cascades."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field

from bgce_migrate.grants.existing import Place
from bgce_migrate.grants.model import Securable


class Shown(Struct, frozen=True):
    """Columns of a relation that a view works on with its owner's rights.

    Attributes:
        through: what can be done to the relation through the view.
    """

    view: Place
    owner: str
    table: Place
    columns: frozenset[str]
    through: frozenset[str]


class Cascade(Struct, frozen=True):
    """A key that changes rows of `child` when rows of `parent` go or get another key.

    Attributes:
        on_delete: what deleting does to the child: `DELETE`, `UPDATE` or "".
        on_update: what a new key does to it: `UPDATE` or "".
    """

    child: Place
    parent: Place
    name: str
    on_delete: str
    on_update: str
    columns: frozenset[str]
    key: frozenset[str]


class Web(Struct, frozen=True):
    """How rights spread.

    Attributes:
        inherits: by member, the roles whose rights it has without SET ROLE.
        definers: functions that run as their owner, with their text.
    """

    inherits: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    superusers: frozenset[str] = frozenset()
    shown: tuple[Shown, ...] = ()
    cascades: tuple[Cascade, ...] = ()
    definers: Mapping[Securable, str] = field(default_factory=lambda: MappingProxyType({}))
