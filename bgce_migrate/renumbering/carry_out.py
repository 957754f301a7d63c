"""Moves -> renamed files, rewritten `requires` and lock lines; nothing is done before all of it can be."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable
from pathlib import Path

from msgspec.structs import replace

from bgce_migrate import sqlfile
from bgce_migrate.config import Project
from bgce_migrate.config.paths import shown
from bgce_migrate.errors import ConfigError, Refused, Where
from bgce_migrate.migration import MigrationId
from bgce_migrate.order.lockfile import LockLine
from bgce_migrate.renumbering.collisions import Move
from bgce_migrate.renumbering.lock_text import Key, LockText, key_of
from bgce_migrate.renumbering.numbered import Numbered, read_numbers
from bgce_migrate.repository import Base, Repository, state_at
from bgce_migrate.repository.work_tree import GitFault

_REQUIRES = re.compile(rb"^([ \t]*--[ \t]*bgce:[ \t]*requires[ \t]+)([^\r\n]*)", re.IGNORECASE | re.MULTILINE)
_WORD = re.compile(rb"([^\s,/]+)/(\d+)(_[^\s,]*)?")


def carry_out(
    project: Project, repository: Repository | None, base: Base, lock: LockText, moves: Iterable[Move]
) -> tuple[Path, ...]:
    """Do it.

    Returns:
        Files whose text was changed: other new migrations that require a moved one, and the lock file.

    Raises:
        Refused: a new name is taken, or git is in the middle of a conflict over one of the files.
        ConfigError: a file cannot be written.
    """
    moves = tuple(moves)
    _require_free(moves)
    old = _on_target(project, repository, base)
    # From the end: the place that one moves to is left by the next.
    for move in reversed(moves):
        for before, after in move.files:
            _rename(repository, before, after)
    now = {p.key: p for d in project.domains for p in read_numbers(d)}
    new = {key: pair for key, pair in now.items() if key not in old}
    changed = _rewrite_requires(new.values(), moves)
    if lock.exists:
        moved = {_key(m.old): _key(m.new) for m in moves}
        first = set(old) - set(moved)
        replaced = {}
        for line in lock.lines:
            pair = now.get(moved.get(key_of(line), key_of(line)))
            if pair is not None and (key_of(line) in moved or not changed.isdisjoint(pair.files)):
                replaced[key_of(line)] = _line(line, pair)
        text = lock.rewritten(replaced, first)
        if text != lock.path.read_text(encoding="utf-8"):
            _write(lock.path, text.encode())
            changed.add(lock.path)
    return tuple(sorted(changed))


def _key(migration: MigrationId) -> Key:
    return migration.domain, migration.version, migration.name


def _require_free(moves: tuple[Move, ...]) -> None:
    leaving = {before for move in moves for before, _ in move.files}
    for move in moves:
        for before, after in move.files:
            if os.path.lexists(after) and after not in leaving:
                message = f"{shown(before)} cannot be moved: {shown(after)} exists"
                raise Refused(message, where=Where(shown(after)))


def _on_target(project: Project, repository: Repository | None, base: Base) -> Collection[Key]:
    """Keys of what the target branch has."""
    if repository is None:
        return ()
    commits = dict.fromkeys(c for c in (base.commit, base.tip) if c is not None)
    return {_key(i) for c in commits for i in state_at(repository, c, project).pairs}


def _rename(repository: Repository | None, before: Path, after: Path) -> None:
    """`git mv` where git knows the file, so that the next commit has it under its new name only."""
    name = repository.inside(before) if repository else None
    try:
        if repository is not None and name and repository.tracks(name):
            repository.ask("mv", "--", name, str(Path(name).with_name(after.name)))
        else:
            before.rename(after)
    except GitFault as fault:
        hint = "end the merge first (git merge --abort, or git add what is settled), then run it again"
        raise Refused(f"git cannot move {shown(before)}: {fault}", hint=hint, where=Where(shown(before))) from None
    except OSError as error:
        raise ConfigError(f"{shown(before)} cannot be renamed: {error.strerror or error}") from None


def _rewrite_requires(pairs: Iterable[Numbered], moves: tuple[Move, ...]) -> set[Path]:
    """Point `-- bgce: requires` of new files to the new numbers; what they said was their own branch's."""
    targets = {(m.old.domain, m.old.version): m for m in moves}
    changed: set[Path] = set()

    def word(match: re.Match[bytes]) -> bytes:
        domain, digits, name = os.fsdecode(match[1]), match[2], match[3]
        move = targets.get((domain, int(digits)))
        if move is None or (name and os.fsdecode(name[1:]) != move.old.name):
            return match[0]
        return match[1] + b"/" + str(move.new.version).zfill(len(digits)).encode() + (name or b"")

    for pair in pairs:
        for path in pair.files:
            raw = path.read_bytes()
            text = _REQUIRES.sub(lambda m: m[1] + _WORD.sub(word, m[2]), raw)
            if text != raw:
                _write(path, text)
                changed.add(path)
    return changed


def _line(line: LockLine, pair: Numbered) -> LockLine:
    """The line of a migration with its number and files of now."""
    up = sqlfile.read_source(str(pair.up), pair.up.read_bytes())
    down = sqlfile.read_source(str(pair.down), pair.down.read_bytes()) if pair.down else None
    return replace(
        line,
        id=pair.id,
        up_checksum=sqlfile.checksum(up),
        up_sha256=up.sha256,
        down_checksum=sqlfile.checksum(down) if down is not None and line.down_checksum else line.down_checksum,
        down_sha256=down.sha256 if down is not None else None,
    )


def _write(path: Path, content: bytes) -> None:
    """All of it or nothing."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        temporary.write_bytes(content)
        temporary.replace(path)
    except OSError as error:
        temporary.unlink(missing_ok=True)
        raise ConfigError(f"{shown(path)} cannot be written: {error.strerror or error}") from None
