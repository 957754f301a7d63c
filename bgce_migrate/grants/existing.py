"""What a database has that rights can be on, as far as wanted rights depend on it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field

from bgce_migrate.grants.model import Securable

#: A relation: its schema and its name.
Place = tuple[str, str]


class Use(Struct, frozen=True, order=True):
    """A use of another owner's columns that stands in the catalog.

    Attributes:
        user: the domain whose owner role owns the key's table or the view.
        key: True for a foreign key, False for a view.
        by: the table or view that uses them, as `schema.name`.
    """

    user: str
    table: Place
    columns: tuple[str, ...]
    key: bool
    by: str


class Existing(Struct, frozen=True):
    """What a database has.

    Attributes:
        columns: of tables, views and partitions, in order.
        homes: the domain of each relation that no declaration names but one of the owner roles owns.
        sequences: by table, those of its own schema that a writer must have USAGE on: of serial columns and of
            `nextval` defaults. Identity columns need none. Under `("", domain)` those that no default uses.
        functions: each with the domain whose owner role owns it.
        states: relations of the bookkeeping that every service may read.
        versions: by service, the table in which its previous tool keeps its version.
    """

    columns: Mapping[Place, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    homes: Mapping[Place, str] = field(default_factory=lambda: MappingProxyType({}))
    sequences: Mapping[Place, tuple[str, ...]] = field(default_factory=lambda: MappingProxyType({}))
    functions: Mapping[Securable, str] = field(default_factory=lambda: MappingProxyType({}))
    uses: frozenset[Use] = frozenset()
    states: tuple[Place, ...] = ()
    versions: Mapping[str, Place] = field(default_factory=lambda: MappingProxyType({}))
