"""Grows an honest history in batches, as branches merge: place, answer what is asked, lock, go on."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from bgce_migrate.effect import Effect
from bgce_migrate.errors import Problem, Refused
from bgce_migrate.migration import MigrationId
from bgce_migrate.order import Candidate, LogEntry, Placement, Rules, place

_ID = re.compile(r"(\S+?)/(\d{6,})")


@dataclass(frozen=True)
class Piece:
    """A migration of a history whose true order is known."""

    id: MigrationId
    effects: tuple[Effect, ...]


@dataclass
class Grown:
    """The recorded order, and how often a person had to say `requires`."""

    log: list[LogEntry] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    placements: list[Placement] = field(default_factory=list)

    @property
    def order(self) -> list[MigrationId]:
        """The recorded order."""
        return [entry.id for entry in self.log]


def batches(rng: random.Random, pieces: Sequence[Piece], largest: int = 30) -> list[list[Piece]]:
    """The history cut at random."""
    found: list[list[Piece]] = []
    left = list(pieces)
    while left:
        size = rng.randint(1, largest)
        found.append(left[:size])
        left = left[size:]
    return found


def grow(
    pieces: Sequence[Piece],
    rng: random.Random,
    rules: Rules,
    *,
    largest: int = 30,
    heed_warnings: bool = False,
) -> Grown:
    """Place and lock batch after batch; only "ambiguous" may be refused, and is answered truly.

    Args:
        heed_warnings: also answer the warning that two domains replace one object, as a person would.
    """
    true = {piece.id: number for number, piece in enumerate(pieces)}
    grown = Grown()
    for batch in batches(rng, pieces, largest):
        requires: dict[MigrationId, list[str]] = {piece.id: [] for piece in batch}
        for _ in range(20 * len(batch)):
            new = [Candidate(p.id, p.effects, tuple(requires[p.id])) for p in batch]
            rng.shuffle(new)
            try:
                placement = place(grown.log, new, rules)
            except Refused as refused:
                wrong = [p for p in refused.problems if not p.message.startswith("ambiguous")]
                assert not wrong, [str(p) for p in wrong]
                answer(list(refused.problems), true, requires, grown)
                continue
            warned = [Problem(f.message) for f in placement.findings if f.rule == "unordered-change"]
            if not (heed_warnings and warned and answer(warned, true, requires, grown, strict=False)):
                break
        else:
            raise AssertionError("never satisfied")
        texts = {piece.id: piece.effects for piece in batch}
        grown.log += [LogEntry(migration, texts[migration]) for migration in placement.order]
        grown.placements.append(placement)
    return grown


def answer(
    problems: Sequence[Problem],
    true: dict[MigrationId, int],
    requires: dict[MigrationId, list[str]],
    grown: Grown,
    strict: bool = True,
) -> bool:
    """Say `requires` on the true predecessor; what the answers before say already must not be asked."""
    known = said(requires)
    progress = False
    for problem in problems:
        named = {MigrationId(d, int(v)) for d, v in _ID.findall(problem.message)}
        ordered = sorted((m for m in named if m in requires), key=true.__getitem__)
        open_pairs = [pair for pair in itertools.pairwise(ordered) if pair not in known]
        assert open_pairs or not strict, str(problem)
        for before, after in open_pairs:
            if before.short not in requires[after]:
                requires[after].append(before.short)
                grown.asked.append(problem.message)
                progress = True
    return progress


def said(requires: dict[MigrationId, list[str]]) -> set[tuple[MigrationId, MigrationId]]:
    """Every pair that versions and answers put in order, directly or through others."""
    short = {m.short: m for m in requires}
    before = {m: {short[text] for text in texts} for m, texts in requires.items()}
    for one, other in itertools.permutations(requires, 2):
        if one.domain == other.domain and one.version < other.version:
            before[other].add(one)
    known: set[tuple[MigrationId, MigrationId]] = set()
    for start in requires:
        waiting = [start]
        while waiting:
            for earlier in before[waiting.pop()]:
                if (earlier, start) not in known:
                    known.add((earlier, start))
                    waiting.append(earlier)
    return known
