"""Who has to wait: the services that read and write a locked table, by their declarations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from msgspec import Struct

from bgce_migrate.measure.model import Block, Measured, TableName
from bgce_migrate.registry import Registry

#: Modes that stop somebody who only writes, and those who only read (documentation, "Conflicting Lock Modes").
STOPS = {
    "SHARE": "writes",
    "SHARE ROW EXCLUSIVE": "writes",
    "EXCLUSIVE": "writes",
    "ACCESS EXCLUSIVE": "reads and writes",
}


_USED = ("table", "materialized view", "view")


class Users(Struct):
    """Who uses a table."""

    registry: Registry

    def of(self, table: TableName, stops: str) -> tuple[tuple[str, str], ...]:
        """Services with their domains: those that write it, then, where reading stops, those that read it."""
        if table.domain is None or table.domain not in self.registry:
            return ()
        found = [(s.name, table.domain) for s in self.registry[table.domain].services if table.name in s.writes]
        if stops == "reads and writes":
            found += [
                (name, self.registry.domain_of(name).name)
                for name, service in self.registry.services.items()
                if any(r.domain == table.domain and r.table in ("*", table.name) for r in service.reads)
            ]
        return tuple(dict.fromkeys(found))


def blocks(statements: Sequence[Measured], users: Users, *, together: bool) -> tuple[Block, ...]:
    """The existing tables whose use a step stops, the longest first.

    Args:
        together: in one transaction, so that a lock is held until the last statement is done.
    """
    found: dict[tuple[TableName, str, int], Block] = {}
    for index, statement in enumerate(statements):
        rest = statements[index:] if together else [statement]
        for lock in statement.locks:
            if lock.new or lock.index or lock.mode not in STOPS or lock.kind not in _USED:
                continue
            stops = STOPS[lock.mode]
            block = Block(lock.table, lock.mode, stops, users.of(lock.root or lock.table, stops), index, _sum(rest))
            # What stops reading stops writing, too.
            weaker = {(lock.table, s, 0 if together else index) for s in (stops, "reads and writes")}
            if not weaker & found.keys():
                found[lock.table, stops, 0 if together else index] = block
    return tuple(sorted(found.values(), key=lambda b: (-(b.seconds or 0), b.statement, b.table.name)))


def _sum(statements: Iterable[Measured]) -> float | None:
    """None as soon as one part is not known."""
    total = 0.0
    for statement in statements:
        for work in statement.work:
            if work.seconds is None:
                return None
            total += work.seconds
    return total
