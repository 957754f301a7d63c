"""What a proposal adds, read from its files: objects by domain, the SQL, the order of the domains it touches."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from msgspec import Struct

from bgce_migrate.action.job import Job
from bgce_migrate.commands.surroundings import Surroundings, look_around
from bgce_migrate.desk import Desk
from bgce_migrate.effect import Action, Name, ObjectKind
from bgce_migrate.errors import BgceError
from bgce_migrate.migration import MigrationId
from bgce_migrate.report import graph
from bgce_migrate.report.comment import Change
from bgce_migrate.repository import Base, on_target

_KINDS = {
    Action.MAKE: "created",
    Action.REPLACE: "created",
    Action.ALTER: "altered",
    Action.RENAME: "altered",
    Action.DROP: "dropped",
}
#: Parts of a table, told as a change of the table.
_PARTS = (ObjectKind.COLUMN, ObjectKind.KEY, ObjectKind.TRIGGER)
_MOST_ARROWS = 300


class Review(Struct, frozen=True):
    """What is new.

    Attributes:
        files: paths that differ from the target branch, from the repository's root.
        base: (words, value): what it was compared with, or why with nothing.
    """

    changes: tuple[Change, ...] = ()
    files: tuple[str, ...] = ()
    sql: tuple[tuple[str, str], ...] = ()
    diagram: tuple[str, ...] = ()
    base: tuple[str, str] = ("", "")


def review(job: Job) -> Review:
    """Read the proposal. What cannot be read is left out: lint says why."""
    inputs = job.inputs
    try:
        desk = Desk.load(
            Path.cwd(),
            config=Path(inputs.config) if inputs.config else None,
            migrations=Path(inputs.path) if inputs.path else None,
            plugins_required=False,
        )
        around = look_around(desk.project, inputs.base_ref or None, job.environment)
        new, files = _new(job, desk, around)
    except BgceError:
        return Review()
    sql = []
    for migration in new:
        for source in (desk.tree.migrations[migration].up, desk.tree.migrations[migration].down):
            if source is not None:
                sql.append((job.in_workspace(source.path), source.text))
    changes = tuple(_changes(desk, new))
    return Review(changes, tuple(files), tuple(sql), _diagram(desk, {c.domain for c in changes}), _compared(around.base))


def _compared(base: Base) -> tuple[str, str]:
    if base.commit is None:
        return "not compared", base.reason + (f"; {base.hint}" if base.hint else "")
    return "compared with", f"{base.branch} at {base.short}"


def _new(job: Job, desk: Desk, around: Surroundings) -> tuple[list[MigrationId], list[str]]:
    """Migrations that the target branch does not have, and files that differ from it."""
    tree = desk.tree
    if around.repository is None or around.base.commit is None:
        new = [i for i in tree.migrations if tree.locked(i) is None]
        sources = [s for i in new for s in (tree.migrations[i].up, tree.migrations[i].down) if s is not None]
        return new, [job.in_workspace(s.path) for s in sources]
    there = on_target(tree, around.repository, around.base)
    folders = [Path(d.folder).resolve() for d in desk.project.domains]
    own = {desk.project.lock_path.resolve(), *((desk.project.file.resolve(),) if desk.project.file else ())}
    changed = [p for p in around.repository.changed(around.base.commit) if p in own or any(f in p.parents for f in folders)]
    return [i for i in tree.migrations if i not in there], sorted(job.in_workspace(str(p)) for p in changed)


def _changes(desk: Desk, new: Iterable[MigrationId]) -> Iterable[Change]:
    by_domain: dict[str, list[MigrationId]] = {}
    for migration in new:
        by_domain.setdefault(migration.domain, []).append(migration)
    for domain in desk.project.domains:
        own = by_domain.get(domain.name)
        if own is None:
            continue
        names: dict[str, dict[str, None]] = {"created": {}, "altered": {}, "dropped": {}}
        statements = files = 0
        for migration in own:
            files += 1 if desk.tree.migrations[migration].down is None else 2
            try:
                script = desk.tree.script(migration)
            except BgceError:
                continue
            statements += len(script.statements)
            for effect in script.effects:
                if effect.action in _KINDS and effect.relation_kind != "index":
                    what = "altered" if effect.object.kind in _PARTS else _KINDS[effect.action]
                    names[what][_shown(effect.object)] = None
        created = names["created"]
        altered = [n for n in names["altered"] if n not in created]
        yield Change(domain.name, files, statements, tuple(sorted(created)), tuple(sorted(altered)), tuple(sorted(names["dropped"])))


def _shown(name: Name) -> str:
    return str(Name(ObjectKind.RELATION, name.name, name.schema)) if name.kind in _PARTS else str(name)


def _diagram(desk: Desk, touched: set[str]) -> tuple[str, ...]:
    """The touched domains with what they need and what needs them."""
    try:
        drawn = graph.Graph.of(desk.project.domains, desk.plan(None, allow_unlocked=True)) if touched else None
    except BgceError:
        return ()
    if drawn is None:
        return ()
    links = tuple(link for link in drawn.links if link.user in touched or link.needed in touched)[:_MOST_ARROWS]
    near = touched | {name for link in links for name in (link.user, link.needed)}
    domains = tuple(d for d in drawn.domains if d.name in near)
    return tuple(graph.mermaid(graph.Graph(domains, drawn.steps, links), migrations=False))
