"""Differences as drift: one a change, with its domain and the statements that mend it either way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Set

from msgspec.structs import replace

from bgce_migrate.drift.model import Drift
from bgce_migrate.fingerprint.compare import Difference
from bgce_migrate.fingerprint.model import Catalog, Object
from bgce_migrate.fingerprint.restoring import restore
from bgce_migrate.fingerprint.wording import tell


def tell_drift(
    differences: tuple[Difference, ...], before: Catalog, after: Catalog, domains: Mapping[str, str]
) -> list[Drift]:
    """All differences but those that go with another: of a column's sequence, of what partitions have of their parent.

    Args:
        before: what should be there.
        after: what is there.
        domains: by identity.
    """
    changed = {(d.what.identity, d.fact) for d in differences}
    return [_one(d, before, after, domains) for d in differences if not _goes_along(d, changed, before, after)]


def _goes_along(difference: Difference, changed: Set[tuple[str, str]], before: Catalog, after: Catalog) -> bool:
    what, fact = difference.what, difference.fact
    if what.facts.get("inherited") == "only":
        home = after.objects.get(what.part_of) or before.objects.get(what.part_of)
        return home is not None and any((identity, fact) in changed for identity in _inherited_from(what, home))
    if what.kind == "sequence":
        owned = str(what.facts.get("owned by", "")).removeprefix("identity of ")
        whole = f"table {owned.rpartition('.')[0]}"
        return bool(owned) and ((f"column {owned}", fact) in changed or (whole, fact) in changed)
    parent = what.facts.get("partition of")
    if what.kind == "index" and isinstance(parent, str):
        return (f"index {parent}", fact) in changed
    return False


def _inherited_from(part: Object, home: Object) -> Iterator[str]:
    """What a column or constraint of a partition or child could have come from."""
    above = home.facts.get("partition of") or home.facts.get("inherits")
    parents = above if isinstance(above, tuple) else (str(above),)
    name = part.name[len(home.name) + 1 :] if part.kind == "column" else part.name.partition(" on ")[0]
    own = part.facts.get("partition of")
    if isinstance(own, str):
        name = own.rpartition(".")[2]
    for parent in parents:
        yield f"column {parent}.{name}" if part.kind == "column" else f"constraint {name} on {parent}"


def _one(difference: Difference, before: Catalog, after: Catalog, domains: Mapping[str, str]) -> Drift:
    what = difference.what
    back = restore(difference, before, after)
    taking_in = restore(inverse(difference, before), after, before)
    return Drift(what.kind, what.name, domains.get(what.identity, ""), tell(difference), back, taking_in, difference)


def inverse(difference: Difference, before: Catalog) -> Difference:
    """What has to be taken back so that `before` says what `after` says."""
    what = before.objects.get(difference.what.identity, difference.what)
    return replace(difference, what=what, before=difference.after, after=difference.before)
