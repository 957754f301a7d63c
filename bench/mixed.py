"""Reads of a mixed load on a real primary with two streaming standbys: how many reach replicas, how many are stale."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from collections import Counter
from dataclasses import dataclass
from typing import Any

from bench.ground import MAJOR, cache_folder
from bgce_migrate import AsyncRouter, Router
from tests.routing.scene import Cluster, running, until

_PROGRAMS, _ROUNDS, _WRITES, _KEPT = 4, 1_000, 0.1, 1.0
_CHANGE = "UPDATE posts SET n = n + 1 WHERE id = %s RETURNING n"
_VALUE = "SELECT n FROM posts WHERE id = %s"


@dataclass(frozen=True, slots=True)
class Mixed:
    """What one kind of router did: reads in all, those that the primary served, stale ones, seconds."""

    reads: int
    primary: int
    stale: int
    seconds: float

    @property
    def share(self) -> float:
        """Of the reads, those on the primary; percent."""
        return 100 * self.primary / self.reads


class _Program:
    """One user's session: a tenth of what it does are writes; it keeps each token for a second."""

    def __init__(self, row: int) -> None:
        self.row, self.dice = row, random.Random(row)
        self.wrote, self.token, self.end = 0, "", 0.0
        self.servers: Counter[str] = Counter()
        self.stale = 0

    @property
    def writes(self) -> bool:
        return self.dice.random() < _WRITES

    def keep(self, wrote: Any, token: str) -> None:
        self.wrote, self.token, self.end = wrote[0], token, time.monotonic() + _KEPT

    @property
    def kept(self) -> str | None:
        return self.token if time.monotonic() < self.end else None

    def saw(self, server: str, token: str | None, value: Any) -> None:
        self.servers[server] += 1
        self.stale += token is not None and value[0] < self.wrote


def measure() -> dict[str, Mixed]:
    """Four programs at once, first threads, then tasks of one event loop."""
    with running(cache_folder(), MAJOR) as cluster:
        return {"threads": _timed(_with_threads, cluster), "asyncio": _timed(_with_tasks, cluster)}


def _timed(work: Any, cluster: Cluster) -> Mixed:
    programs = [_Program(row) for row in range(1, _PROGRAMS + 1)]
    seconds = work(cluster, programs)
    servers = sum((p.servers for p in programs), Counter[str]())
    return Mixed(sum(servers.values()), servers["primary"], sum(p.stale for p in programs), seconds)


def _with_threads(cluster: Cluster, programs: list[_Program]) -> float:
    with Router(cluster.places) as router:
        until(lambda: len(router.view.readers.get("postal", ())) == 2)

        def run(program: _Program) -> None:
            for _ in range(_ROUNDS):
                if program.writes:
                    with router.write("postal") as lease:
                        changed = lease.connection.execute(_CHANGE, [program.row]).fetchone()
                    program.keep(changed, lease.token)
                token = program.kept
                with router.read("postal", token) as lease:
                    program.saw(lease.server, token, lease.connection.execute(_VALUE, [program.row]).fetchone())

        threads = [threading.Thread(target=run, args=(program,)) for program in programs]
        began = time.perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return time.perf_counter() - began


def _with_tasks(cluster: Cluster, programs: list[_Program]) -> float:
    async def run(router: AsyncRouter, program: _Program) -> None:
        for _ in range(_ROUNDS):
            if program.writes:
                async with router.write("postal") as lease:
                    cursor = await lease.connection.execute(_CHANGE, [program.row])
                    changed = await cursor.fetchone()
                program.keep(changed, lease.token)
            token = program.kept
            async with router.read("postal", token) as lease:
                cursor = await lease.connection.execute(_VALUE, [program.row])
                program.saw(lease.server, token, await cursor.fetchone())

    async def main() -> float:
        async with AsyncRouter(cluster.places) as router:
            began = time.perf_counter()
            await asyncio.gather(*(run(router, program) for program in programs))
            return time.perf_counter() - began

    return asyncio.run(main())
