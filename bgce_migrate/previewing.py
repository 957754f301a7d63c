"""What `plan` shows without a database: kept while nothing changes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Sequence
from importlib.util import find_spec
from pathlib import PurePath

import msgspec

from bgce_migrate import __version__, naming
from bgce_migrate.ahead import read_ahead
from bgce_migrate.linting.store import READING, Store, code_times
from bgce_migrate.migration import (
    Direction,
    Directives,
    Edge,
    Finding,
    Migration,
    MigrationId,
    Mode,
    Plan,
    Script,
    Statement,
    Step,
)
from bgce_migrate.order.lockfile import LockLine
from bgce_migrate.planning import PlanView, Selection, plan_up
from bgce_migrate.tree import Tree

#: Raised when what is kept changes its form.
FORMAT = 1
_DECIDING = (*READING, "order", "plan", "registry", "")
_KIN = "plan-"
#: In place of statements that are only counted.
_COUNTED = Statement("", 0, 0, 0, "")
_PLAIN = Directives()
_NOTHING: frozenset[MigrationId] = frozenset()


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


_decoder: msgspec.msgpack.Decoder[_Wire] = msgspec.msgpack.Decoder(_Wire)


def preview(tree: Tree, selection: Selection) -> PlanView:
    """The plan for an empty database, to be shown: it may come without texts, effects and rights.

    Kept below `.bgce/cache/plan` where the lock file knows every migration as it is.

    Raises:
        Refused, SqlFileError, UsageError: as `Desk.plan`.
    """
    naming.require_domain(tree.project, selection.domain)
    lines = _lines(tree)
    if lines is None:
        return _made(tree, selection)
    store = Store(tree.project.root / ".bgce" / "cache" / "plan")
    key = _key(tree, lines, selection)
    raw = store.one(key)
    view = _read(tree, lines, raw) if raw is not None else None
    if view is None:
        view = _made(tree, selection)
        store.put_one(key, msgspec.msgpack.encode(_wire(tree, view)), kin=_KIN)
    return view


def _made(tree: Tree, selection: Selection) -> PlanView:
    read_ahead(tree)
    return plan_up(tree, None, selection)


def _lines(tree: Tree) -> list[LockLine] | None:
    """The lock file's lines in the tree's order; None where it does not know every up file as it is."""
    if tree.lock_digest is None:
        return None
    lines = [tree.locked(migration) for migration in tree.migrations]
    known = [
        line
        for line, found in zip(lines, tree.migrations.values(), strict=True)
        if line is not None and line.up_sha256 == found.up.sha256
    ]
    return known if len(known) == len(lines) else None


# -- keeping ---------------------------------------------------------------------------------------------------


def _key(tree: Tree, lines: Sequence[LockLine], selection: Selection) -> str:
    digest = hashlib.blake2b(digest_size=32)
    for part in _parts(tree, lines, selection):
        digest.update(msgspec.msgpack.encode(part, enc_hook=_plainly, order="deterministic"))
    return f"{_KIN}{digest.hexdigest()}"


def _parts(tree: Tree, lines: Sequence[LockLine], selection: Selection) -> Iterator[object]:
    """Everything a plan depends on; the code itself by the times of its files."""
    to = str(selection.to) if selection.to is not None else None
    yield __version__, FORMAT, code_times(_DECIDING), _parser()
    yield selection.domain, selection.limit, to, selection.allow_unlocked
    yield tree.lock_digest, tree.project.declared, tree.project.domains
    # The up files are as the lock file has them, and so are nearly all downs.
    yield [(m.id.domain, m.id.version, m.up.path) for m in tree.migrations.values()]
    downs = [m.down.sha256 if m.down is not None else None for m in tree.migrations.values()]
    yield [(place, d) for place, (d, line) in enumerate(zip(downs, lines, strict=True)) if d != line.down_sha256]


def _parser() -> tuple[object, ...]:
    """Which parser is installed; `importlib.metadata` would say it too, but takes longer to load than a plan to read."""
    found = find_spec("postgast")
    if found is None or found.origin is None:
        return ()
    package = os.path.dirname(found.origin)
    beside = os.listdir(os.path.dirname(package))
    return (
        found.origin,
        os.stat(found.origin).st_mtime_ns,
        sorted(name for name in beside if name.startswith("postgast-")),
    )


def _plainly(value: object) -> object:
    if isinstance(value, PurePath):
        return bytes(value)  # it need not be UTF-8
    # A read-only mapping, in its own order.
    return list(value.items())  # type: ignore[attr-defined]


def _wire(tree: Tree, view: PlanView) -> _Wire:
    places = {migration: place for place, migration in enumerate(tree.migrations)}
    steps = [
        _WireStep(
            places[s.id],
            s.script.mode,
            len(s.script.statements),
            s.script.directives if s.script.directives != _PLAIN else None,
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


def _read(tree: Tree, lines: Sequence[LockLine], raw: bytes) -> PlanView | None:
    """A kept plan; None where the bytes are not one."""
    try:
        wire = _decoder.decode(raw)
        found = list(tree.migrations.values())
        steps = tuple(_step(found, lines, kept) for kept in wire.steps)
    except (msgspec.DecodeError, ValueError, TypeError, IndexError, RecursionError):
        return None
    plan = Plan(steps, wire.fingerprint, wire.notes, wire.domains)
    return PlanView(plan, warnings=wire.warnings, edges=wire.edges, findings=wire.findings)


def _step(found: Sequence[Migration], lines: Sequence[LockLine], kept: _WireStep) -> Step:
    migration = found[kept.migration]
    script = Script(
        migration.up,
        lines[kept.migration].up_checksum,
        kept.mode,
        kept.directives or _PLAIN,
        (_COUNTED,) * kept.statements,
    )
    waits_for = frozenset([found[place].id for place in kept.waits_for]) if kept.waits_for else _NOTHING
    return Step(
        migration.id, Direction.UP, script, waits_for=waits_for, reasons=kept.reasons, requires=kept.requires
    )
