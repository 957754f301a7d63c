"""Looks at a database that exists: what its bookkeeping claims, and whether a replay of that equals what is there."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING

from msgspec import Struct, field
from msgspec.structs import replace

from bgce_migrate.adopt import evidence
from bgce_migrate.adopt.mapping import Claimed, claimed, present
from bgce_migrate.adopt.model import Adoption, Ledger
from bgce_migrate.adopt.scope import comparable, parts, relations, without_administrators
from bgce_migrate.adopt.tools import recognise
from bgce_migrate.apply.target import Target
from bgce_migrate.db.catalog_reader import read
from bgce_migrate.db.ledgers import dropped_columns
from bgce_migrate.db.wire import Failed
from bgce_migrate.effect import Action, ObjectKind
from bgce_migrate.errors import Refused, UsageError
from bgce_migrate.fingerprint.compare import Difference, compare
from bgce_migrate.fingerprint.digest import of_catalog
from bgce_migrate.fingerprint.domains import assign
from bgce_migrate.fingerprint.model import Catalog
from bgce_migrate.migration import MigrationId
from bgce_migrate.scratch.replay import Replay, replay
from bgce_migrate.tree import Tree

if TYPE_CHECKING:
    from bgce_migrate.host import Host


class Wish(Struct, frozen=True):
    """What a person says beside the project.

    Attributes:
        said: whose a version table is: the domain by table.
        ignored: patterns of names that do not count.
        chosen: the migrations that count as applied, whatever any bookkeeping claims; None: as it claims.
        provider: where the scratch server comes from.
    """

    said: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    ignored: tuple[str, ...] = ()
    chosen: frozenset[MigrationId] | None = None
    provider: str | None = None


def examine(
    tree: Tree, host: Host, target: Target, wish: Wish, told: Callable[[str], None] = lambda _: None
) -> Adoption:
    """Compare the live catalog with a replay of what counts as applied. Changes nothing on the target.

    Args:
        told: is called with a line of progress.

    Raises:
        Refused: what counts as applied cannot be replayed.
        BgceError: there is no order, or no scratch server.
    """
    session = target.control
    ledgers = recognise(session)
    for ledger in ledgers:
        told(f"{ledger} ({ledger.tool}): {ledger.says}")
    seen = read(session, without=[session.schema])
    looking = _Looking(tree, host, wish, ledgers, tuple(target.state.applied), told)
    looking.live = looking.trimmed(seen)
    looking.lost = dropped_columns(session)
    if wish.chosen is not None:
        return looking.judge(Claimed(set(wish.chosen), {i.domain: "as said" for i in wish.chosen}))
    there = relations(looking.live)
    first = looking.judge(claimed(tree, ledgers, wish.said, there))
    if not first.differences:
        return first
    # The numbers of files written since, of generated ones for example, need not be those that a version table means.
    other = present(tree, there)
    if other.migrations in (set(), {*first.found, *first.recorded}):
        return first
    second = looking.judge(other)
    if second.differences:
        return first
    told_otherwise = f"what the version tables claim does not replay to what is there ({len(first.differences)} differences); this does"
    return replace(second, notes=(told_otherwise, *second.notes))


class _Looking(Struct):
    """One look at one live catalog, and what is compared with it."""

    tree: Tree
    host: Host
    wish: Wish
    ledgers: tuple[Ledger, ...]
    ours: tuple[MigrationId, ...]
    told: Callable[[str], None]
    live: Catalog = Catalog(0)
    lost: Mapping[tuple[str, str], int] = field(default_factory=dict)

    def trimmed(self, seen: Catalog) -> Catalog:
        """What counts of a catalog."""
        return comparable(seen, ledgers=self.ledgers, view=self.tree.project.history_view, ignored=self.wish.ignored)

    def judge(self, found: Claimed) -> Adoption:
        """Replay what counts as applied and compare."""
        tree = self.tree
        wanted = found.migrations | {i for i in self.ours if i in tree.migrations}
        with replayed(tree, self.host, self.wish.provider, self.live.major) as ready:
            order = [owned.step.id for owned in ready.steps]
            self.told(f"replaying {len(wanted)} migrations on a throw-away server")
            made = self.trimmed(_made(ready, [i for i in order if i in wanted]))
        live, aside = without_administrators(self.live, made)
        differences = compare(made, live)
        makers = _makers(tree)
        blocking = tuple(d for d in differences if not d.is_order)
        return Adoption(
            self.ledgers,
            self.ours,
            tuple(i for i in order if i in found.migrations and i not in self.ours),
            tuple(i for i in order if i not in wanted),
            blocking,
            tuple(d for d in differences if d.is_order),
            _domains(tree, made, live, makers, differences),
            evidence.of_tables(blocking, made, live, makers, self.lost),
            found.sources,
            (*found.notes, *(f"{what} is an administrator's and does not count" for what in aside)),
            _fingerprint(self.live),
            live.major,
        )


def require_unchanged(tree: Tree, target: Target, wish: Wish, adoption: Adoption) -> None:
    """Refuse when the live catalog is not any more what was compared (exit 3)."""
    session = target.control
    seen = read(session, without=[session.schema])
    live = comparable(seen, ledgers=adoption.ledgers, view=tree.project.history_view, ignored=wish.ignored)
    if adoption.fingerprint != _fingerprint(live):
        raise Refused(
            f"the catalog of {target.facts.database} has changed while it was compared",
            hint="nothing was recorded; run adopt again when nothing else migrates",
        )


def _fingerprint(live: Catalog) -> str:
    return of_catalog(without_administrators(live, Catalog(live.major))[0])


@contextmanager
def replayed(tree: Tree, host: Host, provider: str | None, major: int) -> Iterator[Replay]:
    """A replay on the live server's major where one is installed, else on the newest."""
    from bgce_migrate.servers.programs import available

    names = (provider,) if provider else ("embedded", "local")
    here = any(programs.major == major for name in names for programs in available(name))
    with replay(tree, host, provider=provider, major=major if here else None) as ready:
        yield ready


