"""What `plan` shows without a database: kept while nothing changes, and read on two processors where there is much."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence
from importlib import metadata
from pathlib import PurePath
from typing import BinaryIO

import msgspec

from bgce_migrate import __version__, naming
from bgce_migrate.errors import SqlFileError
from bgce_migrate.linting.beside import beside, can_fork
from bgce_migrate.linting.store import READING, Store, code_times
from bgce_migrate.migration import (
    Direction,
    Directives,
    Edge,
    Effect,
    Finding,
    Migration,
    MigrationId,
    Mode,
    Plan,
    Script,
    SourceFile,
    Statement,
    Step,
)
from bgce_migrate.planning import PlanView, Selection, plan_up
from bgce_migrate.tree import Tree

#: Raised when what is kept changes its form.
FORMAT = 1
#: From so many files on that nobody vouches for, a second process reads the downs.
MANY = 200
_DECIDING = (*READING, "order", "plan", "registry", "")
_KIN = "plan-"
#: In place of statements that are only counted.
_COUNTED = Statement("", 0, 0, 0, "")
#: What is said of a down: to be kept in history, none, or better read again.
_KEPT, _NONE, _UNKNOWN = 1, 0, 2


class _WireStep(msgspec.Struct, array_like=True):
    """Migrations are numbers: their places in the tree, whose content the key covers."""

    migration: int
    mode: Mode
    statements: int
    directives: Directives | None
    waits_for: list[int]
    reasons: tuple[str, ...]
    requires: tuple[str, ...]


class _Wire(msgspec.Struct, array_like=True):
    fingerprint: str
    domains: dict[str, int]
    steps: list[_WireStep]
    notes: tuple[Finding, ...]
    warnings: tuple[str, ...]
    edges: tuple[Edge, ...]
    findings: tuple[Finding, ...]


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
_decoder: msgspec.msgpack.Decoder[_Wire] = msgspec.msgpack.Decoder(_Wire)


def preview(tree: Tree, selection: Selection) -> PlanView:
    """The plan for an empty database, to be shown: it may come without texts, effects and rights.

    Kept below `.bgce/cache/plan` where the lock file knows every migration as it is.

    Raises:
        Refused, SqlFileError, UsageError: as `Desk.plan`.
    """
    naming.require_domain(tree.project, selection.domain)
    if not _complete(tree):
        return _made(tree, selection)
    store = Store(tree.project.root / ".bgce" / "cache" / "plan")
    key = _key(tree, selection)
    raw = store.one(key)
    view = _read(tree, raw) if raw is not None else None
    if view is None:
        view = _made(tree, selection)
        store.put_one(key, msgspec.msgpack.encode(_wire(tree, view)), kin=_KIN)
    return view


def _complete(tree: Tree) -> bool:
    if tree.lock_digest is None:
        return False
    for migration, found in tree.migrations.items():
        line = tree.locked(migration)
        if line is None or line.up_sha256 != found.up.sha256:
            return False
    return True


# -- keeping ---------------------------------------------------------------------------------------------------


def _key(tree: Tree, selection: Selection) -> str:
    digest = hashlib.sha256()
    for part in _parts(tree, selection):
        digest.update(msgspec.msgpack.encode(part, enc_hook=_plainly, order="deterministic"))
    return f"{_KIN}{digest.hexdigest()}"


def _parts(tree: Tree, selection: Selection) -> Iterator[object]:
    """Everything a plan depends on; the code itself by the times of its files."""
    to = str(selection.to) if selection.to is not None else None
    yield __version__, FORMAT, code_times(_DECIDING), metadata.version("postgast")
    yield selection.domain, selection.limit, to, selection.allow_unlocked
    yield tree.lock_digest, tree.project.declared, tree.project.domains
    yield [
        (m.id.domain, m.id.version, m.id.name, m.up.path, m.up.sha256, m.down.sha256 if m.down is not None else None)
        for m in tree.migrations.values()
    ]


def _plainly(value: object) -> object:
    if isinstance(value, PurePath):
        return bytes(value)  # it need not be UTF-8
    # A read-only mapping, in its own order.
    return list(value.items())  # type: ignore[attr-defined]


def _wire(tree: Tree, view: PlanView) -> _Wire:
    places = {migration: place for place, migration in enumerate(tree.migrations)}
    plain = Directives()
    steps = [
        _WireStep(
            places[s.id],
            s.script.mode,
            len(s.script.statements),
            s.script.directives if s.script.directives != plain else None,
            sorted(places[i] for i in s.waits_for),
            s.reasons,
            s.requires,
        )
        for s in view.plan.steps
    ]
    plan = view.plan
    return _Wire(
        plan.fingerprint, dict(plan.domains), steps, plan.notes, view.warnings, view.edges, view.findings
    )


def _read(tree: Tree, raw: bytes) -> PlanView | None:
    """A kept plan; None where the bytes are not one."""
    try:
        wire = _decoder.decode(raw)
        found = list(tree.migrations.values())
        steps = tuple(_step(tree, found, kept) for kept in wire.steps)
    except (msgspec.DecodeError, ValueError, TypeError, IndexError, RecursionError):
        return None
    plan = Plan(steps, wire.fingerprint, wire.notes, wire.domains)
    return PlanView(plan, warnings=wire.warnings, edges=wire.edges, findings=wire.findings)


def _step(tree: Tree, found: Sequence[Migration], kept: _WireStep) -> Step:
    migration = found[kept.migration]
    statements = (_COUNTED,) * kept.statements
    script = Script(
        migration.up, tree.checksum(migration.id), kept.mode, kept.directives or Directives(), statements
    )
    waits_for = frozenset(found[place].id for place in kept.waits_for)
    return Step(
        migration.id, Direction.UP, script, waits_for=waits_for, reasons=kept.reasons, requires=kept.requires
    )


# -- making ----------------------------------------------------------------------------------------------------


def _made(tree: Tree, selection: Selection) -> PlanView:
    _read_beside(tree)
    return plan_up(tree, None, selection)


def _read_beside(tree: Tree) -> None:
    """A forked child reads the downs and some ups, the rest is read here; what it cannot say is read later."""
    ups = list(tree.migrations)
    downs = [i for i, m in tree.migrations.items() if m.down is not None and not tree.vouched(i)]
    if len(ups) + len(downs) <= MANY or not can_fork():
        return
    # Loaded once, before the child is made.
    import bgce_migrate.sqlfile.script  # noqa: F401

    # A down costs about half of an up.
    ours = len(ups) - max(0, len(ups) - len(downs) // 2) // 2
    theirs = ups[ours:]
    with beside(lambda pipe: _send(tree, theirs, downs, pipe)) as answer:
        # Which mistake is told first, is for the plan to say.
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
