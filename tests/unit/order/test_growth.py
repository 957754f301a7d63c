"""Honest histories, cut into batches: never a false cycle, and what is recorded replays."""

from __future__ import annotations

import os
import random
from collections import Counter

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bgce_migrate.effect import Action, Effect
from bgce_migrate.migration import MigrationId
from bgce_migrate.order import Rules
from tests.unit.order.growth import Piece, grow
from tests.unit.order.notation import effects

EXAMPLES = int(os.environ.get("BGCE_GROWTH_EXAMPLES", "60"))


class Broken(Exception):
    """A statement that a server would refuse."""


def run(live: set[str], found: tuple[Effect, ...]) -> None:
    """The reference: what a server does with names, one set and nothing else."""
    for effect in found:
        name, action = str(effect.object), effect.action
        needs_old = action in (Action.USE, Action.ALTER, Action.WRITE, Action.DROP, Action.RENAME)
        if needs_old and not effect.soft and not effect.optional and name not in live:
            raise Broken(f"{action.value} {name}")
        if action is Action.MAKE and name in live:
            raise Broken(f"make {name}")
        if action in (Action.MAKE, Action.REPLACE):
            live.add(name)
        elif action is Action.DROP:
            live.discard(name)
        elif action is Action.RENAME and effect.to is not None:
            if str(effect.to) in live:
                raise Broken(f"rename to {effect.to}")
            live.remove(name)
            live.add(str(effect.to))


class Author:
    """Writes a valid program of many domains, in which names come, go, are rebuilt and renamed."""

    def __init__(
        self, rng: random.Random, domains: int, names: int, meddling: float, cautious: float
    ) -> None:
        self.rng = rng
        self.domains = [chr(ord("a") + n) for n in range(domains)]
        self.names = [f"n{n}" for n in range(names)]
        self.owner: dict[str, str] = {}
        self.meddling = meddling
        self.cautious = cautious
        self.versions: Counter[str] = Counter()

    def piece(self) -> Piece:
        domain = self.rng.choice(self.domains)
        words = [w for _ in range(self.rng.randint(1, 3)) for w in self.statement(domain)]
        self.versions[domain] += 1
        return Piece(MigrationId(domain, self.versions[domain]), effects(" ".join(words)))

    def statement(self, domain: str) -> list[str]:
        rng, owner = self.rng, self.owner
        mine = [n for n in sorted(owner) if owner[n] == domain or rng.random() < self.meddling]
        free = [n for n in self.names if n not in owner]
        kind = rng.random()
        if kind < 0.3 and free:
            name = rng.choice(free)
            owner[name] = domain
            return [f"+{name}"]
        if kind < 0.4 and mine:
            name = rng.choice(mine)
            del owner[name]
            return [f"-{name}"]
        if kind < 0.47 and mine:
            name = rng.choice(mine)
            owner[name] = domain
            return [f"-{name}", f"+{name}"]
        if kind < 0.53 and mine and free:
            name, other = rng.choice(mine), rng.choice(free)
            owner[other] = owner.pop(name)
            return [f"{name}>{other}"]
        if kind < 0.53 + self.cautious:
            name = rng.choice(self.names)
            if owner.get(name, domain) == domain:
                owner.pop(name, None)
                return [f"?-{name}"]
        elif kind < 0.53 + 2 * self.cautious:
            name = rng.choice(self.names)
            owner.setdefault(name, domain)
            return [f"*{name}"]
        if owner:
            return [rng.choice(["", "", "=", "^", "~"]) + rng.choice(sorted(owner))]
        return []


@settings(max_examples=EXAMPLES, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    domains=st.integers(2, 6),
    names=st.integers(2, 60),
    meddling=st.sampled_from([0.0, 0.02, 0.2, 0.5]),
    cautious=st.sampled_from([0.0, 0.02, 0.1, 0.3]),
)
@example(seed=14, domains=4, names=4, meddling=0.2, cautious=0.02)
@example(seed=9, domains=4, names=4, meddling=0.3, cautious=0.19)
@example(seed=45, domains=5, names=5, meddling=0.37, cautious=0.25)
@example(seed=395, domains=6, names=2, meddling=0.16, cautious=0.17)
@example(seed=461, domains=6, names=2, meddling=0.46, cautious=0.29)
def test_growing_never_meets_a_false_cycle(
    seed: int, domains: int, names: int, meddling: float, cautious: float
) -> None:
    rng = random.Random(seed)
    author = Author(rng, domains, names, meddling, cautious)
    pieces = [author.piece() for _ in range(50)]
    ranks = list(author.domains)
    rng.shuffle(ranks)
    grown = grow(pieces, rng, Rules({domain: rank for rank, domain in enumerate(ranks)}))
    live: set[str] = set()
    for entry in grown.log:
        run(live, entry.effects)
    assert sorted(grown.order) == sorted(piece.id for piece in pieces)


def test_people_are_asked_rarely_where_domains_keep_to_their_own() -> None:
    asked = total = 0
    for seed in range(20):
        rng = random.Random(seed)
        author = Author(rng, domains=5, names=60, meddling=0.02, cautious=0.02)
        pieces = [author.piece() for _ in range(100)]
        asked += len(grow(pieces, rng, Rules({d: n for n, d in enumerate(author.domains)})).asked)
        total += len(pieces)
    assert asked < 0.06 * total
