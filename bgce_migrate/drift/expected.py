"""The catalog that history says should be there: its log replayed on scratch, kept by what it depends on."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import msgspec
import psycopg
from msgspec import Struct

from bgce_migrate import __version__
from bgce_migrate.apply.target import Target
from bgce_migrate.config import Project
from bgce_migrate.db import catalog_reader
from bgce_migrate.db.history import State
from bgce_migrate.db.session import Session, connect
from bgce_migrate.db.statements import create_role
from bgce_migrate.db.wire import Failed
from bgce_migrate.drift.past import Past
from bgce_migrate.effect import Action, Effect, Name, ObjectKind
from bgce_migrate.errors import Refused
from bgce_migrate.fingerprint.model import Catalog, Object, catalog, quoted
from bgce_migrate.linting.store import Store, code_times
from bgce_migrate.migration import MigrationId
from bgce_migrate.scratch.replay import Replay, replay
from bgce_migrate.scratch.steps import committed
from bgce_migrate.servers.programs import available
from bgce_migrate.tree import Tree

if TYPE_CHECKING:
    from bgce_migrate.host import Host

#: Raised when what is kept changes its form.
FORMAT = 1
#: The packages whose code decides what the catalog becomes and how it is read.
_CODE = ("db", "fingerprint", "drift")
_MADE = (Action.MAKE, Action.REPLACE)
_MAKES = (ObjectKind.RELATION, ObjectKind.TYPE, ObjectKind.FUNCTION, ObjectKind.SCHEMA)


class Expected(Struct, frozen=True):
    """What should be there.

    Attributes:
        makers: the domain whose migration made a relation, type, function or schema, by the name it is shown with.
        cached: it was kept from an earlier time.
    """

    catalog: Catalog
    makers: Mapping[str, str]
    cached: bool = False


class _Kept(Struct, array_like=True):
    major: int
    objects: list[Object]
    makers: dict[str, str]


_decoder = msgspec.msgpack.Decoder(_Kept)


def fingerprint(state: State) -> str:
    """Of the plan that history tells: what was applied, in its order, 16 hex digits."""
    text = "\n".join(f"{a.id.short} up {a.checksum}" for a in state.applied.values())
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _major(target: Target, wanted: int | None) -> int | None:
    """The scratch server's major: the target's own where there are programs of it, else the newest."""
    if wanted is not None:
        return wanted
    found = {p.major for provider in ("embedded", "local") for p in available(provider)}
    return target.facts.major if target.facts.major in found else None


def expected(
    tree: Tree,
    host: Host,
    target: Target,
    past: Callable[[], Past],
    *,
    provider: str | None = None,
    major: int | None = None,
    keep: bool = True,
) -> Expected:
    """The catalog after history's log on an empty database.

    Args:
        past: reads history's texts; called only where nothing is kept.
        major: of the scratch server; the target's own where there are programs of it, else the newest.
        keep: look for a kept one, and keep this one.

    Raises:
        Refused: the log does not replay.
        BgceError: there is no server.
    """
    store = Store(tree.project.root / ".bgce" / "cache" / "drift" if keep else None)
    place = hashlib.sha256(target.facts.database.encode() + str(target.facts.database_oid).encode()).hexdigest()[:8]
    key = f"{place}-{_key(tree, target, provider, major)}"
    if (kept := _read(store.one(key))) is not None:
        return kept
    found = past()
    plain = target.layout == "plain"
    with replay(found.tree, host, provider=provider, major=_major(target, major), plain=plain) as ready:
        whole = _replayed(ready, target)
    makers = _makers(found.tree, (o.step.id for o in ready.steps))
    raw = msgspec.msgpack.encode(_Kept(whole.major, list(whole.objects.values()), makers))
    store.put_one(key, raw, kin=f"{place}-")
    return Expected(whole, makers)


def _key(tree: Tree, target: Target, provider: str | None, major: int | None) -> str:
    """Everything the expected catalog depends on; the code by the times of its files."""
    project, state = tree.project, target.state
    forced = [tree.migrations[i].up.sha256 for i, a in state.applied.items() if not a.checksum and i in tree.migrations]
    said = (
        __version__, FORMAT, code_times(_CODE), fingerprint(state), forced, provider, major, target.facts.major,
        target.layout, _declared(project),
    )  # fmt: skip
    return hashlib.sha256(repr(said).encode("utf-8", "surrogatepass")).hexdigest()


def _declared(project: Project) -> tuple[object, ...]:
    domains = [(d.name, d.schema, d.declared, sorted(d.functions.items()), d.requires) for d in project.domains]
    return project.declared, project.database.bookkeeping_schema, project.database.extensions, project.timezone, domains


def _read(raw: bytes | None) -> Expected | None:
    if raw is None:
        return None
    try:
        kept = _decoder.decode(raw)
    except (msgspec.DecodeError, msgspec.ValidationError, ValueError, TypeError):
        return None
    return Expected(catalog(kept.major, kept.objects), kept.makers, cached=True)


def _replayed(ready: Replay, target: Target) -> Catalog:
    _make_roles(ready, target)
    session = ready.context.access.lead()
    try:
        for owned in ready.steps:
            try:
                committed(ready.context, session, owned, owned.step.script, owned.grants)
            except (Failed, psycopg.Error) as failed:
                raise _unreplayable(owned.step.id, failed) from None
        return catalog_reader.read(session, without=[ready.context.access.schema])
    finally:
        session.close()


def _unreplayable(id: MigrationId, failed: Failed | psycopg.Error) -> Refused:
    error = failed.error if isinstance(failed, Failed) else failed
    said = error.diag.message_primary or str(error).strip().partition("\n")[0]
    return Refused(
        f"what history has applied does not run on an empty database: {id}: {said}",
        hint="bgce-migrate verify shows the same for the files here; --provider and --pg choose another server",
    )


def _make_roles(ready: Replay, target: Target) -> None:
    """Roles of the target that the SQL names: without them a GRANT or a policy fails on scratch."""
    words: set[str] = set()
    for owned in ready.steps:
        words.update(re.findall(r"\w+", owned.step.script.source.text))
    named = {r[0] for r in target.control.ask("drift", "roles") if r[0]} & words
    with connect(ready.place.server.url(), "") as admin:
        there = {r[0] for r in admin.ask("drift", "roles")}
        _create(admin, sorted(named - there))


def _create(admin: Session, names: Iterable[str]) -> None:
    for name in names:
        admin.execute(create_role(name, "NOLOGIN"))


def _makers(tree: Tree, ids: Iterable[MigrationId]) -> dict[str, str]:
    makers: dict[str, str] = {}
    for id in ids:
        schema = tree.domain(id).schema
        for effect in tree.script(id).effects:
            made = _made(effect)
            if made is not None:
                shown = quoted(made.name) if made.kind is ObjectKind.SCHEMA else f"{quoted(made.schema or schema)}.{quoted(made.name)}"
                makers[shown] = id.domain if effect.action is not Action.REPLACE else makers.get(shown, id.domain)
    return makers


def _made(effect: Effect) -> Name | None:
    if effect.action is Action.RENAME:
        return effect.to if effect.to is not None and effect.to.kind in _MAKES else None
    return effect.object if effect.action in _MADE and effect.object.kind in _MAKES else None
