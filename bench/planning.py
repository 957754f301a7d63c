"""Planning without a database: 200 domains with 50 migrations each, new to the lock file and known to it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from bench.clock import Sample, interleaved, run
from bench.contestants import command
from bench.workload import make, write_project

DOMAINS, EACH = 200, 50


@dataclass(frozen=True, slots=True)
class Planning:
    """Without a lock file, and with a complete one and nothing changed."""

    migrations: int
    cold: Sample
    locked: Sample

    @property
    def peak(self) -> int:
        """The highest peak of memory in bytes."""
        return max(self.cold.peak, self.locked.peak)


def measure(folder: Path, *, rounds: int) -> Planning:
    """Write the tree, plan it, lock it, plan it again."""
    project = folder / "planning"
    write_project(make(DOMAINS, EACH), project)
    job = command("plan", "--no-input", folder=project)
    cold = interleaved([("plan, no lock file", job)], rounds)["plan, no lock file"]
    run(command("lock", folder=project))
    locked = interleaved([("plan, locked", job)], rounds)["plan, locked"]
    return Planning(DOMAINS * EACH, cold, locked)
