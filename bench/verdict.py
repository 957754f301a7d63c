"""What is required of the measured values, and whether it holds."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from bench.clock import Sample
from bench.contestants import FLOOR
from bench.drift import Drifting
from bench.grants import Granting
from bench.idle import Idle
from bench.lint import Linting
from bench.mixed import Mixed
from bench.planning import Planning
from bench.race import Race
from bench.routing import Routing
from bench.travel import Travel
from bench.verify import Verifying
from bench.wait import DECIDED, LOOP, WAITERS, Waiting

OURS = "bgce-migrate up"
MEGABYTE = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Requirement:
    """One demand with its measured value."""

    text: str
    measured: float
    limit: float
    unit: str = ""

    @property
    def met(self) -> bool:
        """Whether the value is within the limit."""
        return self.measured <= self.limit

    def __str__(self) -> str:
        value, limit = (f"{number:.2f}{self.unit}" for number in (self.measured, self.limit))
        return f"{'ok ' if self.met else 'NOT'} {self.text}: {value} (at most {limit})"


def of_race(race: Race) -> list[Requirement]:
    """At most 1.5 times the floor with any number of lanes, ahead of every peer, the same catalog for all."""
    ours = [sample for name, sample in race.samples.items() if name.startswith(OURS)]
    failed = [name for name, why in race.absent.items() if name.startswith(OURS) or why.startswith("failed")]
    out = [
        Requirement("contestants that failed", len(failed), 0),
        Requirement("contestants with another catalog than the floor's", len(race.wrong), 0),
    ]
    if ours:
        best = min(ours, key=lambda sample: sample.ratio(race.floor))
        out.append(Requirement(f"480 migrations over the floor ({best.name})", best.ratio(race.floor), 1.5))
        plain = race.samples.get(OURS, best)
        for name, sample in race.samples.items():
            if name != FLOOR and not name.startswith(OURS):
                out.append(Requirement(f"480 migrations over {name}", plain.ratio(sample), 1.0))
    return out


def of_idle(idle: Idle) -> list[Requirement]:
    """An `up` with nothing to do."""
    return [Requirement("an idle `up` over a bare connect", idle.ratio, 1.5)]


def of_travel(travel: Travel) -> list[Requirement]:
    """Two round trips a step; a tenth is left to the clock."""
    return [Requirement("round trips a step", travel.a_step, 2.1)]


def of_lint(linting: Linting) -> list[Requirement]:
    """Cold at most twice squawk's time, with nothing changed at most half of it."""
    squawk = linting.squawk
    if squawk is None:
        return []
    limits = {"lint, cold": 2.0, "lint, nothing changed": 0.5}
    return [Requirement(f"{s.name} over squawk", s.ratio(squawk), limits[s.name]) for s in linting.samples if s.name in limits]


def of_hook(samples: Iterable[Sample]) -> list[Requirement]:
    """What a person waits for stays under a second."""
    return [Requirement(sample.name, sample.median, 1.0, " s") for sample in samples]


def of_grants(granting: Granting) -> list[Requirement]:
    """All rights made in one go, and found to be as declared afterwards."""
    limits = {"11 domains": 1.0, "200 domains": 10.0}
    out = []
    for name, (_, apply, again) in granting.samples.items():
        out.append(Requirement(f"planning and applying grants, {name}", apply.median, limits[name], " s"))
        out.append(Requirement(f"applying grants again, {name}", again.median, 1.0, " s"))
    return out


def of_drift(drifting: Drifting) -> list[Requirement]:
    """Fast enough to look often."""
    return [
        Requirement(f"drift of {drifting.tables} tables, catalog kept", min(drifting.kept.walls), 2.0, " s"),
        Requirement("preparing a statement of a service", drifting.a_statement, 1.0, " ms"),
    ]


def of_verify(verifying: Verifying) -> list[Requirement]:
    """Before a merge, in seconds."""
    v = verifying
    return [
        Requirement("verify of the shipped domains", min(v.shipped.walls), 15.0, " s"),
        Requirement("verify of the shipped domains, one new migration", min(v.shipped_one.walls), 5.0, " s"),
        Requirement(f"verify of {v.large} migrations", min(v.folder.walls), 60.0, " s"),
        Requirement(f"verify of {v.large} migrations, one new", min(v.folder_one.walls), 5.0, " s"),
    ]


def of_planning(planning: Planning) -> list[Requirement]:
    """Times and memory."""
    return [
        Requirement(f"planning {planning.migrations} new migrations", planning.cold.median, 5.0, " s"),
        Requirement(f"planning {planning.migrations} locked migrations", planning.locked.median, 1.0, " s"),
        Requirement("peak memory while planning", planning.peak / MEGABYTE, 300.0, " MB"),
    ]


def of_routing(routing: Routing) -> list[Requirement]:
    """A decision in the way of every query costs next to nothing."""
    return [Requirement(f"decision for {what}", cost, 20, " us") for what, cost in routing.decisions.items()]


def of_mixed(found: Mapping[str, Mixed]) -> list[Requirement]:
    """Nine reads of ten reach replicas, none shows less than its program has written."""
    return [
        requirement
        for name, mixed in found.items()
        for requirement in (
            Requirement(f"mixed load, {name}: reads on the primary", mixed.share, 10, " %"),
            Requirement(f"mixed load, {name}: stale reads", mixed.stale, 0),
        )
    ]


def of_waiting(waiting: Waiting) -> list[Requirement]:
    """All go on soon after the commit. When processes have ended is told only: fifty that end at once need the processors."""
    out = [Requirement(f"waiters that did not open, of {WAITERS} each round", waiting.errors, 0)]
    for name in (DECIDED, LOOP):
        out.append(Requirement(f"p95 after the commit, {name}", waiting.best(name).part(0.95), 100, " ms"))
    return out
