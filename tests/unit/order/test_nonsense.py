"""Programs that make no sense: every refusal is a question that was not answered yet, or says what is wrong."""

from __future__ import annotations

import os
import random
from collections import Counter

from hypothesis import example, given, settings
from hypothesis import strategies as st

from bgce_migrate.errors import Problem, Refused
from bgce_migrate.migration import MigrationId
from bgce_migrate.order import Candidate, LogEntry, Rules, place
from tests.unit.order.growth import Grown, Piece, answer
from tests.unit.order.notation import effects

EXAMPLES = int(os.environ.get("BGCE_GROWTH_EXAMPLES", "60"))
WORDS = (
    "+{a} -{a} -{a}! {a} ={a} ~{a} ?-{a} *{a} ?*{a} {a}>{b} {a}.c +{a}.c -{a}.c"
    " f{a}() *f{a}() -f{a}() +v{a}[view]&{a}[view] -v{a} ??? *{a}.c +{a}&+{a}.c -{a}.c"
).split()


def program(rng: random.Random) -> list[Piece]:
    """Random statements over a few names, by a few domains."""
    domains = "abcdef"[: rng.randint(2, 5)]
    names = [f"n{n}" for n in range(rng.randint(1, 5))]
    words = [*rng.sample(WORDS, rng.randint(4, len(WORDS))), "-{a} +{a}", "?-{a} +{a}"]
    versions: Counter[str] = Counter()
    pieces: list[Piece] = []
    for _ in range(rng.randint(3, 20)):
        domain = rng.choice(domains)
        versions[domain] += 1
        chosen = (rng.choice(words) for _ in range(rng.randint(1, 3)))
        text = " ".join(word.format(a=rng.choice(names), b=rng.choice(names)) for word in chosen)
        pieces.append(Piece(MigrationId(domain, versions[domain]), effects(text)))
    return pieces


@settings(max_examples=EXAMPLES, deadline=None)
@given(seed=st.integers(0, 2**32))
@example(seed=853)
@example(seed=1323)
def test_every_question_is_new_until_there_is_an_order_or_a_reason_why_not(seed: int) -> None:
    rng = random.Random(seed)
    pieces = program(rng)
    true = {piece.id: number for number, piece in enumerate(pieces)}
    cut = rng.randint(0, len(pieces) // 2)
    recorded = [LogEntry(piece.id, piece.effects) for piece in pieces[:cut]]
    requires: dict[MigrationId, list[str]] = {piece.id: [] for piece in pieces[cut:]}
    told: list[Problem] = []
    # Each answer puts two more in order, so there are at most as many as there are pairs.
    for _ in range(len(requires) ** 2):
        new = [Candidate(p.id, p.effects, tuple(requires[p.id])) for p in pieces[cut:]]
        try:
            placement = place(recorded, new, Rules())
        except Refused as refused:
            told = [p for p in refused.problems if not p.message.startswith("ambiguous: ")]
            if told:
                break
            answer(refused.problems, true, requires, Grown())
        else:
            assert sorted(placement.order) == sorted(requires)
            return
    reasons = ("cycle: ", "contradiction: ", "undeclared dependency: ")
    gone = (" dropped", " renamed to ")
    assert told and all(p.message.startswith(reasons) or any(g in p.message for g in gone) for p in told), [
        str(p) for p in told
    ]