def _made(ready: Replay, ids: Sequence[MigrationId]) -> Catalog:
    """The catalog after these migrations."""
    with ready.context.access.lead() as session:
        for migration in ids:
            try:
                ready.apply(session, [migration])
            except Failed as failed:
                raise Refused(
                    f"{migration} counts as applied and cannot be replayed: {failed.error.diag.message_primary}",
                    hint="nothing was recorded; see that what it needs counts as applied too: bgce-migrate baseline",
                ) from None
        return read(session, without=[session.schema])


def _makers(tree: Tree) -> dict[tuple[str, str], MigrationId]:
    """The migration that makes each table."""
    out: dict[tuple[str, str], MigrationId] = {}
    for migration in tree.migrations:
        for effect in tree.script(migration).effects:
            if effect.object.kind is ObjectKind.RELATION and effect.action in (Action.MAKE, Action.REPLACE):
                out.setdefault((effect.object.schema or effect.path[0], effect.object.name), migration)
    return out


def _domains(
    tree: Tree,
    made: Catalog,
    live: Catalog,
    makers: Mapping[tuple[str, str], MigrationId],
    differences: Iterable[Difference],
) -> Mapping[str, str]:
    """Whose each object is that differs: by declaration, else of the domain that makes what it is a part of."""
    declared = {**assign(live, tree.project.registry), **assign(made, tree.project.registry)}
    out = {}
    for difference in differences:
        identity = difference.what.identity
        home = live if identity in live.objects else made
        whole = home.objects.get(home.whole(identity), difference.what)
        maker = makers.get(parts(whole.name)) if "." in whole.name else None
        out[identity] = maker.domain if maker else declared.get(identity, "")
    return out


def chosen_up_to(tree: Tree, goals: Sequence[MigrationId]) -> frozenset[MigrationId]:
    """All migrations of each named domain up to the named version.

    Raises:
        UsageError: there is no such version.
    """
    for goal in goals:
        if goal not in tree.migrations:
            raise UsageError(f"{goal.domain} has no version {goal.version}", hint="`bgce-migrate status` lists them")
    return frozenset(i for i in tree.migrations for g in goals if i.domain == g.domain and i.version <= g.version)
