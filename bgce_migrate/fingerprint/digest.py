"""Hashes of objects, of what belongs to somebody, and of a whole catalog."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping

import msgspec

from bgce_migrate.fingerprint.lens import Lens
from bgce_migrate.fingerprint.model import Catalog, Object

_encode = msgspec.json.Encoder(order="deterministic").encode
_SIZE = 16  # bytes


def of_object(item: Object, lens: Lens = Lens()) -> bytes:  # noqa: B008 - frozen
    """The hash of kind, name and the facts that count."""
    told = _encode((item.kind, item.name, lens.facts(item)))
    return hashlib.blake2b(told, digest_size=_SIZE).digest()


def of_catalog(catalog: Catalog, lens: Lens = Lens()) -> str:  # noqa: B008 - frozen
    """The hash of a database, in hexadecimal."""
    return _together(of_object(o, lens) for o in catalog.objects.values() if o.kind not in lens.without)


def by_domain(
    catalog: Catalog, domain_of: Callable[[Object], str], lens: Lens = Lens()  # noqa: B008 - frozen
) -> Mapping[str, str]:
    """The hash of each domain's objects; of those that are nobody's under the empty name."""
    found: dict[str, list[bytes]] = {}
    for item in catalog.objects.values():
        if item.kind not in lens.without:
            found.setdefault(domain_of(item), []).append(of_object(item, lens))
    return {name: _together(found[name]) for name in sorted(found)}


def _together(hashes: Iterable[bytes]) -> str:
    """One hash of many, whatever their order: each holds its object's identity."""
    return hashlib.blake2b(b"".join(sorted(hashes)), digest_size=_SIZE).hexdigest()
