"""A plan with what running it takes; apart, because showing a plan needs no connection."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field

from bgce_migrate.migration import MigrationId, Plan
from bgce_migrate.plan.rights import Right


class Planned(Struct, frozen=True):
    """A plan and what running it takes.

    Attributes:
        rights: by the step that makes the object; None for objects that exist already.
        parents: for each step, tables of other owners that its keys refer to, as "schema.table".
        extensions: extensions that the steps create, by step.
    """

    plan: Plan
    rights: Mapping[MigrationId | None, tuple[Right, ...]] = field(default_factory=lambda: MappingProxyType({}))
    parents: Mapping[MigrationId, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    extensions: Mapping[MigrationId, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    warnings: tuple[str, ...] = ()
