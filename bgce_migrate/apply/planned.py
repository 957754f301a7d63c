"""A plan with what running it takes; apart, because showing a plan needs no connection."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct, field

from bgce_migrate.migration import MigrationId, Plan
from bgce_migrate.plan.rights import Right

if TYPE_CHECKING:
    from bgce_migrate.db.session import Session


class Planned(Struct, frozen=True):
    """A plan and what running it takes.

    Attributes:
        rights: by the step that makes the object; None for objects that exist already.
        parents: for each step, tables of other owners that its keys refer to, as "schema.table".
        extensions: extensions that the steps create, by step.
        afterwards: called under the lock with what was done; warnings come back.
    """

    plan: Plan
    rights: Mapping[MigrationId | None, tuple[Right, ...]] = field(default_factory=lambda: MappingProxyType({}))
    parents: Mapping[MigrationId, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    extensions: Mapping[MigrationId, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))
    warnings: tuple[str, ...] = ()
    afterwards: Callable[[Session, Sequence[MigrationId]], tuple[str, ...]] | None = None
