"""Which steps of a failed deployment are undone, and which stay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from bgce_migrate.apply.target import Target
from bgce_migrate.db.history import Stored
from bgce_migrate.deploying.expand import Old
from bgce_migrate.deploying.model import EVERYTHING, Standing, Undo
from bgce_migrate.domain import Domain
from bgce_migrate.errors import NeedsHuman
from bgce_migrate.migration import Direction, MigrationId


class Choice(Struct, frozen=True):
    """What is to be undone.

    Attributes:
        these: what has to go.
        along: what goes too where it builds on that.
        stays: why the rest stays; the order is that of application.
    """

    these: frozenset[MigrationId]
    along: frozenset[MigrationId]
    stays: Mapping[MigrationId, str]


def choose(
    stored: Sequence[Stored], own: Standing, others: Sequence[Standing], undo: Undo, domains: Mapping[str, Domain]
) -> Choice:
    """Of what is applied, what this deployment answers for: its own runs, and in its domain all that carries its id.

    Args:
        stored: what is applied, in order of application.
        others: deployments since this one's first row; a step of their domain on which they stand is theirs too.
    """
    mine = [s for s in stored if s.deployment == own.deployment and s.history_id > own.floor and _is_ours(s, own)]
    stays: dict[MigrationId, str] = {}
    old = Old()
    these: set[MigrationId] = set()
    along: set[MigrationId] = set()
    for step in mine:
        taken = _breaks(old, step, domains)
        leaning = _leaning(step, own, others)
        if leaning is not None:
            stays[step.id] = f"deployment {leaning.deployment} of {step.id.domain} stands on it"
            continue
        along.add(step.id)
        if undo == "none":
            stays[step.id] = "nothing is undone"
        elif undo == "all" or taken is not None:
            these.add(step.id)
        else:
            stays[step.id] = "programs of before go on working with it"
    return Choice(frozenset(these), frozenset(along), stays)


def require_whole(target: Target, own: Standing) -> None:
    """Refuse to undo where a file that runs statement by statement is half done: its down is for the whole of it.

    Raises:
        NeedsHuman: names the file.
    """
    units = [u for u in target.state.journal if u.direction is Direction.UP]
    units = [u for u in units if own.scope in (EVERYTHING, u.id.domain) or u.run_id in own.runs]
    if not units:
        return
    # A statement that failed has left nothing; one that nobody saw the end of may have.
    failed = {MigrationId(d or "", int(v or 0)) for d, v, success, _ in target.control.ask("history", "last_failures") if success != "true"}
    half = next((u.id for u in units if u.done or u.id not in failed), None)
    if half is not None:
        raise NeedsHuman(
            f"{half} is half done: its statements run one by one, and the first {sum(u.done for u in units if u.id == half)} stand",
            hint="run it to its end: the same command and --resume; or undo by hand what it has done, and then"
            f" bgce-migrate repair --forget-journal {half.short}",
        )


def _is_ours(step: Stored, own: Standing) -> bool:
    # One commit may be deployed domain by domain at the same time, under the same id.
    return own.scope in (EVERYTHING, step.id.domain) or step.run_id in own.runs


def _leaning(step: Stored, own: Standing, others: Sequence[Standing]) -> Standing | None:
    """Another domain's deployment that has found this step applied and is not undone."""
    if own.scope in (EVERYTHING, step.id.domain):
        return None
    for other in others:
        if other.scope == step.id.domain and other.last in ("begin", "ok", "kept") and other.events[-1].history_id > step.history_id:
            return other
    return None


def _breaks(old: Old, step: Stored, domains: Mapping[str, Domain]) -> str | None:
    domain = domains.get(step.id.domain)
    declared, schema = (domain.declared, domain.schema) if domain else (False, "public")
    return old.breaks(step.id, step.up_sql, declared=declared, schema=schema)
