"""Drift of 500 tables of ten domains, and a thousand statements of services prepared before and after a new step."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from bench import grants
from bench.clock import BenchError, Sample, run
from bench.contestants import command
from bench.ground import Ground

DOMAINS, TABLES, SERVICES = 10, 50, 10
STATEMENTS = 1000
_MILLI = 1000.0


@dataclass(frozen=True, slots=True)
class Drifting:
    """`drift` the first time and with the expected catalog kept; milliseconds to prepare a statement.

    Attributes:
        clients: `verify --client` as a whole process.
        a_statement: best of the rounds, in milliseconds.
    """

    tables: int
    first: Sample
    kept: Sample
    clients: Sample
    a_statement: float


def measure(ground: Ground, folder: Path, *, rounds: int) -> Drifting:
    """Whole processes on a guarded database with every right as declared."""
    project = folder / "drift"
    grants.write(project, DOMAINS, TABLES, SERVICES)
    _migrations(project)
    with ground.fresh() as database:
        url = ground.url(database)
        run(command("bootstrap", "--no-input", "-d", url, folder=project))
        run(command("lock", folder=project))
        run(command("up", "--no-input", "-d", ground.migrator_url(database), folder=project))
        run(command("grants", "apply", "--no-input", "-d", url, folder=project))
        first = run(command("drift", "--no-input", "-d", url, folder=project))
        ground.settle()
        kept = [run(command("drift", "--no-input", "-d", url, folder=project)) for _ in range(rounds)]
        clients, each = _clients(project, url, rounds)
    grants._drop_roles(ground)
    run(command("server", "stop", "--no-input", folder=project))
    return Drifting(DOMAINS * TABLES, Sample("drift, first time", (first,)), Sample("drift, catalog kept", tuple(kept)), clients, each)


def _migrations(project: Path) -> None:
    columns = ", ".join(f"c{number} text" for number in range(10))
    for number in range(DOMAINS):
        folder, name = project / "domains" / f"d{number:03}", f"d{number:03}"
        for first in range(0, TABLES, 10):
            made = [f"{name}_t{table}" for table in range(first, first + 10)]
            made += ["hub"] if number == first == 0 else []
            hub = "id bigint PRIMARY KEY, name text, mail text, secret text"
            lines = [f"CREATE TABLE {t} ({hub if t == 'hub' else f'id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, {columns}'});" for t in made]
            lines += [f"CREATE INDEX {t}_c1 ON {t} (c1);" for t in made if t != "hub"]
            version = first // 10 + 1
            (folder / f"{version:06}_tables.up.sql").write_text("\n".join(lines) + "\n")
            (folder / f"{version:06}_tables.down.sql").write_text("".join(f"DROP TABLE {t};\n" for t in made))


def _clients(project: Path, url: str, rounds: int) -> tuple[Sample, float]:
    """A new step renames a column that no statement names: everything is prepared twice and nothing breaks."""
    step = project / "domains" / "d000" / "000009_rename"
    step.with_suffix(".up.sql").write_text("ALTER TABLE d000_t0 RENAME COLUMN c9 TO c10;\n")
    step.with_suffix(".down.sql").write_text("ALTER TABLE d000_t0 RENAME COLUMN c10 TO c9;\n")
    file = project / "clients.sql"
    tables = [f"d{n % DOMAINS:03}_t{n // DOMAINS % TABLES}" for n in range(STATEMENTS)]
    file.write_text("".join(f"UPDATE {t} SET c1 = $1, c2 = $2 WHERE id = $3 AND c3 LIKE $4 RETURNING id, c4;\n" for t in tables))
    timings = [run(command("verify", "--client", str(file), "--json", "--no-input", "-d", url, folder=project)) for _ in range(rounds)]
    each = []
    for timing in timings:
        found = json.loads(timing.output)["clients"]
        if found["prepared"] != 2 * STATEMENTS:
            raise BenchError(f"{found['prepared']} statements were prepared, not {2 * STATEMENTS}")
        each.append(found["preparing_ms"] / found["prepared"])
    return Sample(f"verify --client, {STATEMENTS} statements", tuple(timings)), min(each)
