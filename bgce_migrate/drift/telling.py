"""Differences as drift: one a change, with its domain and the statements that mend it either way."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec.structs import replace

from bgce_migrate.drift.model import Drift
from bgce_migrate.fingerprint.compare import Difference
from bgce_migrate.fingerprint.model import Catalog, Object
from bgce_migrate.fingerprint.restoring import restore
from bgce_migrate.fingerprint.wording import tell


def tell_drift(
    differences: tuple[Difference, ...], before: Catalog, after: Catalog, domains: Mapping[str, str]
) -> list[Drift]:
    """All differences but those that go with another: the sequence of a column that came or went.

    Args:
        before: what should be there.
        after: what is there.
        domains: by identity.
    """
    moved = {d.what.identity for d in differences if not d.fact}
    return [
        _one(d, before, after, domains) for d in differences if not (d.what.kind == "sequence" and _goes_along(d.what, moved))
    ]


def _goes_along(sequence: Object, moved: set[str]) -> bool:
    owned = str(sequence.facts.get("owned by", "")).removeprefix("identity of ")
    return bool({f"column {owned}", f"table {owned.rpartition('.')[0]}"} & moved) if owned else False


def _one(difference: Difference, before: Catalog, after: Catalog, domains: Mapping[str, str]) -> Drift:
    what = difference.what
    back = restore(difference, before, after)
    taking_in = restore(inverse(difference, before), after, before)
    return Drift(what.kind, what.name, domains.get(what.identity, ""), tell(difference), back, taking_in, difference)


def inverse(difference: Difference, before: Catalog) -> Difference:
    """What has to be taken back so that `before` says what `after` says."""
    what = before.objects.get(difference.what.identity, difference.what)
    return replace(difference, what=what, before=difference.after, after=difference.before)
