"""Round trips: the same run through a proxy with and without delay; the difference is what waits for the wire."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.clock import run
from bench.contestants import Project, command
from bench.ground import Ground
from bench.workload import trivial
from tests.proxy import Proxy

DELAY = 0.020
FEW, MANY = 10, 60


@dataclass(frozen=True, slots=True)
class Travel:
    """The least values by (number of migrations, delay); what disturbs a run only ever adds.

    Attributes:
        seconds: by the wall clock.
        trips: counted by the proxy on all connections, from the first connect to the end.
    """

    seconds: dict[tuple[int, float], float]
    trips: dict[tuple[int, float], float]

    @property
    def a_step(self) -> float:
        """Round trips that one more step takes, counted."""
        return (self.trips[MANY, DELAY] - self.trips[FEW, DELAY]) / (MANY - FEW)

    @property
    def constant(self) -> float:
        """Round trips of a run beside its steps, counted."""
        return self.trips[FEW, DELAY] - FEW * self.a_step

    @property
    def waited(self) -> float:
        """Round trips that one more step waits for, by the clock: what the delay adds, over the delay."""
        return (self._waited(MANY) - self._waited(FEW)) / (MANY - FEW)

    @property
    def slope(self) -> float:
        """Seconds that one more step takes through the delaying proxy."""
        return (self.seconds[MANY, DELAY] - self.seconds[FEW, DELAY]) / (MANY - FEW)

    def _waited(self, count: int) -> float:
        return (self.seconds[count, DELAY] - self.seconds[count, 0.0]) / DELAY


def measure(ground: Ground, folder: Path, *, rounds: int) -> Travel:
    """Run 10 and 60 trivial migrations through the proxy, with and without delay, on one lane."""
    projects = {}
    for count in (FEW, MANY):
        projects[count] = Project()
        projects[count].write(trivial(count), folder / f"travel{count}")
    seconds: dict[tuple[int, float], float] = {}
    trips: dict[tuple[int, float], float] = {}
    for _ in range(rounds):
        for count, project in projects.items():
            for delay in (0.0, DELAY):
                key = count, delay
                wall, counted = _once(ground, project, delay)
                seconds[key] = min(wall, seconds.get(key, wall))
                trips[key] = min(counted, trips.get(key, counted))
    return Travel(seconds, trips)


def _once(ground: Ground, project: Project, delay: float) -> tuple[float, int]:
    with ground.fresh() as database, Proxy(ground.server.host, ground.server.port, delay=delay) as proxy:
        url = proxy.url(project.bootstrap(ground, database))
        ground.settle()
        job = command("up", "--jobs", "1", "--no-input", "-d", url, folder=project.folder)
        return run(job).wall, proxy.round_trips
