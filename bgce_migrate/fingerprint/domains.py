"""Whose an object is: by declaration, else by the role that owns it."""

from __future__ import annotations

from collections.abc import Mapping

from bgce_migrate.fingerprint.model import Catalog, Object, quoted
from bgce_migrate.registry.model import Registry


def assign(catalog: Catalog, registry: Registry) -> Mapping[str, str]:
    """The domain of each object by identity; empty for those of nobody's.

    A declared table is its domain's, whoever owns it; what is a part of it goes with it. Else the domain's owner role
    decides, and a schema of its own is the domain's that alone declares it.
    """
    declared = {f"{quoted(d.schema)}.{quoted(t)}": d.name for d in registry.domains for t in d.tables}
    declared |= {
        f"{quoted(d.schema)}.{quoted(name)}": d.name for d in registry.domains for name in d.functions
    }
    owners = {d.owner: d.name for d in registry.domains}
    return {identity: _one(catalog, item, declared, owners) for identity, item in catalog.objects.items()}


def _one(catalog: Catalog, item: Object, declared: Mapping[str, str], owners: Mapping[str, str]) -> str:
    whole = catalog.objects.get(catalog.whole(item.identity), item)
    return declared.get(whole.name.partition("(")[0]) or owners.get(item.owner or whole.owner, "")
