"""Grants: planned, applied and found as they are, for a platform of 11 domains and for one of 200."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
from psycopg import sql

from bench.clock import Job, Sample, run
from bench.contestants import command
from bench.ground import Ground

#: (name, domains, tables a domain, services)
SIZES = (("11 domains", 11, 5, 13), ("200 domains", 200, 10, 250))


@dataclass(frozen=True, slots=True)
class Granting:
    """By size: `grants plan` with everything to do, `grants apply`, and `grants apply` again."""

    samples: dict[str, tuple[Sample, Sample, Sample]]


def measure(ground: Ground, folder: Path, *, rounds: int) -> Granting:
    """Whole processes with the administrator's login, on fresh databases with all tables and no right."""
    found: dict[str, tuple[Sample, Sample, Sample]] = {}
    for name, domains, tables, services in SIZES:
        project = folder / f"grants{domains}"
        write(project, domains, tables, services)
        timings = []
        for _ in range(rounds):
            with ground.fresh() as database:
                url = ground.url(database)
                run(command("bootstrap", "--no-input", "-d", url, folder=project))
                _make_tables(url, domains, tables)
                ground.settle()
                timings.append([run(job) for job in _jobs(project, url)])
            _drop_roles(ground)
        names = ("plan", "apply", "apply again")
        found[name] = tuple(  # type: ignore[assignment]
            Sample(f"{name}, {what}", tuple(turn[i] for turn in timings)) for i, what in enumerate(names)
        )
    return Granting(found)


def _jobs(project: Path, url: str) -> Iterator[Job]:
    for words in (("plan",), ("apply",), ("apply",)):
        yield command("grants", *words, "--no-input", "-d", url, folder=project)


def write(project: Path, domains: int, tables: int, services: int) -> None:
    """Domains whose services read the hub by column, a neighbour's tables one by one, and another's all at once."""
    names = [f"d{number:03}" for number in range(domains)]
    folders = ", ".join(f'"domains/{name}"' for name in names)
    project.mkdir(parents=True)
    (project / "bgce.toml").write_text(f'[project]\nname = "grants"\ndomains = [{folders}]\n')
    for number, name in enumerate(names):
        lines = [f'name = "{name}"']
        for table in range(tables):
            lines += [f"[tables.{name}_t{table}]"]
        if number == 0:
            lines += ["[tables.hub.columns]", 'secret = "secret"', 'mail = "contact"']
        own = range(number, services, domains)
        for service in own:
            neighbour, other = names[(number + 1) % domains], names[(number + 7) % domains]
            reads = [f"{neighbour}:{neighbour}_t{table}" for table in range(min(tables, 5))] + [f"{other}:*"]
            reads += ["d000:hub"] if number else []
            writes = [f"{name}_t{table}" for table in range(tables)] + (["hub"] if number == 0 else [])
            # Where a domain has several services, each writes its part.
            mine = writes if len(own) == 1 else writes[own.index(service) :: len(own)]
            lines += ["[[services]]", f'name = "s{service:03}"', f"writes = {_listed(mine)}", f"reads = {_listed(reads)}"]
        folder = project / "domains" / name
        folder.mkdir(parents=True)
        (folder / "domain.toml").write_text("\n".join(lines) + "\n")


def _listed(words: list[str]) -> str:
    return "[" + ", ".join(f'"{word}"' for word in words) + "]"


def _make_tables(url: str, domains: int, tables: int) -> None:
    """As each owner; what a step does is measured elsewhere."""
    columns = ", ".join(f"c{number} text" for number in range(10))
    with psycopg.connect(url) as connection:
        for number in range(domains):
            name = f"d{number:03}"
            connection.execute(sql.SQL("SET LOCAL ROLE {}").format(sql.Identifier(f"{name}_owner")))
            made = [f"{name}_t{table}" for table in range(tables)]
            for table in made:
                start = "CREATE TABLE {} (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
                connection.execute(sql.SQL(start).format(sql.Identifier(table)) + sql.SQL(f"{columns})"))  # type: ignore[arg-type]
            if number == 0:
                connection.execute("CREATE TABLE hub (id bigint PRIMARY KEY, name text, mail text, secret text)")


def _drop_roles(ground: Ground) -> None:
    """Roles belong to the whole server; those of another size would be drift."""
    with psycopg.connect(ground.server.url(), autocommit=True) as connection:
        rows = connection.execute("SELECT rolname FROM pg_roles WHERE rolname ~ '^(d|s)[0-9]{3}_'").fetchall()
        if rows:
            names = sql.SQL(", ").join(sql.Identifier(row[0]) for row in rows)
            connection.execute(sql.SQL("DROP ROLE {}").format(names))
