"""The steps of a `down`: what is undone, in reverse of application, and who depends on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from msgspec import Struct

from bgce_migrate.errors import Problem, Refused, UsageError
from bgce_migrate.migration import MigrationId


class Applied(Protocol):
    """What `make_down` must know of an applied migration."""

    @property
    def id(self) -> MigrationId:
        """Which migration."""

    @property
    def requires(self) -> tuple[str, ...]:
        """Short ids (`cortex/000002`) it depends on."""

    @property
    def run_id(self) -> str | None:
        """The run that applied it."""

    @property
    def deployment(self) -> str | None:
        """The deployment that applied it."""


class AppliedView(Struct, frozen=True):
    """An applied migration as history tells it."""

    id: MigrationId
    requires: tuple[str, ...] = ()
    run_id: str | None = None
    deployment: str | None = None


class DownTarget(Struct, frozen=True):
    """What to undo: exactly one of `count`, `to`, `run`, `deployment`, `these` and `all`.

    Attributes:
        count: the last so many, by application, of `domain` or of the only domain there is.
        to: undo everything of its domain above this version; version 0 undoes the whole domain.
        domain: undo only steps of this domain.
        cascade: undo dependents in other domains too instead of refusing.
        along: what goes too where it depends on what is undone, without `cascade`.
    """

    count: int | None = None
    to: MigrationId | None = None
    run: str | None = None
    deployment: str | None = None
    all: bool = False
    domain: str | None = None
    cascade: bool = False
    these: frozenset[MigrationId] | None = None
    along: frozenset[MigrationId] = frozenset()


def make_down(applied: Sequence[Applied], target: DownTarget) -> tuple[MigrationId, ...]:
    """Which migrations to undo, in which order.

    Args:
        applied: in order of application, the first one first.

    Raises:
        UsageError: no target or more than one, a count over several domains, an unknown version.
        Refused: dependents stay behind and `cascade` was not said; each is a problem.
    """
    _check(applied, target)
    chosen = _chosen(applied, target)
    if not chosen:
        return ()
    dependents = _dependents(applied, chosen, target)
    unasked = {migration: reason for migration, reason in dependents.items() if migration not in target.along}
    if unasked and not target.cascade:
        raise _refusal(unasked)
    undone = {*chosen, *dependents}
    return tuple(view.id for view in reversed(applied) if view.id in undone)


def _check(applied: Sequence[Applied], target: DownTarget) -> None:
    named = (target.count, target.to, target.run, target.deployment, target.these)
    if sum(t is not None for t in named) + target.all != 1:
        raise UsageError(
            "a down needs exactly one target",
            hint="say how many (`down 1`), --to DOMAIN/VERSION, --run UUID, --deployment ID or --all",
        )
    if target.count is not None and target.count < 0:
        raise UsageError(f"cannot undo {target.count} migrations", hint="give a number from 0 on")
    domains = sorted({view.id.domain for view in applied})
    if target.count and target.domain is None and len(domains) > 1:
        raise UsageError(
            f"`down {target.count}` is not clear with {len(domains)} domains: {', '.join(domains)}",
            hint=f"say which: `bgce-migrate down {target.count} --domain {domains[0]}`",
        )
    to = target.to
    if to is None:
        return
    if target.domain not in (None, to.domain):
        raise UsageError(f"{to.short} is not a version of {target.domain}", hint="leave --domain out")
    versions = sorted(view.id.version for view in applied if view.id.domain == to.domain)
    if to.version and versions and to.version not in versions and to.version < versions[-1]:
        shown = ", ".join(f"{v:06d}" for v in versions[-5:])
        hint = f"applied of {to.domain}: {shown}; version 0 undoes all"
        raise UsageError(f"{to.short} is not applied", hint=hint)


def _chosen(applied: Sequence[Applied], target: DownTarget) -> dict[MigrationId, None]:
    mine = [v for v in applied if target.domain is None or v.id.domain == target.domain]
    if target.count is not None:
        mine = mine[len(mine) - min(target.count, len(mine)) :]
    elif target.to is not None:
        to = target.to
        mine = [v for v in mine if v.id.domain == to.domain and v.id.version > to.version]
    elif target.run is not None:
        mine = [v for v in mine if v.run_id == target.run]
    elif target.deployment is not None:
        mine = [v for v in mine if v.deployment == target.deployment]
    elif target.these is not None:
        mine = [v for v in mine if v.id in target.these]
    return dict.fromkeys(v.id for v in mine)


def _dependents(
    applied: Sequence[Applied], chosen: Mapping[MigrationId, None], target: DownTarget
) -> dict[MigrationId, str]:
    """Those that stay and need what goes, with the reason; a dependent's dependents too."""
    gone = set(chosen)
    # Domains of which something in the middle goes: what was applied later goes too.
    in_the_middle = (target.run, target.deployment, target.these) != (None, None, None)
    by_chain = {m.domain for m in chosen} if in_the_middle else set()
    last_gone: dict[str, MigrationId] = {}
    found: dict[MigrationId, str] = {}
    for view in applied:
        mine = view.id
        if mine not in gone:
            needed = next(
                (t for t in map(MigrationId.parse, view.requires) if t is not None and t in gone), None
            )
            earlier = last_gone.get(mine.domain) if mine.domain in by_chain else None
            if needed is not None:
                found[mine] = f"{mine} depends on {needed.short}"
            elif earlier is not None:
                found[mine] = f"{mine} was applied after {earlier.short} of the same domain"
            else:
                continue
            gone.add(mine)
            by_chain.add(mine.domain)
        last_gone[mine.domain] = mine
    return found


def _refusal(dependents: dict[MigrationId, str]) -> Refused:
    problems = [Problem(reason) for reason in dependents.values()]
    names = ", ".join(str(migration) for migration in list(dependents)[:5])
    more = f" and {len(dependents) - 5} more" if len(dependents) > 5 else ""
    return Refused(
        f"others depend on what would be undone: {names}{more}",
        hint="add --cascade to undo them too, or undo them first",
        problems=problems,
    )
