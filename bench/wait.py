"""Fifty waiters and one `up`: how long after the commit each goes on, as processes and in one event loop."""

from __future__ import annotations

import asyncio
import json
import subprocess
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psycopg

import bgce_migrate
from bench.clock import BenchError, clean_environment, run
from bench.contestants import command
from bench.ground import Ground

WAITERS, STEPS = 50, 3
DECIDED, ENDED, LOOP = "processes: seen", "processes: ended", "one event loop"


@dataclass(frozen=True, slots=True)
class Delays:
    """Milliseconds after the commit, ascending, of all waiters of one round."""

    values: tuple[float, ...]

    def part(self, share: float) -> float:
        """The delay that this share of the waiters does not exceed."""
        return self.values[min(int(len(self.values) * share), len(self.values) - 1)]


@dataclass(frozen=True, slots=True)
class Waiting:
    """Rounds by what was measured, and how many waiters did not open."""

    rounds: dict[str, tuple[Delays, ...]]
    errors: int

    def best(self, name: str) -> Delays:
        """The round with the least p95: whatever else the machine does only adds."""
        return min(self.rounds[name], key=lambda delays: delays.part(0.95))


def measure(ground: Ground, folder: Path, *, rounds: int) -> Waiting:
    """Start the waiters, see all of them wait, and apply the last step."""
    tree = folder / "waited"
    tree.mkdir()
    for number in range(1, STEPS + 1):
        (tree / f"{number}_t.up.sql").write_text(f"CREATE TABLE t{number} (id bigint);\n")
        (tree / f"{number}_t.down.sql").write_text(f"DROP TABLE t{number};\n")
    found: dict[str, list[Delays]] = {DECIDED: [], ENDED: [], LOOP: []}
    errors = 0
    for _ in range(rounds):
        with ground.fresh() as database:
            decided, ended, failed = _processes(ground.url(database), tree)
        errors += failed
        found[DECIDED].append(decided)
        found[ENDED].append(ended)
        with ground.fresh() as database:
            found[LOOP].append(_loop(ground.url(database), tree))
    return Waiting({name: tuple(delays) for name, delays in found.items()}, errors)


def _processes(url: str, tree: Path) -> tuple[Delays, Delays, int]:
    _up(url, tree, STEPS - 1)
    job = command("wait", f"{tree.name}>={STEPS}", "--json", "--timeout", "120", "-d", url, folder=tree)
    environment = {**clean_environment(), **job.environment}
    waiters = [
        subprocess.Popen(job.argv, cwd=tree, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                         stderr=subprocess.PIPE)
        for _ in range(WAITERS)
    ]  # fmt: skip
    ends = [0.0] * WAITERS
    threads = [threading.Thread(target=_end, args=(waiters, ends, i)) for i in range(WAITERS)]
    for thread in threads:
        thread.start()
    try:
        _everybody(url, waiters)
        _up(url, tree)
    finally:
        for thread in threads:
            thread.join(150)
    commit = _committed(url)
    seen = [json.loads(w.stdout.read())["at"] for w in waiters if w.stdout is not None and w.returncode == 0]
    if not seen:
        raise BenchError("not one of the waiters opened")
    return _delays(seen, commit), _delays(ends, commit), sum(w.returncode != 0 for w in waiters)


def _end(waiters: Sequence[subprocess.Popen[bytes]], ends: list[float], index: int) -> None:
    waiters[index].wait()
    ends[index] = time.time()


def _loop(url: str, tree: Path) -> Delays:
    """The library's form: fifty coroutines of one process."""

    async def one() -> float:
        await bgce_migrate.wait_async(f"{tree.name}>={STEPS}", database_url=url, timeout=120)
        return time.time()

    async def all_of_them() -> list[float]:
        waiting = [asyncio.create_task(one()) for _ in range(WAITERS)]
        await asyncio.to_thread(_everybody, url)
        await asyncio.to_thread(_up, url, tree)
        return await asyncio.gather(*waiting)

    _up(url, tree, STEPS - 1)
    return _delays(asyncio.run(all_of_them()), _committed(url))


def _up(url: str, tree: Path, count: int | None = None) -> None:
    words = [] if count is None else [str(count)]
    run(command("up", *words, "--migrations", str(tree), "-d", url, folder=tree))


def _everybody(url: str, waiters: Sequence[subprocess.Popen[bytes]] = ()) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        query = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'bgce-migrate wait'"
        for _ in range(1200):
            row = connection.execute(query).fetchone()
            if row is not None and row[0] == WAITERS:
                time.sleep(0.5)  # until the last one has looked, too
                return
            if ended := [w for w in waiters if w.poll() is not None]:
                for waiter in waiters:
                    waiter.kill()
                said = ended[0].stderr.read().decode(errors="replace") if ended[0].stderr is not None else ""
                raise BenchError(f"a waiter exited {ended[0].returncode} before anything was applied: {said.strip()}")
            time.sleep(0.1)
    raise BenchError("not all waiters came")


def _committed(url: str) -> float:
    """When the history row of the last step was written: a moment before its commit."""
    with psycopg.connect(url) as connection:
        query = "SELECT extract(epoch FROM applied_at)::float8 FROM bgce_migrate.migration_state WHERE version = %s"
        row = connection.execute(query, [STEPS]).fetchone()
    assert row is not None
    return float(row[0])


def _delays(times: Sequence[float], commit: float) -> Delays:
    return Delays(tuple(sorted((moment - commit) * 1000 for moment in times)))
