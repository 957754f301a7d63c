"""Lint against squawk on the same files: cold on two processes, warm, and with one file changed."""

from __future__ import annotations

import os
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.clock import Job, Sample, Timing, run

FILES = 400
CHARACTERS = 1_400_000
ROOT = Path(__file__).resolve().parents[1]
_TABLE = re.compile(r"^CREATE TABLE (\w+)", re.MULTILINE)
_TEAMS = 8


SQUAWK = "squawk"


@dataclass(frozen=True, slots=True)
class Linting:
    """What was measured: our three runs, and squawk where it is installed."""

    files: int
    bytes: int
    samples: tuple[Sample, ...]

    @property
    def squawk(self) -> Sample | None:
        """The one to compare with."""
        return next((s for s in self.samples if s.name == SQUAWK), None)


def write_files(folder: Path) -> Path:
    """A project of eight domains and 400 migrations of the shipped domains' kind, each with tables of its own."""
    sources = [p.read_text(encoding="utf-8") for p in sorted((ROOT / "migrations").glob("*/*.up.sql"))]
    sources = [text for text in sources if _TABLE.search(text)]
    names = sorted({name for text in sources for name in _TABLE.findall(text)}, key=len, reverse=True)
    word = re.compile(rf"\b((?:[a-z]+_)*)({'|'.join(names)})((?:_[a-z_]+)?)\b")
    each, written = CHARACTERS // FILES, 0
    tables: dict[str, list[str]] = {}
    for number in range(FILES):
        domain = f"team{number % _TEAMS}"
        parts: list[str] = []
        place = number
        while sum(map(len, parts)) < each:
            own = f"n{number}_{len(parts)}"
            text = word.sub(lambda m, own=own: f"{m[1]}{m[2]}{m[3]}_{own}", sources[place % len(sources)])
            text = re.sub(r"update_updated_at_column\w*", "update_updated_at_column", _without_keys(text))
            parts.append(text)
            tables.setdefault(domain, []).extend(_TABLE.findall(text))
            place += 7
        target = folder / "migrations" / domain / f"{number // _TEAMS + 2:06d}_make.up.sql"
        target.parent.mkdir(parents=True, exist_ok=True)
        text = "\n".join(parts)
        written += len(text)
        target.write_text(text, encoding="utf-8")
        target.with_name(target.name.replace(".up.", ".down.")).write_text("SELECT 1;\n", encoding="utf-8")
    for domain, owned in tables.items():
        _declare(folder / "migrations" / domain, domain, owned)
    lines = ", ".join(f'"migrations/{domain}"' for domain in sorted(tables))
    (folder / "bgce.toml").write_text(f'[project]\nname = "bench"\ndomains = [{lines}]\n', encoding="utf-8")
    return folder


def _without_keys(text: str) -> str:
    """Keys point at tables of other files, which here are other tables: they go back into their own."""
    table = _TABLE.search(text)
    assert table is not None
    return re.sub(r"REFERENCES \w+ \(id\)", f"REFERENCES {table[1]} (id)", text)


def _declare(folder: Path, domain: str, tables: list[str]) -> None:
    first = domain == "team0"
    lines = [f'name = "{domain}"', "requires = []" if first else 'requires = ["team0"]']
    lines += ['functions = { update_updated_at_column = "shared" }'] if first else []
    lines += [f"[tables.{table}]" for table in tables]
    (folder / "domain.toml").write_text("\n".join(lines) + "\n", encoding="utf-8")
    if first:
        text = (ROOT / "migrations/cortex").glob("000001_*.up.sql").__next__().read_text(encoding="utf-8")
        (folder / "000001_function.up.sql").write_text(text, encoding="utf-8")
        (folder / "000001_function.down.sql").write_text("DROP FUNCTION update_updated_at_column();\n")


def measure(folder: Path, rounds: int = 5, say: Callable[[str], None] = print) -> Linting:
    """The contestants in turns, so that a busy machine is busy for all."""
    project = write_files(folder / "lint")
    files = sorted(project.glob("migrations/*/*.up.sql"))
    program = os.environ.get("SQUAWK") or shutil.which("squawk")
    if program is None:
        say("  squawk is not installed (pip install squawk-cli), so there is nothing to compare with")
    ours = Job(
        (sys.executable, "-m", "bgce_migrate", "lint", "--no-style", "--format", "gcc"), {"PYTHONPATH": str(ROOT)}, project
    )
    names = [*([SQUAWK] if program else []), "lint, cold", "lint, one file changed", "lint, nothing changed"]
    timings: dict[str, list[Timing]] = {name: [] for name in names}
    changed = files[len(files) // 2]
    first = changed.read_text(encoding="utf-8")
    for number in range(rounds):
        shutil.rmtree(project / ".bgce", ignore_errors=True)
        if program is not None:
            timings[SQUAWK].append(any_end(Job((program, *map(str, files)), {}, project)))
        timings["lint, cold"].append(any_end(ours))
        changed.write_text(f"-- round {number}\n{first}", encoding="utf-8")
        timings["lint, one file changed"].append(any_end(ours))
        timings["lint, nothing changed"].append(any_end(ours))
    return Linting(len(files), sum(f.stat().st_size for f in files), tuple(Sample(name, tuple(found)) for name, found in timings.items()))


def any_end(job: Job) -> Timing:
    """A linter that found something exits 1, which is no failure here."""
    script = "import os, subprocess, sys; sys.exit(subprocess.run(sys.argv[1:]).returncode not in (0, 1))"
    return run(Job((sys.executable, "-S", "-c", script, *job.argv), job.environment, job.folder))
