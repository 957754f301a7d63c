"""The files of many migrations read on two processors, before somebody needs them one by one."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Sequence
from typing import BinaryIO

import msgspec

from bgce_migrate.beside import beside, can_fork
from bgce_migrate.effect import Effect
from bgce_migrate.errors import SqlFileError
from bgce_migrate.migration import Directives, Finding, MigrationId, Mode, Script, SourceFile, Statement
from bgce_migrate.tree import Tree

#: From so many files on a second process is worth its start.
MANY = 1_000
#: What is said of a down: to be kept in history, none, or better read again.
_KEPT, _NONE, _UNKNOWN = 1, 0, 2


class _WireScript(msgspec.Struct, array_like=True):
    """A script without its source, which both processes have."""

    checksum: str
    mode: Mode
    directives: Directives
    statements: tuple[Statement, ...]
    effects: tuple[Effect, ...]
    notes: tuple[Finding, ...]

    def of(self, source: SourceFile) -> Script:
        """The whole script."""
        return Script(
            source, self.checksum, self.mode, self.directives, self.statements, self.effects, self.notes
        )


class _Answer(msgspec.Struct, array_like=True):
    ups: list[_WireScript | None]
    downs: list[int]


_answers: msgspec.msgpack.Decoder[_Answer] = msgspec.msgpack.Decoder(_Answer)


def read_ahead(tree: Tree, wanted: Iterable[MigrationId] | None = None) -> None:
    """Read up files, and the downs that nobody vouches for, in this process and a forked one.

    What neither can read is read again by whoever asks for it, so that mistakes are told in the caller's order.

    Args:
        wanted: all migrations without it.
    """
    ups = list(tree.migrations if wanted is None else wanted)
    downs = [i for i in ups if tree.migrations[i].down is not None and not tree.vouched(i)]
    if len(ups) + len(downs) <= MANY or not can_fork():
        return
    # Loaded once, before the child is made.
    import bgce_migrate.sqlfile.script  # noqa: F401

    # A down costs about half of an up.
    ours = len(ups) - max(0, len(ups) - len(downs) // 2) // 2
    theirs = ups[ours:]
    with beside(lambda pipe: _send(tree, theirs, downs, pipe)) as answer:
        # Which mistake is told first, is for the caller to say.
        with contextlib.suppress(SqlFileError):
            for migration in ups[:ours]:
                tree.script(migration)
        raw = answer()
    try:
        said = _answers.decode(raw)
    except (msgspec.DecodeError, ValueError, TypeError):
        return
    for migration, script in zip(theirs, said.ups, strict=True):
        if script is not None:
            tree.know(migration, script.of(tree.migrations[migration].up))
    for migration, word in zip(downs, said.downs, strict=True):
        if word != _UNKNOWN:
            tree.know_down(migration, tree.migrations[migration].down if word == _KEPT else None)


def _send(tree: Tree, ups: Sequence[MigrationId], downs: Sequence[MigrationId], pipe: BinaryIO) -> None:
    pipe.write(msgspec.msgpack.encode(_Answer([_script(tree, i) for i in ups], [_word(tree, i) for i in downs])))


def _script(tree: Tree, migration: MigrationId) -> _WireScript | None:
    try:
        s = tree.script(migration)
    except SqlFileError:
        return None
    return _WireScript(s.checksum, s.mode, s.directives, s.statements, s.effects, s.notes)


def _word(tree: Tree, migration: MigrationId) -> int:
    from bgce_migrate import sqlfile
    from bgce_migrate.sqlfile.directives import read_header

    found, domain = tree.migrations[migration], tree.domain(migration)
    header = read_header(found.up.path, found.up.text)
    try:
        script, _ = sqlfile.read_down(
            found.down,
            declared=domain.declared,
            schema=domain.schema,
            migration=found.id,
            irreversible=header.directives.irreversible,
        )
    except SqlFileError:
        return _UNKNOWN
    return _KEPT if script is not None else _NONE
