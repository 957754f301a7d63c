"""golang-migrate's version rows while a run goes on: what each step's own transaction writes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from msgspec import Struct, field

from bgce_migrate.db import golang_migrate
from bgce_migrate.db.golang_migrate import Place
from bgce_migrate.db.history import State
from bgce_migrate.db.session import Session
from bgce_migrate.db.wire import Command
from bgce_migrate.migration import Direction, MigrationId, Step
from bgce_migrate.plan.version_row import VersionRow, Watermark
from bgce_migrate.tree import Tree


class Tables(Struct, frozen=True):
    """The version tables that a project wants kept.

    Attributes:
        places: by domain.
        files: the migrations on disk.
    """

    places: Mapping[str, Place] = field(default_factory=lambda: MappingProxyType({}))
    files: tuple[MigrationId, ...] = ()

    @staticmethod
    def of(tree: Tree) -> Tables:
        """Those that `[compat]` of a project names; none without it."""
        places = tree.project.compat.tables(tree.project.domains)
        return Tables(MappingProxyType(places), tuple(tree.migrations) if places else ())


class VersionRows:
    """What the rows must say, step by step. Each domain's steps run one after the other, so nothing here is shared.

    Without tables it costs nothing: no command is ever sent.
    """

    def __init__(self, tables: Tables, state: State) -> None:
        self.places = tables.places
        files: dict[str, list[int]] = {}
        applied: dict[str, list[int]] = {}
        for migration in tables.files:
            files.setdefault(migration.domain, []).append(migration.version)
        for migration in state.applied if tables.places else ():
            applied.setdefault(migration.domain, []).append(migration.version)
        self._marks = {d: Watermark(files.get(d, ()), applied.get(d, ())) for d in tables.places}
        self._open = {(u.id, u.direction) for u in state.journal if u.id.domain in self._marks}

    def mark(self, domain: str) -> Watermark:
        """What is applied of a domain, and where it stands. Raises KeyError."""
        return self._marks[domain]

    def truth(self, domain: str) -> VersionRow:
        """What a domain's row must say now; dirty while a journaled file is half done. Raises KeyError."""
        half = sorted((i.version, way) for i, way in self._open if i.domain == domain)
        if not half:
            return VersionRow(self._marks[domain].version)
        version, way = half[-1]
        return VersionRow(self._marks[domain].after(version, way is Direction.UP), True)

    def begun(self, session: Session, epoch: int, step: Step, attempt: str | None = None) -> list[Command]:
        """For the transaction that records the first part of a journaled file: dirty, as golang-migrate has it."""
        return self._write(session, epoch, step, attempt, dirty=True)

    def finish(self, session: Session, epoch: int, step: Step, attempt: str) -> list[Command]:
        """For the transaction of a step, while its guard is open."""
        return self._write(session, epoch, step, attempt, dirty=False)

    def done(self, step: Step) -> None:
        """A step's transaction has been committed."""
        self.switch(step.id, step.direction is Direction.UP)

    def switch(self, migration: MigrationId, applied: bool) -> None:
        """A version counts as applied from now on, or does not."""
        if migration.domain in self._marks:
            self._marks[migration.domain].switch(migration.version, applied)

    def forget(self, migration: MigrationId) -> None:
        """A journaled file counts as not begun."""
        self._open = {entry for entry in self._open if entry[0] != migration}

    def beside(self, session: Session, epoch: int, domains: Iterable[str]) -> list[Command]:
        """For a transaction without a step: the truth of these domains."""
        return [
            golang_migrate.keep(session, epoch, domain, self.truth(domain))
            for domain in dict.fromkeys(domains)
            if domain in self._marks
        ]

    def _write(self, session: Session, epoch: int, step: Step, attempt: str | None, *, dirty: bool) -> list[Command]:
        domain = step.id.domain
        if domain not in self._marks:
            return []
        version = self._marks[domain].after(step.id.version, step.direction is Direction.UP)
        return [golang_migrate.keep(session, epoch, domain, VersionRow(version, dirty), attempt)]


#: Where nothing is kept for other tools.
NONE = VersionRows(Tables(), State())
