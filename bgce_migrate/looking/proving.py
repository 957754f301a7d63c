"""Every down proven on a throw-away server, group by group, so that one broken folder stops no other."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from itertools import combinations

import psycopg

from bgce_migrate.db.wire import Failed, Lost
from bgce_migrate.errors import BgceError, Problem
from bgce_migrate.host import Host
from bgce_migrate.looking.model import Proofs
from bgce_migrate.looking.reading import only
from bgce_migrate.looking.replayed import Replayed
from bgce_migrate.tree import Tree
from bgce_migrate.verify.model import Proof, Verdict
from bgce_migrate.verify.run import verify


def prove(tree: Tree, seen: Replayed, told: Callable[[Proof], None]) -> Proofs:
    """Prove all downs that can be proven.

    Args:
        told: is called after each proof.
    """
    started = time.monotonic()
    names = [d.name for d in tree.project.domains if any(i.domain == d.name for i in tree.migrations)]
    proofs: dict[str, tuple[Proof, ...]] = {}
    unproven: dict[str, Problem] = {}
    waiting = [names] if not seen.unordered and len(names) > 1 else _groups(names, seen)
    while waiting:
        group = waiting.pop(0)
        smaller = _smaller(group, names, seen)
        try:
            found = verify(only(tree, group), Host(), told=told)
        except (BgceError, Failed, Lost, psycopg.Error) as error:
            if smaller:
                waiting = smaller + waiting
            else:
                unproven |= {name: _problem(error) for name in group}
            continue
        stuck = {p.id.domain for p in found if p.verdict is Verdict.NOT_REACHED}
        again = [g for g in smaller if stuck & set(g)]
        waiting = again + waiting
        retried = {name for g in again for name in g}
        for name in group:
            if name not in retried:
                proofs[name] = tuple(p for p in found if p.id.domain == name)
    done = tuple(p for name in names for p in proofs.get(name, ()))
    return Proofs(done, unproven, False, time.monotonic() - started)


def _groups(names: Iterable[str], seen: Replayed) -> list[list[str]]:
    """Domains that use each other's objects, directly or through others."""
    groups = [{name} for name in names]
    for reference in seen.references:
        touched = [g for g in groups if g & {reference.user, reference.owner}]
        for one, other in combinations(touched, 2):
            one |= other
            groups.remove(other)
            break
    return [sorted(group) for group in groups]


def _smaller(group: list[str], names: list[str], seen: Replayed) -> list[list[str]]:
    """The next smaller groups; none for a single domain."""
    if len(group) < 2:
        return []
    parts = [g for g in _groups(names, seen) if set(g) <= set(group)]
    return parts if len(parts) > 1 else [[name] for name in group]


def _problem(error: Exception) -> Problem:
    if isinstance(error, BgceError):
        first = error.problems[0] if error.problems else Problem(error.message, error.where, error.hint)
        return Problem(first.message, first.where, first.hint or error.hint)
    return Problem(str(error).strip().partition("\n")[0])
