"""The race: every contestant on a fresh database, in turns, and all must end with the same catalog."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.clock import BenchError, Sample, Timing, run
from bench.contestants import FLOOR, Contestant, Floor
from bench.ground import Ground
from bench.workload import Workload

#: Who needs more than this many times the floor takes part in the first rounds only: more would say nothing new.
SLOW, SLOW_ROUNDS = 6.0, 2


@dataclass(frozen=True, slots=True)
class Race:
    """What the rounds gave.

    Attributes:
        samples: by contestant, in order of entry.
        absent: who did not take part, and why.
        tables: how many tables everybody made.
        wrong: who ended with another catalog than the floor, and how.
    """

    samples: dict[str, Sample]
    absent: dict[str, str]
    tables: int
    wrong: dict[str, str]

    @property
    def floor(self) -> Sample:
        """The floor's sample."""
        return self.samples[FLOOR]


def hold(
    ground: Ground,
    workload: Workload,
    others: Sequence[Contestant],
    folder: Path,
    *,
    rounds: int,
    say: Callable[[str], None],
) -> Race:
    """Run the floor and `others` in turns, `rounds` times.

    Raises:
        BenchError: the floor itself failed.
    """
    absent = {c.name: why for c in others if (why := c.missing())}
    contestants: list[Contestant] = [Floor(), *(c for c in others if c.name not in absent)]
    for number, contestant in enumerate(contestants):
        contestant.write(workload, folder / f"contestant{number}")
    timings: dict[str, list[Timing]] = {c.name: [] for c in contestants}
    signatures: dict[str, tuple[int, int]] = {}
    for turn in range(rounds):
        start = turn % len(contestants)
        for contestant in (*contestants[start:], *contestants[:start]):
            name = contestant.name
            if name in absent or (turn >= SLOW_ROUNDS and _slow(timings[name], timings[FLOOR])):
                continue
            try:
                timing, signatures[name] = _once(ground, workload, contestant)
            except BenchError as error:
                if name == FLOOR:
                    raise
                absent[name] = f"failed: {error}"
                continue
            timings[name].append(timing)
            say(f"round {turn + 1}: {name} {timing.wall:.2f} s")
    wrong = {n: f"{s[0]} tables" for n, s in signatures.items() if s != signatures[FLOOR]}
    samples = {name: Sample(name, tuple(found)) for name, found in timings.items() if found}
    return Race(samples, absent, signatures[FLOOR][0], wrong)


def _slow(mine: list[Timing], floor: list[Timing]) -> bool:
    return bool(mine) and min(t.wall for t in mine) > SLOW * min(t.wall for t in floor)


def _once(ground: Ground, workload: Workload, contestant: Contestant) -> tuple[Timing, tuple[int, int]]:
    with ground.fresh() as database:
        job = contestant.ready(ground, database)
        ground.settle()
        timing = run(job)
        return timing, ground.signature(database, workload)
