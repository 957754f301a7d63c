"""Fifty random ups, downs, gotos and forces over three domains: after each, the rows are what golang-migrate has to find."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest

from bgce_migrate.apply.context import RunInfo
from bgce_migrate.errors import BgceError
from tests.compat.scene import DOMAINS, World, pair
from tests.e2e.desks import OPTIONS, address, down, force, open_desk, up, yes

STEPS = 50


class Walk:
    """Random commands; what fails or is refused belongs to it: then, too, the rows must be true."""

    def __init__(self, world: World, seed: int) -> None:
        self.world, self.dice = world, random.Random(seed)
        self.ran: list[str] = []
        self.moves: dict[str, int] = {"up": 6, "up_some": 4, "down": 6, "goto": 4, "force": 2, "late": 3, "gone": 2, "bad": 2, "atomic": 2}
        self._newest = 100

    def run(self) -> None:
        for _ in range(STEPS):
            name = self.dice.choices(list(self.moves), list(self.moves.values()))[0]
            move: Callable[[str], str] = getattr(self, f"_{name}")
            try:
                said = move(self.dice.choice(DOMAINS))
            except BgceError as refused:
                said = f"{name}: {refused.message}"
            self.ran.append(said)
            self.world.require_true(self.ran)

    def _more(self) -> dict[str, object]:
        return {"passwords": self.world.passwords, "allow_unlocked": True}

    def _up(self, domain: str) -> str:
        return f"up: {up(self.world.project, self.world.url, jobs=self.dice.choice((1, 2)), **self._more()).result}"  # type: ignore[arg-type]

    def _up_some(self, domain: str) -> str:
        limit, name = self.dice.randint(1, 3), self.dice.choice((domain, None))
        return f"up {limit} of {name}: {up(self.world.project, self.world.url, domain=name, limit=limit, **self._more()).result}"  # type: ignore[arg-type]

    def _atomic(self, domain: str) -> str:
        return f"atomic: {up(self.world.project, self.world.url, atomic=True, **self._more()).result}"  # type: ignore[arg-type]

    def _down(self, domain: str) -> str:
        count = self.dice.randint(1, 3)
        found = down(self.world.project, self.world.url, domain=domain, count=count, passwords=self.world.passwords)
        return f"down {count} of {domain}: {found.result}"

    def _goto(self, domain: str) -> str:
        version = self.dice.choice([0, *self._versions(domain)])
        desk = open_desk(self.world.project)
        with desk.open(address(desk, self.world.url, self.world.passwords)) as target:
            found = desk.goto(target, RunInfo.new("goto"), OPTIONS, domain, version, consent=yes, allow_unlocked=True)
        return f"goto {domain}/{version}: {found.result}"

    def _force(self, domain: str) -> str:
        version = self.dice.choice([0, *self._versions(domain)])
        return f"force {domain}/{version}: {force(self.world.project, self.world.url, domain, version)}"

    def _late(self, domain: str) -> str:
        """A file between others; its row changes with a step, never by itself."""
        version = self.dice.randint(1, 60)
        self.world.write(pair(domain, version))
        return f"file {domain}/{version}, {self._up(domain)}"

    def _gone(self, domain: str) -> str:
        version = self.dice.choice(self._versions(domain))
        self._remove(domain, version)
        self._newest += 1
        self.world.write(pair(domain, self._newest))
        return f"no file {domain}/{version}, {self._up(domain)}"

    def _bad(self, domain: str) -> str:
        """A step that fails leaves the row alone, wherever its version stands."""
        version = self.dice.randint(1, 60)
        if version in self._versions(domain):
            return "bad: there is a good one"
        self.world.write({**pair(domain, version), f"migrations/{domain}/{version:06}_t.up.sql": "CREATE TABLE more (); SELECT 1 / 0;"})
        said = self._up(domain)
        self._remove(domain, version)
        return f"bad {domain}/{version}, {said}"

    def _remove(self, domain: str, version: int) -> None:
        for file in (self.world.project / "migrations" / domain).glob(f"{version:06}_*"):
            file.unlink()

    def _versions(self, domain: str) -> list[int]:
        found = (self.world.project / "migrations" / domain).glob("*.up.sql")
        return sorted(int(f.name.partition("_")[0]) for f in found)


def walk(world: World, seed: int) -> None:
    found = Walk(world, seed)
    found.run()
    done = [said for said in found.ran if said.endswith(": done")]
    assert len(done) >= STEPS // 3, found.ran
    assert len({said.split()[0] for said in done}) >= 5, found.ran


@pytest.mark.postgres(18)
def test_in_layout_plain(database: str, tmp_path: Path) -> None:
    walk(World(tmp_path, database, ""), 1)


@pytest.mark.postgres(16)
def test_guarded_in_mode_role(database: str, tmp_path: Path) -> None:
    walk(World(tmp_path, database, "role"), 2)


@pytest.mark.postgres(18)
def test_guarded_in_mode_login(database: str, tmp_path: Path) -> None:
    walk(World(tmp_path, database, "login"), 3)
