"""Who reads which columns of a table, from the declarations alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bgce_migrate.domain import Domain, Read, Service
from bgce_migrate.registry import Registry


@dataclass(frozen=True, slots=True)
class Reading:
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


def readings(
    registry: Registry, owner: Domain, table: str, columns: Sequence[str], *, closed: bool = False
) -> Iterator[Reading]:
    """What each service that does not write a table may read of it, by the order of services.

    Args:
        columns: those the table has, in order; a declared one that it has not (yet) is left out.
        closed: name the columns even where the whole table may be read.
    """
    for name, service in registry.services.items():
        reads = [r for r in service.reads if r.domain == owner.name and r.table in ("*", table)]
        home = registry.domain_of(name) if reads else owner
        if not reads or (home is owner and table in service.writes):
            continue
        if found := _reading(registry, owner, table, columns, service, home, reads, closed):
            yield found


def _reading(
    registry: Registry,
    owner: Domain,
    table: str,
    columns: Sequence[str],
    service: Service,
    home: Domain,
    reads: Sequence[Read],
    closed: bool,
) -> Reading | None:
    declared = owner.tables.get(table)
    if declared is None:
        return None  # `*` means the declared tables
    why = ", ".join(f"{owner.name}:{shown(read)}" for read in reads)
    why = f"{service.name} reads {why}"
    whole = any(read.columns is None and read.set_name is None for read in reads)
    if whole and not declared.columns and not closed:
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
