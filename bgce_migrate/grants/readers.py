"""Who reads which columns of a table, from the declarations alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import Struct

from bgce_migrate.domain import Domain, Read, Service
from bgce_migrate.registry import Registry


class Reading(Struct, frozen=True):
    """What one service may read of one table.

    Attributes:
        home: the service's domain.
        columns: in the table's order; None for the whole table, those to come included.
        why: the declarations it follows from.
    """

    service: Service
    home: Domain
    columns: tuple[str, ...] | None
    why: str


class Readers:
    """Who reads anything of a domain, found once for all its tables."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._by_owner: dict[str, list[tuple[Service, Domain, dict[str, list[Read]]]]] = {}
        for name, service in registry.services.items():
            by_owner: dict[str, dict[str, list[Read]]] = {}
            for read in service.reads:
                by_owner.setdefault(read.domain, {}).setdefault(read.table, []).append(read)
            for owner, tables in by_owner.items():
                self._by_owner.setdefault(owner, []).append((service, registry.domain_of(name), tables))

    def of(self, owner: Domain, table: str, columns: Sequence[str]) -> Iterator[Reading]:
        """What each service that does not write a table may read of it, by the order of services.

        Args:
            columns: those the table has, in order; a declared one that it has not (yet) is left out.
        """
        for service, home, tables in self._by_owner.get(owner.name, ()):
            reads = [*tables.get("*", ()), *tables.get(table, ())]
            if not reads or (home is owner and table in service.writes):
                continue
            if found := _reading(self.registry, owner, table, columns, service, home, reads):
                yield found


def _reading(
    registry: Registry,
    owner: Domain,
    table: str,
    columns: Sequence[str],
    service: Service,
    home: Domain,
    reads: Sequence[Read],
) -> Reading | None:
    declared = owner.tables.get(table)
    if declared is None:
        return None  # `*` means the declared tables
    why = ", ".join(f"{owner.name}:{shown(read)}" for read in reads)
    why = f"{service.name} reads {why}"
    whole = any(read.columns is None and read.set_name is None for read in reads)
    if whole and not declared.columns:
        return Reading(service, home, None, why)
    # Consent of the owner; a domain needs none for its own columns, and nothing makes a secret readable.
    consent = frozenset(declared.columns) if home is owner else registry.shared(owner.name, service.name, table)
    named = {c for read in reads for c in (read.columns or declared.sets.get(read.set_name or "", ()))}
    allowed = tuple(
        column
        for column in columns
        if (kind := declared.columns.get(column, "public")) != "secret"
        and (column in named or (whole and kind == "public"))
        and (kind == "public" or column in consent)
    )
    return Reading(service, home, allowed, why) if allowed else None


def shown(read: Read) -> str:
    """A read as declarations write it, without its domain."""
    if read.set_name is not None:
        return f"{read.table}.{read.set_name}"
    return f"{read.table}({', '.join(read.columns)})" if read.columns is not None else read.table
