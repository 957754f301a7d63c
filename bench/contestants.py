"""Who runs the workload: the floor, ourselves with one or more lanes, and what they share."""

from __future__ import annotations

import hashlib
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from bench.clock import Job
from bench.ground import Ground
from bench.workload import Workload, write_project

FLOOR = "psql (floor)"

_HISTORY = """
CREATE TABLE migration_history (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    service_name text NOT NULL,
    version bigint NOT NULL,
    name text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT now(),
    checksum text NOT NULL,
    UNIQUE (service_name, version)
);
"""


class Contestant(Protocol):
    """A tool that can bring an empty database to the end of the workload."""

    @property
    def name(self) -> str:
        """What it is called in tables."""

    def missing(self) -> str | None:
        """Why it cannot take part, or None."""

    def write(self, workload: Workload, folder: Path) -> None:
        """Write the workload in this tool's format, once, before all rounds."""

    def ready(self, ground: Ground, database: str) -> Job:
        """Prepare a fresh database, as far as the tool wants that, and give the process to time."""


@dataclass
class Floor:
    """One psql, one script: each file and its history row in a transaction of its own."""

    name: str = FLOOR
    folder: Path = Path()

    def missing(self) -> str | None:
        """It comes with the server."""
        return None

    def write(self, workload: Workload, folder: Path) -> None:
        """One script for everything."""
        self.folder = folder
        parts = [_HISTORY]
        for file in workload.files:
            digest = hashlib.sha256(file.up.encode()).hexdigest()
            parts.append(
                f"BEGIN;\n{file.up}INSERT INTO migration_history (service_name, version, name, checksum)"
                f" VALUES ('{file.domain}', {file.version}, '{file.slug}', '{digest}');\nCOMMIT;\n"
            )
        folder.mkdir()
        (folder / "all.sql").write_text("".join(parts))

    def ready(self, ground: Ground, database: str) -> Job:
        """Nothing to prepare."""
        argv = (str(ground.psql), "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", str(self.folder / "all.sql"))
        return Job((*argv, ground.url(database)))


@dataclass
class Project:
    """The workload as a declared project with its lock file, written once for all who use it."""

    folder: Path = Path()

    def write(self, workload: Workload, folder: Path) -> None:
        """Write and lock it, unless that was done."""
        from bgce_migrate.desk import Desk

        if not self.folder.name:
            self.folder = folder
            write_project(workload, folder)
            Desk.load(folder).lock()

    def bootstrap(self, ground: Ground, database: str) -> str:
        """What an administrator does once a database: roles, bookkeeping. Returns the migrator's URL."""
        from bgce_migrate.apply.target import Address
        from bgce_migrate.desk import Desk

        Desk.load(self.folder).bootstrap(Address(ground.url(database), "bgce_migrate"))
        return ground.migrator_url(database)


@dataclass
class Ours:
    """`bgce-migrate up` as a whole process: declared domains, roles, rights and history on."""

    project: Project
    jobs: int | None = None

    @property
    def name(self) -> str:
        """With the number of lanes, where it is said."""
        return f"bgce-migrate up --jobs {self.jobs}" if self.jobs else "bgce-migrate up"

    def missing(self) -> str | None:
        """It is this repository."""
        return None

    def write(self, workload: Workload, folder: Path) -> None:
        """A project with its lock file."""
        self.project.write(workload, folder)

    def ready(self, ground: Ground, database: str) -> Job:
        """A bootstrapped database."""
        url = self.project.bootstrap(ground, database)
        jobs = ("--jobs", str(self.jobs)) if self.jobs else ()
        return command("up", *jobs, "--no-input", "-d", url, folder=self.project.folder)


def command(*arguments: str, folder: Path | None = None) -> Job:
    """Our command line as a process of this interpreter."""
    root = str(Path(__file__).resolve().parent.parent)
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    return Job((sys.executable, "-m", "bgce_migrate", *arguments), {"PYTHONPATH": path}, folder)


def place(url: str) -> str:
    """Login, host, port and database of a URL, without scheme and parameters."""
    parts = urlsplit(url)
    return f"{parts.netloc}{parts.path}"
