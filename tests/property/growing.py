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
        """Write and lock one batch."""
        batch = self.world.batch(size)
        for name in self.world.domains:
            self._number(name, [m for m in batch if m.domain == name])
        for migration in batch:
            self.written[migration.short] = migration
            self._write(migration)
        self._lock({m.short for m in batch})

    def _number(self, domain: str, batch: Sequence[Migration]) -> None:
        """Mostly the next versions; now and then lower ones that nobody has taken."""
        taken = {m.version for m in self.written.values() if m.domain == domain}
        highest = max(taken, default=0)
        late = self.rng.random() < 0.15
        free = [n for n in range(1 if late else highest + 1, highest + 2 * len(batch) + 1) if n not in taken]
        for migration, version in zip(batch, sorted(self.rng.sample(free, len(batch))), strict=True):
            migration.version = version

    def _write(self, migration: Migration) -> None:
        folder = self.root / "migrations" / migration.domain
        (folder / f"{migration.version:06d}_{migration.number}.up.sql").write_text(migration.text)

    def _lock(self, batch: set[str]) -> None:
        for _ in range(10 * len(batch) + 1):
            try:
                Desk.load(self.root).lock()
                return
            except Refused as refused:
                problems = list(refused.problems) or [Problem(refused.message)]
                wrong = [p for p in problems if not p.message.startswith("ambiguous")]
                assert not wrong, [f"{p} {p.hint}" for p in wrong]
                self._answer(problems, batch)
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
                    self._write(migration)
                    self.asked.append(problem.message)
                    progress = True
        assert progress, [str(p) for p in problems]
