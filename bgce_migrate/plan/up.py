"""The steps of an `up`: everything in the log that is not applied, or the part that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from types import MappingProxyType

from msgspec import Struct, field
from msgspec.structs import replace

from bgce_migrate.errors import UsageError
from bgce_migrate.migration import Edge, ForeignUse, MigrationId, Plan, Step

_NO_FOREIGN: Mapping[MigrationId, tuple[ForeignUse, ...]] = MappingProxyType({})


class _Needs(Struct):
    """What a pending migration of another domain must wait for, with reasons."""

    reasons: dict[MigrationId, list[str]] = field(default_factory=dict)
    objects: set[MigrationId] = field(default_factory=set)


def make_up(
    order: Sequence[MigrationId],
    applied: Set[MigrationId],
    steps_by_id: Callable[[MigrationId], Step],
    *,
    domain: str | None = None,
    limit: int | None = None,
    to: MigrationId | None = None,
    edges: Iterable[Edge] = (),
    foreign: Mapping[MigrationId, tuple[ForeignUse, ...]] = _NO_FOREIGN,
) -> Plan:
    """Plan what is pending, in the order of the log.

    The applied state is a set: a lower version that came late is planned like any other.

    Args:
        order: the whole log: applied, locked and new migrations.
        applied: what history says is applied.
        steps_by_id: gives the up step of a pending migration; called for those that are planned, and
            with `domain` or `to` also for those that are looked through. Its `requires` are explicit ones.
        domain: plan this domain and what it needs of others, nothing else.
        limit: at most so many steps, of `domain` if one is given (what they need comes on top).
        to: plan this migration's domain up to this version, and what it needs of others.
        edges: why one migration must come before another (`Placement.edges`, `Replay.edges`).
        foreign: uses of other domains' objects.

    Raises:
        UsageError: `to` or `domain` names nothing in the log, or the limit is negative.
    """
    _check(order, domain, limit, to)
    pending = [migration for migration in order if migration not in applied]
    needs = _needs(pending, edges, foreign)
    steps: dict[MigrationId, Step] = {}

    def step(migration: MigrationId) -> Step:
        if migration not in steps:
            steps[migration] = steps_by_id(migration)
            _add_explicit(needs[migration], migration, steps[migration])
        return steps[migration]

    wanted = _wanted(pending, domain or (to.domain if to else None), limit, to)
    if len(wanted) < len(pending):
        wanted = _with_needs(wanted, pending, needs, step, to)
    planned = [migration for migration in pending if migration in wanted]
    finished = tuple(_finish(step(m), needs[m], wanted) for m in planned)
    counts: dict[str, int] = {}
    for migration in planned:
        counts[migration.domain] = counts.get(migration.domain, 0) + 1
    return Plan(finished, Plan.digest(finished), domains=MappingProxyType(counts))


def _check(
    order: Sequence[MigrationId], domain: str | None, limit: int | None, to: MigrationId | None
) -> None:
    if limit is not None and limit < 0:
        raise UsageError(f"cannot apply {limit} migrations", hint="give a number from 0 on")
    if to is not None and domain is not None and to.domain != domain:
        raise UsageError(f"{to.short} is not a version of {domain}", hint=f"leave --domain {domain} out")
    name = to.domain if to else domain
    if name is None:
        return
    versions = sorted({m.version for m in order if m.domain == name})
    if not versions and (to is not None or order):
        there = ", ".join(sorted({m.domain for m in order}))
        raise UsageError(f"there are no migrations of a domain {name}", hint=f"there are: {there or 'none'}")
    if to is not None and to.version not in versions:
        shown = ", ".join(f"{v:06d}" for v in versions[-5:])
        raise UsageError(f"there is no {to.short}", hint=f"the last versions of {name} are {shown}")


def _needs(
    pending: Sequence[MigrationId],
    edges: Iterable[Edge],
    foreign: Mapping[MigrationId, tuple[ForeignUse, ...]],
) -> dict[MigrationId, _Needs]:
    needs = {migration: _Needs() for migration in pending}
    for edge in edges:
        if edge.after in needs and edge.before.domain != edge.after.domain:
            at = f", {edge.where}" if edge.where else ""
            needs[edge.after].reasons.setdefault(edge.before, []).append(edge.reason + at)
    for migration, uses in foreign.items():
        if migration not in needs:
            continue
        for use in uses:
            mine = needs[migration]
            for maker in (use.maker, *use.needs):
                if maker.domain == migration.domain:
                    continue
                if not use.soft:
                    mine.objects.add(maker)
                if maker not in mine.reasons:
                    how = f" ({use.detail})" if use.detail else ""
                    mine.reasons[maker] = [f"{use.action.value}s {use.object}{how}"]
    return needs


def _add_explicit(needs: _Needs, migration: MigrationId, step: Step) -> None:
    for text in step.requires:
        target = MigrationId.parse(text)
        if target is not None and target.domain != migration.domain:
            needs.objects.add(target)
            reasons = needs.reasons.setdefault(target, [])
            if f"requires {target.short}" not in reasons:
                reasons.append(f"requires {target.short}")


def _wanted(
    pending: Sequence[MigrationId], domain: str | None, limit: int | None, to: MigrationId | None
) -> set[MigrationId]:
    chosen = [m for m in pending if domain is None or m.domain == domain]
    if to is not None:
        chosen = [m for m in chosen if m.version <= to.version]
    return set(chosen if limit is None else chosen[:limit])


def _with_needs(
    wanted: set[MigrationId],
    pending: Sequence[MigrationId],
    needs: Mapping[MigrationId, _Needs],
    step: Callable[[MigrationId], Step],
    to: MigrationId | None,
) -> set[MigrationId]:
    """Add what the wanted ones need: what other domains make for them, and their domains' chains."""
    previous: dict[MigrationId, MigrationId] = {}
    last: dict[str, MigrationId] = {}
    for migration in pending:
        if migration.domain in last:
            previous[migration] = last[migration.domain]
        last[migration.domain] = migration
    found: set[MigrationId] = set()
    waiting = list(wanted)
    while waiting:
        migration = waiting.pop()
        if migration in found:
            continue
        found.add(migration)
        step(migration)
        mine = needs[migration]
        waiting += [m for m in (*mine.reasons, *mine.objects) if m in needs]
        # `--to` names versions, so a higher one of the same domain that stands earlier stays out.
        own_chain = to is None or migration.domain != to.domain
        if own_chain and migration in previous:
            waiting.append(previous[migration])
    return found


def _finish(step: Step, needs: _Needs, planned: Set[MigrationId]) -> Step:
    reasons = tuple(
        f"after {before.short}: {reason}" for before, why in sorted(needs.reasons.items()) for reason in why
    )
    explicit = [target.short if (target := MigrationId.parse(text)) else text for text in step.requires]
    requires = dict.fromkeys((*explicit, *(m.short for m in sorted(needs.objects))))
    return replace(
        step,
        waits_for=frozenset(m for m in needs.reasons if m in planned),
        reasons=(*step.reasons, *reasons),
        requires=tuple(requires),
    )
