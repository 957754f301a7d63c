"""Migrations on disk, lock file and history, brought together into the plan of an `up`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct, field

from bgce_migrate.apply.planned import Planned
from bgce_migrate.effect import Action, ObjectKind
from bgce_migrate.errors import Problem, Refused, Where
from bgce_migrate.migration import Direction, Edge, Finding, MigrationId, Plan, Step
from bgce_migrate.order import ForeignUse
from bgce_migrate.plan import make_up
from bgce_migrate.plan.rights import Right, needed
from bgce_migrate.settling import Order, settle
from bgce_migrate.tree import Tree

if TYPE_CHECKING:
    from bgce_migrate.db.history import State


class Selection(Struct, frozen=True):
    """What part of the pending steps is wanted; all by default."""

    domain: str | None = None
    limit: int | None = None
    to: MigrationId | None = None
    allow_unlocked: bool = False


class PlanView(Planned, frozen=True):
    """A plan with everything there is to say about it."""

    edges: tuple[Edge, ...] = ()
    findings: tuple[Finding, ...] = ()
    foreign: Mapping[MigrationId, tuple[ForeignUse, ...]] = field(default_factory=lambda: MappingProxyType({}))


def plan_up(tree: Tree, state: State | None, selection: Selection) -> PlanView:
    """What an `up` would do.

    Args:
        state: the target's history; None plans for an empty database.

    Raises:
        Refused: edited files, a lock file that does not fit, an order that cannot be found.
    """
    applied = {i: a.checksum for i, a in state.applied.items()} if state else {}
    require_unedited(tree, applied)
    pending = [i for i in tree.migrations if i not in applied]
    tree.require_locked(pending, applied, allow_unlocked=selection.allow_unlocked)
    absent = tuple(i for i in applied if i not in tree.migrations)
    warnings = tuple(
        f"{i} is applied, but its file is gone; `bgce-migrate down` still can undo it from history"
        for i in absent
        if i.domain in tree.project.registry
    )
    if not pending:
        return PlanView(Plan((), Plan.digest(())), warnings=warnings)
    order = settle(tree, applied)
    plan = make_up(
        order.log,
        frozenset(applied),
        lambda i: _step(tree, i),
        domain=selection.domain,
        limit=selection.limit,
        to=selection.to,
        edges=order.edges,
        foreign=order.foreign,
    )
    return _view(tree, plan, order, warnings)


def require_unedited(tree: Tree, applied: Mapping[MigrationId, str | None]) -> None:
    """Refuse when an applied file has changed since (exit 3)."""
    edited = tree.edited(applied)
    if not edited:
        return
    problems = [
        Problem(
            f"{tree.migrations[i].id} was edited after it was applied ({applied[i]} then, {tree.checksum(i)} now)",
            Where(tree.migrations[i].up.path),
        )
        for i in edited
    ]
    raise Refused(
        problems[0].message if len(problems) == 1 else f"{len(problems)} applied migrations were edited",
        hint="put the old text back (bgce-migrate history shows it) and write a new migration for the change",
        where=problems[0].where,
        problems=problems,
    )


def _step(tree: Tree, migration: MigrationId) -> Step:
    script = tree.script(migration)
    return Step(
        tree.migrations[migration].id,
        Direction.UP,
        script,
        tree.down_source(migration),
        requires=script.directives.requires,
    )


def _view(tree: Tree, plan: Plan, order: Order, warnings: tuple[str, ...]) -> PlanView:
    pending = {s.id: n for n, s in enumerate(plan.steps)}
    domains = {d.name: d for d in tree.project.domains}
    groups: dict[MigrationId | None, dict[MigrationId, list[ForeignUse]]] = {}
    parents: dict[MigrationId, frozenset[str]] = {}
    for step in plan.steps:
        uses = [u for u in order.foreign.get(step.id, ()) if u.owner in domains]
        parents[step.id] = frozenset(
            f"{u.object.schema or 'public'}.{u.object.name}" for u in uses if u.object.kind is ObjectKind.RELATION
        )
        for use in uses:
            makers = [i for i in (use.maker, *use.needs) if i in pending]
            last = max(makers, key=pending.__getitem__, default=None)
            groups.setdefault(last, {}).setdefault(step.id, []).append(use)
    rights: dict[MigrationId | None, tuple[Right, ...]] = {
        maker: needed({i: tuple(uses) for i, uses in group.items()}, domains) for maker, group in groups.items()
    }
    extensions = {
        s.id: names
        for s in plan.steps
        if (names := frozenset(e.object.name for e in s.script.effects if _makes_extension(e.action, e.object.kind)))
    }
    notes = tuple(n for s in plan.steps for n in s.script.notes)
    return PlanView(
        plan,
        rights,
        parents,
        extensions,
        warnings,
        edges=order.edges,
        findings=(*notes, *order.placement.findings),
        foreign=order.foreign,
    )


def _makes_extension(action: Action, kind: ObjectKind) -> bool:
    return kind is ObjectKind.EXTENSION and action in (Action.MAKE, Action.REPLACE)


def planner(tree: Tree, selection: Selection) -> Callable[[State], PlanView]:
    """`plan_up` as the run calls it, before and under the lock."""
    return lambda state: plan_up(tree, state, selection)
