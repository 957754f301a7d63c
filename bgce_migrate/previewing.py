"""What `plan` shows without a database: kept while nothing changes."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from importlib import metadata
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
    Mode,
    Plan,
    Script,
    Statement,
    Step,
)
from bgce_migrate.planning import PlanView, Selection, plan_up
from bgce_migrate.tree import Tree

#: Raised when what is kept changes its form.
FORMAT = 1
_DECIDING = (*READING, "order", "plan", "registry", "")
_KIN = "plan-"
#: In place of statements that are only counted.
_COUNTED = Statement("", 0, 0, 0, "")


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


def _made(tree: Tree, selection: Selection) -> PlanView:
    read_ahead(tree)
    return plan_up(tree, None, selection)


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
