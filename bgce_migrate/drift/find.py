"""Finding drift: read the target, look up or make what should be there, compare, say whose it is and what mends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from bgce_migrate.apply.target import Target
from bgce_migrate.db import catalog_reader
from bgce_migrate.db.history import read_stored
from bgce_migrate.db.statements import MIGRATOR
from bgce_migrate.drift import expected as expecting
from bgce_migrate.drift.aside import comparable, set_aside
from bgce_migrate.drift.model import Aside, Drift, Found
from bgce_migrate.drift.past import Past, of_history
from bgce_migrate.drift.rights import rights_drift
from bgce_migrate.drift.telling import tell_drift
from bgce_migrate.drift.versions import of_version_rows
from bgce_migrate.drift.watch import sightings, with_sightings
from bgce_migrate.errors import Refused
from bgce_migrate.fingerprint.compare import compare
from bgce_migrate.fingerprint.domains import assign
from bgce_migrate.fingerprint.model import Catalog
from bgce_migrate.fingerprint.wording import tell
from bgce_migrate.registry import Registry
from bgce_migrate.tree import Tree

if TYPE_CHECKING:
    from bgce_migrate.host import Host


def find(
    tree: Tree,
    host: Host,
    target: Target,
    *,
    domain: str | None = None,
    provider: str | None = None,
    major: int | None = None,
    keep: bool = True,
) -> Found:
    """What is in a database that its history did not make, and what its history made that is not there.

    Reads only. A scratch server is needed where nothing is kept of an earlier time.

    Args:
        domain: tell this domain's only.
        provider, major: of the scratch server.
        keep: use and keep the expected catalog.

    Raises:
        Refused: the database has no history, or it does not replay.
    """
    _require_history(target)
    warnings: list[str] = []
    schema = target.address.schema
    live = catalog_reader.read(target.control, without=[schema])

    def past() -> Past:
        found = of_history(tree, target.state, read_stored(target.control))
        warnings.extend(found.warnings)
        return found

    wanted = expecting.expected(tree, host, target, past, provider=provider, major=major, keep=keep)
    if wanted.catalog.major != live.major:
        warnings.append(
            f"the server is PostgreSQL {live.major}, what should be there was made on {wanted.catalog.major}:"
            " texts of views and rules are not compared"
        )
    guarded = target.layout == "guarded" and tree.project.declared
    drifts, aside, more = _compared(tree, target, live, wanted, guarded)
    if guarded:
        of_rights, said = rights_drift(tree.project, host, target)
        drifts += of_rights
        warnings.extend(said)
    drifts += of_version_rows(tree, target)
    drifts = [d for d in drifts if domain in (None, d.domain)]
    if drifts:
        drifts = with_sightings(drifts, sightings(target))
    return Found(
        expecting.fingerprint(target.state),
        tuple(sorted(drifts, key=lambda d: (d.domain == "", d.domain, d.name, d.kind))),
        aside,
        (*warnings, *more),
        len(target.state.applied),
        len(live.objects),
        wanted.cached,
    )


def _require_history(target: Target) -> None:
    if target.state.meta is None:
        raise Refused(
            f"database {target.facts.database} has no history, so nothing says what should be in it",
            hint="take it over first: bgce-migrate adopt; or apply to it: bgce-migrate up",
        )


def _compared(
    tree: Tree, target: Target, live: Catalog, wanted: expecting.Expected, guarded: bool
) -> tuple[list[Drift], tuple[Aside, ...], tuple[str, ...]]:
    view = tree.project.history_view
    without, aside = set_aside(live, wanted.catalog)
    owners = {} if target.layout == "guarded" else dict.fromkeys(_appliers(target), MIGRATOR)
    before = comparable(wanted.catalog, frozenset(), owners={}, rights=not guarded, view=view)
    after = comparable(live, without, owners=owners, rights=not guarded, view=view)
    differences = compare(before, after)
    moved = tuple(tell(d) for d in differences if d.is_order)
    domains = _domains(before, after, tree.project.registry, wanted.makers) if differences else {}
    drifts = tell_drift(tuple(d for d in differences if not d.is_order), before, after, domains)
    return drifts, aside, moved


def _appliers(target: Target) -> set[str]:
    return {str(row[0]) for row in target.control.ask("drift", "appliers", target.address.schema)}


def _domains(before: Catalog, after: Catalog, registry: Registry, makers: Mapping[str, str]) -> dict[str, str]:
    """Whose each object is: by declaration, by the migration that made it, by its owner."""
    out: dict[str, str] = {}
    for whole in (before, after):
        for identity, domain in assign(whole, registry).items():
            top = whole.objects[whole.whole(identity)].name.partition("(")[0]
            out[identity] = domain or makers.get(top, "") or out.get(identity, "")
    return out
