"""The one order over everything: what history has, what the lock file has, the new ones placed behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from bgce_migrate.migration import Edge, MigrationId
from bgce_migrate.order import Candidate, ForeignUse, LogEntry, Placement, Rules, place, replay
from bgce_migrate.tree import Tree


class Order(Struct, frozen=True):
    """The whole log: what history has, what the lock file has, the new ones placed behind them."""

    log: tuple[MigrationId, ...]
    placement: Placement
    edges: tuple[Edge, ...]
    foreign: Mapping[MigrationId, tuple[ForeignUse, ...]]


def rules(tree: Tree) -> Rules:
    """What the declarations say to the order."""
    domains = tree.project.domains
    return Rules(
        ranks={d.name: d.rank for d in domains},
        requires={d.name: frozenset(d.requires) if d.declared else None for d in domains},
    )


def candidate(tree: Tree, migration: MigrationId) -> Candidate:
    """A migration that wants a place."""
    script = tree.script(migration)
    return Candidate(tree.migrations[migration].id, script.effects, script.directives.requires, script.source.path)


def placed(tree: Tree, applied: Iterable[MigrationId]) -> tuple[tuple[LogEntry, ...], Placement]:
    """The log, and the new migrations placed behind it.

    Raises:
        Refused: the new ones cannot be placed (undeclared dependency, ambiguity, cycle).
    """
    log = dict.fromkeys(applied)
    if tree.lock is not None:
        log |= dict.fromkeys(line.id for line in tree.lock.lines if line.id in tree.migrations)
    new = [i for i in tree.migrations if i not in log]
    entries = tuple(LogEntry(i, tree.script(i).effects if i in tree.migrations else ()) for i in log)
    return entries, place(entries, [candidate(tree, i) for i in new], rules(tree))


def settle(tree: Tree, applied: Iterable[MigrationId]) -> Order:
    """The order over everything: history first, then the lock file, then what is new.

    Raises:
        Refused: the new ones cannot be placed (undeclared dependency, ambiguity, cycle).
    """
    entries, placement = placed(tree, applied)
    behind = replay(entries)
    foreign = {**behind.foreign, **placement.foreign}
    log = (*(entry.id for entry in entries), *placement.order)
    return Order(log, placement, (*behind.edges, *placement.edges), foreign)
