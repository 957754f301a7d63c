"""Many files to their analyses: from the cache, else read, in two processes where that is worth it."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO

from bgce_migrate.beside import Answer, Tickets, beside, can_fork
from bgce_migrate.linting.analysis import Analysis, Task, analyse
from bgce_migrate.linting.cache import decode_analysis, encode, key_of
from bgce_migrate.linting.store import Store
from bgce_migrate.migration import Direction, MigrationId, SourceFile
from bgce_migrate.tree import Tree

#: From so many files on a second process reads some of them.
MANY = 60
#: The place of a task, and how long its analysis is.
_FRAME = struct.Struct("<QQ")


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


def analyses(
    tasks: Iterable[Task], store: Store, *, jobs: int = 2, meanwhile: Callable[[], None] | None = None
) -> Mapping[str, Analysis]:
    """Analyses by the path of their file.

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
    if not cold:
        return found
    fresh: dict[str, bytes] = {}
    if len(cold) > MANY and jobs > 1 and can_fork():
        _in_two(cold, found, fresh, meanwhile)
    else:
        _here(cold, found, fresh)
    store.put(fresh, asked)
    return found


def _here(cold: Sequence[tuple[str, Task]], found: dict[str, Analysis], fresh: dict[str, bytes]) -> None:
    for key, task in cold:
        known = found[task.source.path] = analyse(task)
        fresh[key] = encode(known)


def _in_two(
    cold: Sequence[tuple[str, Task]],
    found: dict[str, Analysis],
    fresh: dict[str, bytes],
    meanwhile: Callable[[], None] | None,
) -> None:
    """A forked child reads, too: each takes the next file when it is done with one, the largest first."""
    ranked = sorted(cold, key=lambda item: len(item[1].source.text), reverse=True)
    # Loaded once, before the child is made.
    import bgce_migrate.lint.facts.dispatch
    import bgce_migrate.sqlfile.script  # noqa: F401

    tickets = Tickets(len(ranked))
    missing = dict.fromkeys(range(len(ranked)))

    def take(frames: Iterable[tuple[int, bytes]]) -> None:
        for place, raw in frames:
            known = decode_analysis(raw)
            if known is not None:
                key, task = ranked[place]
                found[task.source.path] = known
                fresh[key] = raw
                missing.pop(place, None)

    with beside(lambda pipe: _send(ranked, tickets, pipe)) as answer:
        if meanwhile is not None:
            meanwhile()
        frames = _Frames(answer)
        for place in tickets:
            _here((ranked[place],), found, fresh)
            del missing[place]
            take(frames.ready())
        take(frames.rest())
    tickets.close()
    # A child that died is no reason to fail.
    _here([ranked[place] for place in missing], found, fresh)


def _send(tasks: Sequence[tuple[str, Task]], tickets: Tickets, pipe: BinaryIO) -> None:
    for place in tickets:
        raw = encode(analyse(tasks[place][1]))
        pipe.write(_FRAME.pack(place, len(raw)) + raw)


class _Frames:
    """The frames in what a child writes by pieces; one that is not whole is left out."""

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._left = b""

    def ready(self) -> Iterator[tuple[int, bytes]]:
        """Those that are there already."""
        for piece in self._answer.ready():
            yield from self._whole(piece)

    def rest(self) -> Iterator[tuple[int, bytes]]:
        """All that are still to come."""
        for piece in self._answer.pieces():
            yield from self._whole(piece)

    def _whole(self, piece: bytes) -> Iterator[tuple[int, bytes]]:
        left, at = self._left + piece, 0
        while at + _FRAME.size <= len(left):
            place, length = _FRAME.unpack_from(left, at)
            end = at + _FRAME.size + length
            if end > len(left):
                break
            yield place, left[at + _FRAME.size : end]
            at = end
        self._left = left[at:]
