"""What one command costs when there is nothing to do, against an interpreter that only connects."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from bench.clock import Job, Sample, interleaved, run
from bench.contestants import Project, command
from bench.ground import Ground
from bench.workload import Workload

BARE, NO_OP = "python: connect, select 1", "up, nothing pending"


@dataclass(frozen=True, slots=True)
class Idle:
    """Samples by name; `BARE` and `NO_OP` are among them."""

    samples: dict[str, Sample]

    @property
    def ratio(self) -> float:
        """The idle `up` over the bare interpreter."""
        return self.samples[NO_OP].ratio(self.samples[BARE])


def measure(ground: Ground, workload: Workload, folder: Path, *, rounds: int) -> Idle:
    """Apply the workload once, then time commands that find it applied."""
    project = Project()
    project.write(workload, folder / "idle")
    with ground.fresh() as database:
        url = project.bootstrap(ground, database)
        run(command("up", "--no-input", "-d", url, folder=project.folder))
        bare = f"import psycopg; psycopg.connect({url!r}).execute('select 1')"
        jobs = [
            (BARE, Job((sys.executable, "-c", bare))),
            (NO_OP, command("up", "--no-input", "-d", url, folder=project.folder)),
            ("status", command("status", "--no-input", "-d", url, folder=project.folder)),
            ("--help", command("--help", folder=project.folder)),
        ]
        return Idle(interleaved(jobs, rounds))
