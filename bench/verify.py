"""`verify` as whole processes: the shipped domains, a folder of over 100 migrations, and each again with one new migration."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass
from pathlib import Path

from bench.clock import Sample, Timing, run
from bench.contestants import command
from bench.lint import ROOT, any_end
from bench.workload import make, write_project

#: A public project's folder of plain golang-migrate files, instead of one of ours.
FOLDER = "BGCE_PUBLIC_FOLDER"
DOMAINS, EACH = 12, 10


@dataclass(frozen=True, slots=True)
class Verifying:
    """What was measured: nothing kept, and everything kept but one new migration; `large` is how many the folder has."""

    shipped: Sample
    shipped_one: Sample
    large: int
    folder: Sample
    folder_one: Sample


def measure(folder: Path, *, rounds: int) -> Verifying:
    """The best of few: most of it is the throw-away server's."""
    shipped = folder / "verify-shipped"
    shutil.copytree(ROOT / "migrations", shipped / "migrations")
    shutil.copy(ROOT / "bgce.lock", shipped / "bgce.lock")
    text = (ROOT / "bgce.toml").read_text(encoding="utf-8")
    # Plugins deliver the same folders from where they are installed.
    (shipped / "bgce.toml").write_text(re.sub(r"^plugins = \[.*?\]\n", "", text, flags=re.MULTILINE | re.DOTALL), encoding="utf-8")
    project = folder / "verify-folder"
    given = os.environ.get(FOLDER)
    if given:
        shutil.copytree(given, project / "migrations")
        new, words = project / "migrations", ("--migrations", "migrations")
    else:
        write_project(make(DOMAINS, EACH), project)
        new, words = next(p.parent for p in sorted(project.rglob("*.up.sql"))), ()
    one = _both(shipped, shipped / "migrations" / "cortex", (), rounds, "the shipped domains")
    other = _both(project, new, words, rounds, "a folder")
    return Verifying(*one, sum(1 for _ in project.rglob("*.up.sql")) - rounds, *other)


def _both(project: Path, new: Path, words: tuple[str, ...], rounds: int, name: str) -> tuple[Sample, Sample]:
    """Without anything kept; then again and again with one more migration, whose table no declaration has."""
    job = command("verify", "--no-input", *words, folder=project)
    fresh: list[Timing] = []
    more: list[Timing] = []
    for _ in range(rounds):
        shutil.rmtree(project / ".bgce" / "cache", ignore_errors=True)
        fresh.append(any_end(job))
    for number in range(rounds):
        up = new / f"9999000000{number:04d}_more.up.sql"
        up.write_text(f"CREATE INDEX more_{number} ON {_table(new)} ((1));\n", encoding="utf-8")
        up.with_name(up.name.replace(".up.", ".down.")).write_text(f"DROP INDEX more_{number};\n", encoding="utf-8")
        more.append(any_end(job))
    run(command("server", "stop", "--no-input", folder=project))
    return Sample(f"verify, {name}", tuple(fresh)), Sample(f"verify, {name}, one new", tuple(more))


def _table(folder: Path) -> str:
    """A table that is there in the end: the last that was made."""
    found = ""
    for file in sorted(folder.glob("*.up.sql")):
        text = file.read_text(encoding="utf-8")
        found = next(iter(re.findall(r"^CREATE TABLE (?:IF NOT EXISTS )?(\S+) \(", text, re.MULTILINE)), found)
    return found
