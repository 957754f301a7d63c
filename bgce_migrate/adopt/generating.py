"""`adopt --generate`: initial migrations of what is there, written only after they have replayed to exactly that."""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate.adopt.assigning import Hints
from bgce_migrate.adopt.drafting import Draft, declaration, draft
from bgce_migrate.adopt.examine import replayed
from bgce_migrate.adopt.model import Ledger
from bgce_migrate.adopt.scope import ADMINISTRATORS, comparable, parts, without_administrators
from bgce_migrate.adopt.tools import recognise
from bgce_migrate.adopt.writing import Writer
from bgce_migrate.apply.target import Target
from bgce_migrate.config import Project
from bgce_migrate.db.catalog_reader import read
from bgce_migrate.db.definitions import read_definitions
from bgce_migrate.db.wire import Failed
from bgce_migrate.domain import name_fault
from bgce_migrate.errors import BgceError, Refused, UsageError
from bgce_migrate.fingerprint.compare import Difference, compare
from bgce_migrate.fingerprint.model import Catalog
from bgce_migrate.locking import extend_lock
from bgce_migrate.migration import MigrationId
from bgce_migrate.opening import load_project
from bgce_migrate.scaffold.files import render, write_new
from bgce_migrate.tree import Tree

if TYPE_CHECKING:
    from bgce_migrate.host import Host


class Proposal(Struct, frozen=True):
    """What would be written, and from what.

    Attributes:
        live: the catalog that it must replay to.
        aside: an administrator's objects, which no migration makes.
        here: the files go into the project that is here; else a project is written around them.
    """

    draft: Draft
    live: Catalog
    ledgers: tuple[Ledger, ...]
    aside: tuple[str, ...]
    here: bool
    name: str


class Proven(Struct, frozen=True):
    """What came of the proof: files by their place in the project, or what they do not replay to."""

    files: Mapping[str, str]
    differences: tuple[Difference, ...] = ()
    migrations: tuple[MigrationId, ...] = ()


def propose(
    project: Project, target: Target, said: tuple[tuple[str, str], ...], ignored: tuple[str, ...], *, here: bool
) -> Proposal:
    """Whose each table is, and the migrations that would make it. Changes nothing.

    Args:
        said: (pattern of tables, domain), as a person says it.
        ignored: patterns of names that do not count.
        here: write into this project; else beside it.

    Raises:
        Refused: domains would need each other in a circle; there is nothing to write.
        UsageError: the project has migrations already.
    """
    session = target.control
    ledgers = recognise(session)
    seen = read(session, without=[session.schema])
    live = comparable(seen, ledgers=ledgers, view=project.history_view, ignored=ignored)
    live, aside = without_administrators(live, Catalog(live.major))
    writer = Writer(live, read_definitions(session))
    units = writer.units()
    if not units:
        raise Refused(f"there is nothing in database {target.facts.database} to write migrations of")
    columns = {
        o.name: tuple(writer.raw(c, o) for c in writer.parts.get(o.identity, ()) if c.kind == "column")
        for o in live.objects.values() if o.kind == "table"
    }  # fmt: skip
    extensions = tuple(sorted(o.name for o in live.objects.values() if o.kind == "extension" and o.name != "plpgsql"))
    name = re.sub(r"[^a-z0-9_]+", "_", (project.name if project.declared else target.facts.database).lower()).strip("_")
    default = name if name and not name_fault(name) else "main"
    hints = Hints(project.registry, said, _names(project, ledgers), default)
    drafted = draft(units, hints, extensions, columns)
    if here:
        _require_declared(project, drafted)
    return Proposal(drafted, live, ledgers, aside, here, name or "main")


def _require_declared(project: Project, drafted: Draft) -> None:
    """Into a project that is here go only domains that it has."""
    strange = [".".join(parts(n)) for n, a in drafted.assigned.items() if a.domain not in project.registry]
    if strange:
        raise Refused(
            f"{len(strange)} table{' belongs' if len(strange) == 1 else 's belong'} to no domain of this project:"
            f" {', '.join(strange[:3])}{' ...' if len(strange) > 3 else ''}",
            hint="declare them, say whose they are: --assign TABLES=DOMAIN, leave them out: --except NAME, or write beside: --into DIR",
        )


def _names(project: Project, ledgers: tuple[Ledger, ...]) -> Mapping[str, str]:
    """Words that tables of a domain may begin with: services, version tables, Django's apps."""
    out = {s.name: d.name for d in project.domains for s in d.services}
    for ledger in ledgers:
        stem = re.match(r"(.+?)_schema_migrations\Z", ledger.relation[1])
        words = [stem[1]] if stem else []
        words += [c.scope for c in ledger.claims if c.scope and ledger.tool == "django"]
        out |= {w: w for w in words if not name_fault(w) and w not in out}
    return out


