"""Many files to their analyses: from the cache, else read, in two processes where that is worth it."""

from __future__ import annotations

import os
import struct
from collections.abc import Mapping, Sequence

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
    for task in tasks:
        key = key_of(task)
        raw = store.get(key)
        known = decode_analysis(raw) if raw is not None else None
        if known is not None:
            found[task.source.path] = known
        else:
            cold.append((key, task))
    if not cold:
        return found
    fresh: list[tuple[str, bytes]] = []
    if len(cold) > MANY and jobs > 1 and hasattr(os, "fork") and (os.cpu_count() or 1) > 1:
        _in_two(cold, found, fresh)
    else:
        _here(cold, found, fresh)
    store.put(fresh)
    return found


def _here(cold: Sequence[tuple[str, Task]], found: dict[str, Analysis], fresh: list[tuple[str, bytes]]) -> None:
    for key, task in cold:
        known = found[task.source.path] = analyse(task)
        fresh.append((key, encode(known)))


def _in_two(cold: Sequence[tuple[str, Task]], found: dict[str, Analysis], fresh: list[tuple[str, bytes]]) -> None:
    """A forked child reads every second file, the largest first, and sends what it found through a pipe."""
    ranked = sorted(cold, key=lambda item: len(item[1].source.text), reverse=True)
    # Loaded once, before the child is made.
    import bgce_migrate.lint.facts.dispatch
    import bgce_migrate.sqlfile.script  # noqa: F401

    ours, theirs = ranked[::2], ranked[1::2]
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _child(theirs, writer)
    os.close(writer)
    import threading

    received: list[bytes] = []
    # Read at once, or the child waits for a full pipe.
    thread = threading.Thread(target=lambda: received.append(_drain(reader)), daemon=True)
    thread.start()
    _here(ours, found, fresh)
    thread.join()
    os.waitpid(child, 0)
    missing = dict(theirs)
    for (key, task), raw in zip(theirs, _frames(received[0] if received else b""), strict=False):
        known = decode_analysis(raw)
        if known is not None:
            found[task.source.path] = known
            fresh.append((key, raw))
            missing.pop(key)
    # A child that died is no reason to fail.
    _here(list(missing.items()), found, fresh)


def _child(tasks: Sequence[tuple[str, Task]], writer: int) -> None:
    try:
        with os.fdopen(writer, "wb") as pipe:
            for _, task in tasks:
                raw = encode(analyse(task))
                pipe.write(_LENGTH.pack(len(raw)) + raw)
    finally:
        os._exit(0)


def _drain(reader: int) -> bytes:
    with os.fdopen(reader, "rb") as pipe:
        return pipe.read()


def _frames(raw: bytes) -> Sequence[bytes]:
    found = []
    at = 0
    while at + _LENGTH.size <= len(raw):
        (length,) = _LENGTH.unpack_from(raw, at)
        at += _LENGTH.size
        found.append(raw[at : at + length])
        at += length
    return found
