"""Grows a world's migrations as files of a project: in batches, on branches that meet, locked after each."""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bgce_migrate.desk import Desk
from bgce_migrate.errors import Problem, Refused
from tests.property.worlds import Migration, World

_ID = re.compile(r"\b(d\d/\d{6})")
_NAME = re.compile(r"\b[a-z]_d\d_\d\b")


@dataclass
class Growing:
    """A project that grows.

    Attributes:
        asked: what people were asked to settle with `requires`.
    """

    root: Path
    world: World
    rng: random.Random
    written: dict[str, Migration] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    merged: int = 0

    def start(self, mode: str = "role") -> None:
        """The declarations; ranks are a matter of taste, so they are drawn."""
        ranks = list(self.world.domains)
        self.rng.shuffle(ranks)
        folders = ", ".join(f'"migrations/{name}"' for name in ranks)
        (self.root / "bgce.toml").write_text(
            f'[project]\nname = "grown"\ndomains = [{folders}]\n[database]\nmode = "{mode}"\n'
        )
        for name in self.world.domains:
            folder = self.root / "migrations" / name
            folder.mkdir(parents=True)
            (folder / "domain.toml").write_text(f'name = "{name}"\nrequires = {self.world.requires[name]!r}\n')

    def add(self, size: int) -> None:
        """Write and lock the next migrations: one batch, or two branches that meet where they share no name."""
        batch = self.world.batch(size)
        for name in self.world.domains:
            self._number(name, [m for m in batch if m.domain == name])
        self.written |= {m.short: m for m in batch}
        half = len(batch) // 2
        one, other = batch[:half], batch[half:]
        if one and other and not _names(one) & _names(other):
            self._merge(one, other)
        else:
            self._lock(batch)

    def _merge(self, one: Sequence[Migration], other: Sequence[Migration]) -> None:
        """Each branch locks what it has; git's union keeps the lines of both."""
        lock = self.root / "bgce.lock"
        before = lock.read_text() if lock.exists() else ""
        self._lock(one)
        mine = lock.read_text()
        for migration in one:
            self._file(migration).unlink()
        lock.write_text(before) if before else lock.unlink()
        self._lock(other)
        theirs = [line for line in lock.read_text().splitlines(True) if line not in before and line not in mine]
        lock.write_text(mine + "".join(theirs))
        self._lock(one)
        assert lock.read_text() == mine + "".join(theirs), "what the branches have recorded stays as it is"
        self.merged += 1

    def _number(self, domain: str, batch: Sequence[Migration]) -> None:
        """Mostly the next versions; now and then lower ones that nobody has taken."""
        taken = {m.version for m in self.written.values() if m.domain == domain}
        highest = max(taken, default=0)
        late = self.rng.random() < 0.15
        free = [n for n in range(1 if late else highest + 1, highest + 2 * len(batch) + 1) if n not in taken]
        for migration, version in zip(batch, sorted(self.rng.sample(free, len(batch))), strict=True):
            migration.version = version

    def _file(self, migration: Migration) -> Path:
        folder = self.root / "migrations" / migration.domain
        return folder / f"{migration.version:06d}_{migration.number}.up.sql"

    def _lock(self, batch: Sequence[Migration]) -> None:
        for migration in batch:
            self._file(migration).write_text(migration.text)
        for _ in range(10 * len(batch) + 1):
            try:
                Desk.load(self.root).lock()
                return
            except Refused as refused:
                problems = list(refused.problems) or [Problem(refused.message)]
                wrong = [p for p in problems if not p.message.startswith("ambiguous")]
                assert not wrong, [f"{p} {p.hint}" for p in wrong]
                self._answer(problems, {m.short for m in batch})
        raise AssertionError("never satisfied")

    def _answer(self, problems: Sequence[Problem], batch: set[str]) -> None:
        """Say `requires` on the true predecessor; what was answered must not be asked again."""
        progress = False
        for problem in problems:
            named = sorted(set(_ID.findall(problem.message)) & batch, key=lambda s: self.written[s].number)
            for before, after in itertools.pairwise(named):
                migration = self.written[after]
                if before not in migration.requires:
                    migration.requires.append(before)
                    self._file(migration).write_text(migration.text)
                    self.asked.append(problem.message)
                    progress = True
        assert progress, [str(p) for p in problems]


def _names(batch: Sequence[Migration]) -> set[str]:
    return {name for m in batch for statement in m.statements for name in _NAME.findall(statement)}
