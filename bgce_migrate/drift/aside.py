"""What is no drift: partitions made by routine, other tools' tables, and what is of this place and not of its history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set

from bgce_migrate.drift.model import Aside
from bgce_migrate.fingerprint.model import RIGHTS, Catalog, Object, Value, catalog, quoted
from bgce_migrate.fingerprint.other_tools import keeper

#: Settings and limits differ from place to place; no migration can know the database's name.
_OF_THIS_PLACE = frozenset({"database", "settings"})
#: What the watching event triggers are called.
WATCHERS = ("bgce_watch_ddl", "bgce_watch_drop")
#: The version is that of the server's packages.
_LOOSE_FACTS = {"extension": frozenset({"version", "owner"}), "materialized view": frozenset({"without data"})}
#: Who owns schema public, and what everybody has there, depends on the major that the cluster was made by.
_PUBLIC = "schema public"


def set_aside(live: Catalog, expected: Catalog) -> tuple[frozenset[str], tuple[Aside, ...]]:
    """The identities of objects that do not count, whole with their parts, and why."""
    out: set[str] = set()
    reasons: dict[str, list[str]] = {}
    for item in live.objects.values():
        if item.kind in ("table", "foreign table") and item.identity not in expected.objects:
            if tool := keeper(live, item):
                out.add(item.identity)
                reasons.setdefault(f"bookkeeping of {tool}", []).append(item.name)
            elif _of_known_parent(live, expected, item):
                out.add(item.identity)
                reasons.setdefault(f"partition of {item.facts['partition of']}", []).append(item.name)
    out.update(_owned_sequences(live, out))
    aside = tuple(Aside(reason, tuple(sorted(names))) for reason, names in sorted(reasons.items()))
    return frozenset(out), aside


def _of_known_parent(live: Catalog, expected: Catalog, item: Object) -> bool:
    """Whether a table is a partition, at any depth, of a partitioned table that history made."""
    parent = item.facts.get("partition of")
    while isinstance(parent, str) and not parent.endswith("being detached"):
        if "partition key" in (found := expected.objects.get(f"table {parent}", item)).facts and found is not item:
            return True
        above = live.objects.get(f"table {parent}")
        parent = above.facts.get("partition of") if above is not None else None
    return False


def _owned_sequences(live: Catalog, tables: Set[str]) -> Iterable[str]:
    names = {identity.partition(" ")[2] for identity in tables if identity.startswith("table ")}
    for item in live.objects.values():
        owned = item.facts.get("owned by") if item.kind == "sequence" else None
        if isinstance(owned, str) and owned.removeprefix("identity of ").rpartition(".")[0] in names:
            yield item.identity


def comparable(
    whole: Catalog, without: Set[str], *, owners: Mapping[str, str], rights: bool, view: str | None
) -> Catalog:
    """A catalog without what does not count.

    Args:
        without: identities, left out with their parts.
        owners: roles under another name.
        rights: False where rights are compared with the declarations instead.
        view: the history view that `bgce.toml` names.
    """
    hidden = {f"event trigger {name}" for name in WATCHERS} | ({f"view {_shown(view)}"} if view else set())
    out = []
    left = hidden | without
    for identity, item in whole.objects.items():
        if item.kind in _OF_THIS_PLACE or identity in left or (item.part_of and whole.whole(item.part_of) in left):
            continue
        if not rights and item.kind == "default privileges":
            continue
        out.append(_loosened(item, owners, rights))
    return catalog(whole.major, out)


def _loosened(item: Object, owners: Mapping[str, str], rights: bool) -> Object:
    facts: Mapping[str, Value] = item.facts
    owner = facts.get("owner")
    renamed = isinstance(owner, str) and owner in owners
    if not renamed and (rights or RIGHTS not in facts) and item.kind not in _LOOSE_FACTS and item.kind != "schema":
        return item  # nearly all
    drop = set(_LOOSE_FACTS.get(item.kind, ()))
    if item.identity == _PUBLIC:
        drop |= {"owner", "comment", RIGHTS}
    elif not rights:
        drop.add(RIGHTS)
    kept = {name: value for name, value in facts.items() if name not in drop}
    if renamed and "owner" in kept:
        kept["owner"] = owners[str(owner)]
    return Object(item.kind, item.name, kept, item.owner, item.part_of)


def _shown(name: str) -> str:
    return ".".join(quoted(part) for part in name.split("."))
