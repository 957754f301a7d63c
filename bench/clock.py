"""Whole processes, timed from outside: wall clock, processor time and peak memory."""

from __future__ import annotations

import os
import statistics
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path


class BenchError(Exception):
    """Something could not be measured; the message says what and why."""


@dataclass(frozen=True, slots=True)
class Job:
    """A process to run: arguments, what its environment has beside ours, where it runs."""

    argv: tuple[str, ...]
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path | None = None


@dataclass(frozen=True, slots=True)
class Timing:
    """One finished process: seconds by the wall clock, seconds of processor, peak memory in bytes."""

    wall: float
    cpu: float
    peak: int
    output: str


#: What names a database, configures a contestant, or makes Python slower than where people use it.
_LEFT_OUT = (
    "PG",
    "BGCE_",
    "DBMATE_",
    "SQITCH_",
    "DATABASE_URL",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONUNBUFFERED",
)


def clean_environment() -> dict[str, str]:
    """Our environment without what would change a measurement."""
    return {name: value for name, value in os.environ.items() if not name.startswith(_LEFT_OUT)}


def run(job: Job) -> Timing:
    """Run a job to its end.

    Raises:
        BenchError: it failed; with the end of what it printed.
    """
    environment = {**clean_environment(), **job.environment}
    with tempfile.TemporaryFile() as output:
        started = time.perf_counter()
        process = subprocess.Popen(
            job.argv, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=job.folder, env=environment
        )
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)  # it has been waited for
        output.seek(0)
        text = output.read().decode(errors="replace")
    if process.returncode:
        raise BenchError(f"{job.argv[0]} exited {process.returncode}: {text[-1500:].strip()}")
    return Timing(wall, used.ru_utime + used.ru_stime, used.ru_maxrss * 1024, text)


@dataclass(frozen=True, slots=True)
class Sample:
    """What was measured of one contestant, round by round."""

    name: str
    timings: tuple[Timing, ...]

    @property
    def walls(self) -> list[float]:
        """Seconds by the wall clock."""
        return [timing.wall for timing in self.timings]

    @property
    def median(self) -> float:
        """The median of the seconds."""
        return statistics.median(self.walls)

    @property
    def peak(self) -> int:
        """The highest peak of memory in bytes."""
        return max(timing.peak for timing in self.timings)

    def ratio(self, other: Sample) -> float:
        """The median of this one's seconds over the other's of the same round (rounds drift together)."""
        pairs = zip(self.walls, other.walls, strict=False)
        return statistics.median(mine / theirs for mine, theirs in pairs)


def interleaved(jobs: Sequence[tuple[str, Job]], rounds: int) -> dict[str, Sample]:
    """Jobs that need no preparation, in turns; who begins moves on from round to round."""
    timings: dict[str, list[Timing]] = {name: [] for name, _ in jobs}
    for turn in range(rounds):
        start = turn % len(jobs)
        for name, job in (*jobs[start:], *jobs[:start]):
            timings[name].append(run(job))
    return {name: Sample(name, tuple(found)) for name, found in timings.items()}
