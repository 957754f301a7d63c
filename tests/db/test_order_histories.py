"""Real single-folder projects, cut into pseudo-domains and grown in batches, replay to the same schema.

The folders are not in the repository: BGCE_REAL_HISTORIES names them, separated by colons.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest

from bgce_migrate.effect import Action, Effect, ObjectKind
from bgce_migrate.migration import Direction, MigrationId, Mode, Script
from bgce_migrate.order import Rules
from bgce_migrate.servers import Server, programs
from bgce_migrate.sqlfile import read_script, read_source
from tests.unit.order.growth import Piece, grow

FOLDERS = [Path(f) for f in os.environ.get("BGCE_REAL_HISTORIES", "").split(":") if f]
SEEDS = int(os.environ.get("BGCE_REAL_SEEDS", "1"))
_FILE = re.compile(r"(\d+)(?:_.*)?[._]up\.sql\Z")
_SPLIT = re.compile(r"[^a-z0-9]+")


@dataclass(frozen=True)
class File:
    """One file of a project, under the id its pseudo-domain gives it."""

    id: MigrationId
    name: str
    script: Script


def read_files(folder: Path) -> list[File]:
    """The ups of a folder in their order, which also gives the versions: some projects repeat numbers."""
    found: list[tuple[int, str, Path]] = []
    for path in folder.iterdir():
        match = _FILE.match(path.name)
        if match:
            found.append((int(match[1]), path.name, path))
    files = []
    for version, (_, name, path) in enumerate(sorted(found), 1):
        script = read_script(read_source(name, path.read_bytes()), declared=False, direction=Direction.UP)
        files.append(File(MigrationId(pseudo_domain(script.effects), version), name, script))
    return files


def pseudo_domain(effects: Iterable[Effect]) -> str:
    """The first word of the file's main object."""
    listed = list(effects)
    main = [
        e
        for e in listed
        if e.object.kind is ObjectKind.RELATION and e.action in (Action.MAKE, Action.REPLACE, Action.ALTER)
    ]
    for effect in (*main, *listed):
        words = [w for w in _SPLIT.split(effect.object.name.lower().replace("_", " ")) if w]
        if words:
            return words[0]
    return "misc"


def prepare(url: str, files: Sequence[File]) -> None:
    """Some files alter the runner's own table, which their runner makes first."""
    relations = [e for f in files for e in f.script.effects if e.object.kind is ObjectKind.RELATION]
    made = {e.object.name for e in relations if e.action is Action.MAKE}
    used = {e.object.name for e in relations if e.action is Action.ALTER}
    with psycopg.connect(url, autocommit=True) as connection:
        if "migrations" in used - made:
            connection.execute("CREATE TABLE migrations (version text)")


def run(url: str, files: Sequence[File]) -> None:
    """What a plain runner does: each file as one simple query, or statement by statement."""
    prepare(url, files)
    with psycopg.connect(url, autocommit=True) as connection:
        for file in files:
            script = file.script
            texts = (
                [s.text for s in script.statements] if script.mode is Mode.JOURNAL else [script.source.text]
            )
            for text in texts:
                try:
                    connection.execute(text.encode())
                except psycopg.Error as error:
                    raise AssertionError(f"{file.name} ({file.id.short}): {error}") from error
            connection.execute("RESET ALL")


def missing_extensions(url: str, files: Sequence[File]) -> list[str]:
    """Extensions that the files create and this server does not have."""
    wanted = {
        effect.object.name
        for file in files
        for effect in file.script.effects
        if effect.object.kind is ObjectKind.EXTENSION and effect.action in (Action.MAKE, Action.REPLACE)
    }
    with psycopg.connect(url) as connection:
        there = {row[0] for row in connection.execute("SELECT name FROM pg_available_extensions")}
    return sorted(wanted - there)


def dump(server: Server, url: str) -> list[str]:
    """`pg_dump -s`, with what follows from the order of unrelated statements taken out.

    The order of columns differs when two pseudo-domains add columns to one table.
    """
    programs_folder = next(p for p in programs.available(server.provider) if p.major == server.major)
    command = [str(programs_folder.path("pg_dump")), "-s", "--no-owner", "--no-privileges", "-d", url]
    text = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120).stdout
    statements: list[str] = []
    for block in re.split(r"\n\n+", text):
        lines = [line.rstrip(",") for line in block.splitlines() if not line.startswith(("--", "\\"))]
        if lines and lines[0].startswith("CREATE TABLE"):
            lines = [lines[0], *sorted(lines[1:])]
        statements.append("\n".join(lines))
    return sorted(s for s in statements if s.strip())


@pytest.mark.postgres(18, 15)
@pytest.mark.skipif(not FOLDERS, reason="BGCE_REAL_HISTORIES names no folders")
@pytest.mark.parametrize("folder", FOLDERS, ids=str)
def test_a_real_history_grows_without_false_cycles_to_the_same_schema(
    server: Server, folder: Path, make_database: Callable[[], str]
) -> None:
    files = read_files(folder)
    by_id = {file.id: file for file in files}
    assert len(by_id) == len(files)
    truth = make_database()
    missing = missing_extensions(truth, files)
    if missing:
        pytest.skip(f"this server has no {', '.join(missing)}")
    run(truth, files)
    expected = dump(server, truth)
    for seed in range(SEEDS):
        rng = random.Random(seed)
        domains = sorted({file.id.domain for file in files})
        rng.shuffle(domains)
        rules = Rules({domain: rank for rank, domain in enumerate(domains)})
        pieces = [Piece(file.id, file.script.effects) for file in files]
        grown = grow(pieces, rng, rules, heed_warnings=True)
        print(f"{folder}: {len(files)} files, {len(domains)} pseudo-domains, {len(grown.asked)} asked")
        replayed = make_database()
        run(replayed, [by_id[migration] for migration in grown.order])
        assert dump(server, replayed) == expected
