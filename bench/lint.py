"""Lint against squawk on the same files: cold on two processes, warm, and with one file changed."""

from __future__ import annotations

import re
import shutil
import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from bench.clock import Job, Timing, run

FILES = 400
CHARACTERS = 1_400_000
ROOT = Path(__file__).resolve().parents[1]
_TABLE = re.compile(r"^CREATE TABLE (\w+)", re.MULTILINE)
_TEAMS = 8


@dataclass(frozen=True, slots=True)
class Linting:
    """The medians of one measurement.

    Attributes:
        squawk: None where it is not installed.
    """

    files: int
    characters: int
    squawk: Timing | None
    ours: dict[str, Timing] = field(default_factory=dict)


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


def measure(folder: Path, rounds: int = 5, squawk: str | None = None) -> Linting:
    """Medians of `rounds`, the contestants in turns so that a busy machine is busy for all."""
    project = write_files(folder / "lint")
    files = sorted(project.glob("migrations/*/*.up.sql"))
    program = squawk or shutil.which("squawk")
    lint = (sys.executable, "-m", "bgce_migrate", "lint", "--no-style", "--fail-on", "error")
    ours = Job((*lint, "--format", "gcc"), {"PYTHONPATH": str(ROOT)}, project)
    timings: dict[str, list[Timing]] = {}
    changed = files[len(files) // 2]
    first = changed.read_text(encoding="utf-8")
    for number in range(rounds):
        shutil.rmtree(project / ".bgce", ignore_errors=True)
        if program is not None:
            others = Job((program, *map(str, files)), {}, project)
            timings.setdefault("squawk", []).append(_finished(lambda o=others: run(o)))
        timings.setdefault("cold", []).append(_finished(lambda: run(ours)))
        timings.setdefault("warm", []).append(_finished(lambda: run(ours)))
        changed.write_text(f"-- round {number}\n{first}", encoding="utf-8")
        timings.setdefault("one changed", []).append(_finished(lambda: run(ours)))
    middle = {name: _median(found) for name, found in timings.items()}
    return Linting(len(files), sum(f.stat().st_size for f in files), middle.pop("squawk", None), middle)


def _finished(work: Callable[[], Timing]) -> Timing:
    return work()


def _median(found: list[Timing]) -> Timing:
    wall = statistics.median(t.wall for t in found)
    return min(found, key=lambda t: abs(t.wall - wall))
