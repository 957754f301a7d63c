"""Many files to their analyses: from the cache, else read, in two processes where that is worth it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from bgce_migrate.beside import can_fork
from bgce_migrate.linting.analysis import Analysis, Task, analyse
from bgce_migrate.linting.cache import decode_analysis, encode, key_of
from bgce_migrate.linting.sharing import in_two
from bgce_migrate.linting.store import Store
from bgce_migrate.migration import Direction, MigrationId, SourceFile
from bgce_migrate.tree import Tree

#: From so many files on a second process reads some of them.
MANY = 60


def tasks_of(tree: Tree, judged: frozenset[MigrationId]) -> Iterator[Task]:
    """All up files, and the downs of what is judged."""
    for migration, found in tree.migrations.items():
        domain = tree.domain(migration)
        yield Task(found.up, domain.declared, Direction.UP, domain.schema, found.id)
        if found.down is not None and migration in judged:
            yield Task(found.down, domain.declared, Direction.DOWN, domain.schema, found.id)


def judged_files(tree: Tree, judged: frozenset[MigrationId]) -> Iterator[tuple[MigrationId, SourceFile, Direction]]:
    """The files whose statements are judged."""
    for migration in sorted(judged):
        found = tree.migrations[migration]
        yield found.id, found.up, Direction.UP
        if found.down is not None:
            yield found.id, found.down, Direction.DOWN


class Readings:
    """Analyses by the path of their file: at first perhaps only as far as the order asks for."""

    def __init__(self, known: dict[str, Analysis], rest: Callable[[], None] | None = None) -> None:
        self.begun: Mapping[str, Analysis] = known
        self._known, self._rest = known, rest

    def whole(self) -> Mapping[str, Analysis]:
        """All of them with everything."""
        if self._rest is not None:
            self._rest()
            self._rest = None
        return self._known


@contextmanager
def analyses(
    tasks: Iterable[Task], store: Store, *, jobs: int = 2, meanwhile: Callable[[], None] | None = None
) -> Iterator[Readings]:
    """Read files, or take them from the cache.

    Args:
        jobs: 1 never starts a second process.
        meanwhile: what to do here first where a second process has begun to read.
    """
    found: dict[str, Analysis] = {}
    cold: list[tuple[str, Task]] = []
    asked: list[str] = []
    for task in tasks:
        key = key_of(task)
        asked.append(key)
        raw = store.get(key)
        known = decode_analysis(raw) if raw is not None else None
        if known is not None:
            found[task.source.path] = known
        else:
            cold.append((key, task))
    if len(cold) <= MANY or jobs < 2 or not can_fork():
        store.put(dict(read_here(cold, found)), asked)
        yield Readings(found)
        return
    with in_two(cold, found, meanwhile) as rest:
        yield Readings(found, lambda: store.put(rest(), asked))


def read_here(cold: Iterable[tuple[str, Task]], found: dict[str, Analysis]) -> Iterator[tuple[str, bytes]]:
    """Read in this process; gives the bytes to keep."""
    for key, task in cold:
        known = found[task.source.path] = analyse(task)
        yield key, encode(known)
