"""What counts when a live database is compared with a replay of its migrations."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase

from msgspec.structs import replace

from bgce_migrate.adopt.model import Ledger
from bgce_migrate.fingerprint.model import Catalog, Object, catalog, quoted

#: An administrator's: no migration of a domain makes them, so that they count only where one does.
ADMINISTRATORS = frozenset({
    "access method", "database", "default privileges", "event trigger", "foreign data wrapper", "language", "publication",
    "server", "settings", "subscription", "user mapping",
})  # fmt: skip
#: Owners are `bootstrap --take-over`'s and rights are `grants apply`'s; an extension's version is the machine's.
_ELSEWHERE = frozenset({"owner", "rights", "index rights", "multirange rights"})
_RELATIONS = frozenset({"table", "view", "materialized view", "foreign table"})


def relations(live: Catalog) -> frozenset[tuple[str, str]]:
    """Tables and views by (schema, name)."""
    return frozenset(parts(o.name) for o in live.objects.values() if o.kind in _RELATIONS)


def parts(name: str) -> tuple[str, str]:
    """Schema and name of a name as it is shown, without quotes."""
    at = name.find('".') + 1 if name.startswith('"') else name.find(".")
    return _raw(name[:at]), _raw(name[at + 1 :])


def _raw(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def comparable(
    found: Catalog, *, ledgers: Sequence[Ledger] = (), view: str | None = None, ignored: Iterable[str] = ()
) -> Catalog:
    """A catalog without what says nothing about migrations.

    Args:
        ledgers: other tools' bookkeeping, which is nobody's.
        view: the project's history view.
        ignored: patterns of names that a person leaves out: `schema`, `schema.table`, with `*`.
    """
    own = {f"{quoted(s)}.{quoted(t)}" for ledger in ledgers for s, t in ledger.own}
    if view:
        own.add(".".join(quoted(part) for part in (view if "." in view else f"public.{view}").split(".")))
    patterns = tuple(ignored)
    out = []
    left = {o.name.partition(".")[0] for o in found.objects.values() if o.kind in _RELATIONS and o.name not in own}
    for item in found.objects.values():
        whole = found.objects.get(found.whole(item.identity), item)
        if whole.name in own or _of_own(whole, own) or _matches(whole, patterns):
            continue
        if whole.kind == "schema" and whole.name not in left and any(n.startswith(f"{whole.name}.") for n in own) and whole.name != "public":
            continue
        out.append(_trimmed(item))
    return catalog(found.major, out)


def _of_own(item: Object, own: set[str]) -> bool:
    """A sequence goes with the table that owns it; a composite type or function of a tool has no owner to ask."""
    owner = item.facts.get("owned by")
    return isinstance(owner, str) and owner.removeprefix("identity of ").rpartition(".")[0] in own


def _matches(item: Object, patterns: tuple[str, ...]) -> bool:
    schema = item.name.partition(".")[0]
    return any(fnmatchcase(item.name, p) or fnmatchcase(schema, p) for p in patterns)


def _trimmed(item: Object) -> Object:
    hidden = _ELSEWHERE | {"version"} if item.kind == "extension" else _ELSEWHERE
    if not hidden & item.facts.keys():
        return item
    return replace(item, facts={k: v for k, v in item.facts.items() if k not in hidden})


def without_administrators(live: Catalog, made: Catalog) -> tuple[Catalog, tuple[str, ...]]:
    """The live catalog without what only an administrator makes and no migration does; and what that is."""
    aside = {
        i for i, o in live.objects.items()
        if live.objects.get(live.whole(i), o).kind in ADMINISTRATORS and i not in made.objects
    }  # fmt: skip
    told = tuple(sorted(i for i in aside if live.objects[i].kind not in ("database", "settings", "default privileges")))
    return catalog(live.major, (o for i, o in live.objects.items() if i not in aside)), told
