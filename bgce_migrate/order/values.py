"""What goes into placement and what comes out of it, as frozen values."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct, field

from bgce_migrate.effect import Effect
from bgce_migrate.migration import Edge, Finding, ForeignUse, MigrationId


class LogEntry(Struct, frozen=True):
    """A migration whose place is settled: applied, or recorded in `bgce.lock`."""

    id: MigrationId
    effects: tuple[Effect, ...] = ()


class Candidate(Struct, frozen=True):
    """A new migration that wants a place behind the log.

    Attributes:
        requires: the `-- bgce: requires` targets of its file, as written (`cortex/000002`).
        where: the path of its up file, for messages.
    """

    id: MigrationId
    effects: tuple[Effect, ...] = ()
    requires: tuple[str, ...] = ()
    where: str = ""


class Rules(Struct, frozen=True):
    """What the declarations say about the domains.

    Attributes:
        ranks: the domains' places in `bgce.toml`; a domain that is missing comes last, by name.
        requires: what each domain's `requires` lists; None or missing for an undeclared folder, for which
            neither ownership nor dependencies are checked.
    """

    ranks: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    requires: Mapping[str, frozenset[str] | None] = field(default_factory=lambda: MappingProxyType({}))


class Placement(Struct, frozen=True):
    """Where the new migrations go.

    Attributes:
        order: the new migrations, in the order in which they follow the log.
        edges: what the order follows, each with its reason.
        dropped: soft edges that were given up because they closed a cycle.
        findings: what a person should hear about, in the order of the files.
        foreign: for each new migration its uses of other domains' objects.
    """

    order: tuple[MigrationId, ...] = ()
    edges: tuple[Edge, ...] = ()
    dropped: tuple[Edge, ...] = ()
    findings: tuple[Finding, ...] = ()
    foreign: Mapping[MigrationId, tuple[ForeignUse, ...]] = field(
        default_factory=lambda: MappingProxyType({})
    )
