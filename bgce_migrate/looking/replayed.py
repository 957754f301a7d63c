"""The order over all domains, what they use of each other, and what several of them claim."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import groupby

from msgspec import Struct

from bgce_migrate.effect import Action, ObjectKind
from bgce_migrate.errors import Problem, Refused
from bgce_migrate.looking.claims import Claims
from bgce_migrate.looking.model import Claim, Folder, Reference, Stretch
from bgce_migrate.looking.reading import relative
from bgce_migrate.migration import ForeignUse, MigrationId
from bgce_migrate.order import LogEntry, replay
from bgce_migrate.settling import settle
from bgce_migrate.tree import Tree

#: CREATE EXTENSION IF NOT EXISTS of what another made first is no tie between the two.
_ANYBODYS = frozenset({ObjectKind.EXTENSION, ObjectKind.SCHEMA})


class Replayed(Struct, frozen=True):
    """What replaying the whole tree says.

    Attributes:
        order: all migrations; domain by domain where there is no order over all.
        unordered: why there is none.
    """

    order: tuple[MigrationId, ...]
    unordered: tuple[Problem, ...]
    references: tuple[Reference, ...]
    claims: tuple[Claim, ...]
    tables: Mapping[str, int]


def replayed(tree: Tree) -> Replayed:
    """Derive the order; where that cannot be, follow the domains one after the other, and say why."""
    unordered: tuple[Problem, ...] = ()
    foreign: Mapping[MigrationId, tuple[ForeignUse, ...]]
    try:
        settled = settle(tree, ())
        order, foreign = settled.log, settled.foreign
    except Refused as error:
        unordered = error.problems or (Problem(error.message, error.where, error.hint),)
        order = tuple(tree.migrations)
        foreign = replay(_entries(tree, order)).foreign
    claims = Claims.over(_entries(tree, order))
    return Replayed(order, unordered, _references(tree, order, foreign), claims.several(), claims.tables())


def _entries(tree: Tree, order: Sequence[MigrationId]) -> tuple[LogEntry, ...]:
    return tuple(LogEntry(tree.migrations[i].id, tree.script(i).effects) for i in order)


def _references(
    tree: Tree, order: Sequence[MigrationId], foreign: Mapping[MigrationId, tuple[ForeignUse, ...]]
) -> tuple[Reference, ...]:
    objects: dict[tuple[str, str], dict[str, dict[str, None]]] = {}
    users: dict[tuple[str, str], dict[MigrationId, None]] = {}
    for migration in order:
        for use in foreign.get(migration, ()):
            if use.object.kind in _ANYBODYS and use.action is not Action.USE:
                continue
            pair = migration.domain, use.owner
            how = use.detail or use.action.value
            objects.setdefault(pair, {}).setdefault(str(use.object), {})[how] = None
            users.setdefault(pair, {})[tree.migrations[migration].id] = None
    return tuple(
        Reference(user, owner, {name: tuple(hows) for name, hows in sorted(found.items())}, tuple(users[user, owner]))
        for (user, owner), found in sorted(objects.items())
    )


def stretches(tree: Tree, order: Sequence[MigrationId]) -> tuple[Stretch, ...]:
    """The order, shortened to turns of the domains."""
    found = []
    for domain, group in groupby(order, key=lambda i: i.domain):
        ids = [tree.migrations[i].id for i in group]
        found.append(Stretch(domain, ids[0], ids[-1], len(ids)))
    return tuple(found)


def folders(tree: Tree, seen: Replayed) -> tuple[Folder, ...]:
    """The domains, those that others need first, as the order has them."""
    sizes = Counter(i.domain for i in tree.migrations)
    places = {name: n for n, name in reversed(list(enumerate(i.domain for i in seen.order)))}
    without = Counter(
        i.domain
        for i in tree.migrations
        if tree.down(i)[0] is None and not tree.script(i).directives.irreversible
    )
    needs = {
        d.name: tuple(r.owner for r in seen.references if r.user == d.name) for d in tree.project.domains
    }
    found = [
        Folder(
            d.name, relative(d.folder, tree.project.root), sizes[d.name], without[d.name],
            seen.tables.get(d.name, 0), needs[d.name],
        )
        for d in tree.project.domains
    ]  # fmt: skip
    return tuple(sorted(found, key=lambda f: places.get(f.name, len(places))))
