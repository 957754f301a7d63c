"""The plan of a `down`: what history says was applied, newest first, with the texts it keeps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from difflib import unified_diff
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate import sqlfile
from bgce_migrate.apply.context import Options, RunInfo
from bgce_migrate.apply.losses import Loss, find_losses
from bgce_migrate.apply.planned import Planned
from bgce_migrate.apply.run import execute
from bgce_migrate.apply.target import Target
from bgce_migrate.db.history import State, Stored, read_stored
from bgce_migrate.db.session import Session
from bgce_migrate.errors import Problem, Refused
from bgce_migrate.host import Host
from bgce_migrate.leftovers import leave_nothing
from bgce_migrate.migration import Direction, MigrationId, Plan, Script, SourceFile, Step
from bgce_migrate.outcome import RunReport
from bgce_migrate.plan import AppliedView, DownTarget, make_down
from bgce_migrate.quick import EMPTY_FINGERPRINT
from bgce_migrate.settling import settle
from bgce_migrate.tree import Tree

Source = Literal["history", "file"]


class DownSelection(Struct, frozen=True):
    """What to undo. Exactly one of count, to, run, deployment, these, everything; `domain` narrows it.

    Attributes:
        to: this version stays, what came after it in its domain goes; version 0 undoes all of the domain.
        cascade: undo what others have built on it too, instead of refusing.
        along: of those, what is undone too without asking.
    """

    count: int | None = None
    domain: str | None = None
    to: MigrationId | None = None
    run: str | None = None
    deployment: str | None = None
    everything: bool = False
    cascade: bool = False
    these: frozenset[MigrationId] | None = None
    along: frozenset[MigrationId] = frozenset()


def undo(
    tree: Tree,
    target: Target,
    info: RunInfo,
    options: Options,
    selection: DownSelection,
    host: Host,
    consent: Callable[[tuple[Loss, ...]], bool],
    source: Source | None,
) -> RunReport:
    """Undo, after consent to what live data it would lose.

    What the steps had been given on other owners' objects, and nothing needs any more, is taken back at the end.

    Raises:
        Refused: dependents, a migration without a down, texts that differ, or no consent.
    """
    if target.state.meta is None:
        return RunReport(info.run_id, "nothing_to_do", EMPTY_FINGERPRINT, deployment=info.deployment)
    planned = plan_down(tree, target, selection, source)
    if planned.plan.steps:
        domains = {d.name: d for d in tree.project.domains}
        losses = find_losses(target.access(info), planned.plan.steps, domains)
        if losses and not consent(losses):
            raise Refused(
                f"undoing this would lose data: {'; '.join(loss.what for loss in losses)}",
                hint="say --yes if that is wanted",
            )

    def again(state: State) -> Planned:
        made = planned if state is target.state and state.heads == before else plan_down(tree, target, selection, source)
        return replace(made, afterwards=afterwards) if target.layout == "guarded" else made

    def afterwards(session: Session, done: Sequence[MigrationId]) -> tuple[str, ...]:
        return leave_nothing(tree, host, target, session, target.access(info), options.limits, done)

    before = dict(target.state.heads)
    domains = {d.name: d for d in tree.project.domains}
    return execute(target, domains, again, info, host, options, tree.project.registry)


def plan_down(tree: Tree, target: Target, selection: DownSelection, source: Source | None) -> Planned:
    """The steps that undo the selection."""
    stored = {s.id: s for s in read_stored(target.control)}
    depends = _dependencies(tree, stored)
    views = [AppliedView(s.id, depends[s.id], s.run_id, s.deployment) for s in stored.values()]
    goal = DownTarget(
        count=selection.count,
        domain=selection.domain,
        to=selection.to,
        run=selection.run,
        deployment=selection.deployment,
        all=selection.everything,
        cascade=selection.cascade,
        these=selection.these,
        along=selection.along,
    )
    order = make_down(views, goal)
    problems: list[Problem] = []
    steps: list[Step] = []
    done: list[MigrationId] = []
    for migration in order:
        script = _down_script(tree, stored[migration], source, problems)
        if script is not None:
            waits = frozenset(i for i in done if i.domain != migration.domain and migration.short in depends[i])
            steps.append(Step(stored[migration].id, Direction.DOWN, script, waits_for=waits))
            done.append(migration)
    if problems:
        raise Refused(
            problems[0].message if len(problems) == 1 else f"{len(problems)} migrations cannot be undone",
            hint=problems[0].hint,
            problems=problems,
        )
    return Planned(Plan(tuple(steps), Plan.digest(tuple(steps))))


def _dependencies(tree: Tree, stored: Mapping[MigrationId, Stored]) -> dict[MigrationId, tuple[str, ...]]:
    """What each applied migration builds on: what its file says, and what its SQL uses of other domains."""
    foreign = settle(tree, stored).foreign
    out = {}
    for migration, found in stored.items():
        used = [i.short for use in foreign.get(migration, ()) for i in (use.maker, *use.needs)]
        out[migration] = tuple(dict.fromkeys((*found.requires, *used)))
    return out


def _down_script(tree: Tree, stored: Stored, source: Source | None, problems: list[Problem]) -> Script | None:
    """The down to run: the stored text, unless the file is wanted."""
    domain = next((d for d in tree.project.domains if d.name == stored.id.domain), None)
    declared, schema = (domain.declared, domain.schema) if domain else (False, "public")
    on_disk = tree.migrations[stored.id].down if stored.id in tree.migrations else None
    if source is None and on_disk is not None and stored.down_sql is not None and on_disk.text != stored.down_sql:
        old, new = (_lines(t) for t in (stored.down_sql, on_disk.text))
        diff = "\n".join(unified_diff(old, new, "history", on_disk.path, lineterm="", n=1))
        problems.append(
            Problem(
                f"the down of {stored.id} is not the one that was stored when it was applied:\n{diff}",
                hint="choose: --from-history or --from-file",
            )
        )
        return None
    if source == "file":
        found = on_disk
    else:
        text = stored.down_sql
        found = SourceFile(f"history:{stored.id}.down.sql", text, "") if text is not None else None
    if found is None:
        problems.append(
            Problem(
                f"{stored.id} has no down" + (" in history" if source != "file" else " on disk"),
                hint="undo it by a new migration" if on_disk is None else "run its file: --from-file",
            )
        )
        return None
    script, reason = sqlfile.read_down(found, declared=declared, schema=schema, migration=stored.id)
    if script is None:
        problems.append(Problem(f"{stored.id} cannot be undone: {reason}", hint="undo it by a new migration"))
    return script


def _lines(text: str) -> list[str]:
    return text.splitlines()
