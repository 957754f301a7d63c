"""Many files to their analyses: from the cache, else read, in two processes where that is worth it."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import BinaryIO

from bgce_migrate.beside import beside, can_fork
from bgce_migrate.linting.analysis import Analysis, Task, analyse
from bgce_migrate.linting.cache import decode_analysis, encode, key_of
from bgce_migrate.linting.store import Store

#: From so many files on a second process reads half of them.
MANY = 60
_LENGTH = struct.Struct("<Q")


def analyses(tasks: Sequence[Task], store: Store, *, jobs: int = 2) -> Mapping[str, Analysis]:
    """Analyses by the path of their file.

    Args:
        jobs: 1 never starts a second process.
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
        _in_two(cold, found, fresh)
    else:
        _here(cold, found, fresh)
    store.put(fresh, asked)
    return found


def _here(cold: Sequence[tuple[str, Task]], found: dict[str, Analysis], fresh: dict[str, bytes]) -> None:
    for key, task in cold:
        known = found[task.source.path] = analyse(task)
        fresh[key] = encode(known)


def _in_two(cold: Sequence[tuple[str, Task]], found: dict[str, Analysis], fresh: dict[str, bytes]) -> None:
    """A forked child reads the greater part, the largest first, and sends what it found through a pipe."""
    ranked = sorted(cold, key=lambda item: len(item[1].source.text), reverse=True)
    # Loaded once, before the child is made.
    import bgce_migrate.lint.facts.dispatch
    import bgce_migrate.sqlfile.script  # noqa: F401

    # Understanding what the child sends costs a fifth of reading it, so it gets five files of nine.
    ours = [item for place, item in enumerate(ranked) if place % 9 in (0, 2, 4, 6)]
    theirs = [item for place, item in enumerate(ranked) if place % 9 not in (0, 2, 4, 6)]
    missing = dict(theirs)
    with beside(lambda pipe: _send(theirs, pipe)) as answer:
        _here(ours, found, fresh)
        for (key, task), raw in zip(theirs, _frames(answer.pieces()), strict=False):
            known = decode_analysis(raw)
            if known is not None:
                found[task.source.path] = known
                fresh[key] = raw
                missing.pop(key)
    # A child that died is no reason to fail.
    _here(list(missing.items()), found, fresh)


def _send(tasks: Sequence[tuple[str, Task]], pipe: BinaryIO) -> None:
    for _, task in tasks:
        raw = encode(analyse(task))
        pipe.write(_LENGTH.pack(len(raw)) + raw)


def _frames(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The frames in what comes by pieces; one that is not whole is left out."""
    left = b""
    for piece in pieces:
        left += piece
        at = 0
        while at + _LENGTH.size <= len(left):
            (length,) = _LENGTH.unpack_from(left, at)
            end = at + _LENGTH.size + length
            if end > len(left):
                break
            yield left[at + _LENGTH.size : end]
            at = end
        left = left[at:]