def prove(
    proposal: Proposal, project: Project, provider: str | None, told: Callable[[str], None] = lambda _: None
) -> Proven:
    """Write everything into a folder of its own, replay it on a throw-away server, compare with the live catalog.

    Raises:
        Refused: it does not replay.
    """
    folder = Path(tempfile.mkdtemp(prefix="bgce-adopt-"))
    try:
        _write(folder, proposal, project)
        opened, host = load_project(folder, folder / "bgce.toml")
        tree = Tree.read(opened)
        extend_lock(tree, check=False)
        # The scratch server is the one of the project that is here, which may be running already.
        tree = Tree.of(replace(opened, root=project.root), dict(tree.migrations), None)
        told(f"replaying {len(tree.migrations)} migrations on a throw-away server")
        made = comparable(_replay(tree, host, provider, proposal.live.major), view=opened.history_view)
        made, _ = without_administrators(made, proposal.live)
        differences = compare(made, proposal.live)
        files = {
            str(path.relative_to(folder)): path.read_text(encoding="utf-8")
            for path in sorted(folder.rglob("*")) if path.is_file()
        }  # fmt: skip
        return Proven(files, differences, tuple(tree.migrations))
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _replay(tree: Tree, host: Host, provider: str | None, major: int) -> Catalog:
    with replayed(tree, host, provider, major) as ready, ready.context.access.lead() as session:
        for owned in ready.steps:
            try:
                ready.apply(session, [owned.step.id])
            except Failed as failed:
                raise Refused(
                    f"what is there cannot be written as migrations: {owned.step.id} fails on a throw-away server:"
                    f" {failed.error.diag.message_primary}",
                    hint="nothing was written; leave out what is no domain's with --except NAME, or write that one by hand",
                ) from None
        return read(session, without=[session.schema])


def _write(folder: Path, proposal: Proposal, project: Project) -> None:
    contents: dict[Path, str] = {}
    places = {d.name: Path("migrations") / d.name for d in proposal.draft.domains}
    if proposal.here:
        root = project.root
        for domain in project.domains:
            try:
                places[domain.name] = domain.folder.relative_to(root)
            except ValueError:
                raise UsageError(
                    f"the folder of {domain.name} is outside this project", hint="write a project of its own: --into DIR"
                ) from None
            declared = domain.folder / "domain.toml"
            contents[folder / places[domain.name] / "domain.toml"] = declared.read_text(encoding="utf-8")
        assert project.file is not None
        contents[folder / "bgce.toml"] = project.file.read_text(encoding="utf-8")
    else:
        contents[folder / "bgce.toml"] = _settings(proposal)
        for drafted in proposal.draft.domains:
            contents[folder / places[drafted.name] / "domain.toml"] = declaration(drafted)
    for drafted in proposal.draft.domains:
        for number, pair in enumerate(drafted.migrations, 1):
            stem = folder / places[drafted.name] / f"{number:06d}_{pair.slug}"
            contents[stem.with_name(f"{stem.name}.up.sql")] = pair.up
            contents[stem.with_name(f"{stem.name}.down.sql")] = pair.down
    write_new(contents)


def _settings(proposal: Proposal) -> str:
    """`bgce.toml`, with the domains in their order and the extensions that an administrator installs."""
    text = render("bgce.toml.tmpl", {"name": proposal.name})
    listed = ", ".join(f'"migrations/{d.name}"' for d in proposal.draft.domains)
    extensions = ", ".join(f'"{name}"' for name in proposal.draft.extensions)
    return text.replace('domains = ["migrations/*"]', f"domains = [{listed}]").replace("extensions = []", f"extensions = [{extensions}]")


def place(proven: Proven, proposal: Proposal, root: Path) -> tuple[Path, ...]:
    """Put proven files where they belong; in a project that is here only what is new.

    Raises:
        UsageError: a file is there already; nothing is written.
    """
    left = ("domain.toml", "bgce.toml") if proposal.here else ()
    files = {root / name: text for name, text in proven.files.items() if Path(name).name not in left}
    return write_new(files)


def require_empty(project: Project, *, here: bool) -> None:
    """Refuse to write beside migrations that are there (exit 2)."""
    if not here:
        return
    for domain in project.domains:
        try:
            busy = any(domain.folder.glob("*.up.sql"))
        except OSError:
            busy = False
        if busy:
            raise UsageError(
                f"{domain.name} has migrations already, in {domain.folder}",
                hint="write those of what is there into a folder of their own: --into DIR",
            )


def unwritten(differences: tuple[Difference, ...]) -> BgceError:
    """The refusal of a history that does not replay to what is there."""
    first = {d.what.kind for d in differences if not d.fact and d.what.kind not in ADMINISTRATORS}
    kinds = f" (of kinds {', '.join(sorted(first))})" if first else ""
    return Refused(
        f"what is there cannot be written as migrations: a replay differs in {len(differences)} places{kinds}",
        hint="nothing was written; leave out what is no domain's with --except NAME, or write those by hand",
    )


def proposed_tables(proposal: Proposal) -> list[tuple[str, str, str]]:
    """(domain, table, reason) of every table, by domain in their order."""
    order = {d.name: n for n, d in enumerate(proposal.draft.domains)}
    rows = [(a.domain, ".".join(parts(name)), a.reason) for name, a in proposal.draft.assigned.items()]
    return sorted(rows, key=lambda row: (order.get(row[0], 0), row[1]))
