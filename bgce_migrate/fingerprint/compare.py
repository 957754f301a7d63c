"""What differs between two catalogs: objects that came or went, and facts that changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec import Struct

from bgce_migrate.fingerprint.lens import Lens, lens
from bgce_migrate.fingerprint.model import ORDER, Catalog, Object, Value


class Difference(Struct, frozen=True):
    """One difference.

    Attributes:
        what: the object, as it is afterwards if it is still there.
        fact: which of its facts; empty if the object itself came or went.
        before, after: what the fact says; with an empty `fact`, whether the object is there. None: nothing.
    """

    what: Object
    fact: str
    before: Value | None
    after: Value | None

    @property
    def is_order(self) -> bool:
        """Only the physical order of columns differs."""
        return self.fact == ORDER


def compare(
    before: Catalog, after: Catalog, *, ordered: bool = True, without: frozenset[str] = frozenset()
) -> tuple[Difference, ...]:
    """All differences, by kind and name. What goes with an object that came or went is not told apart.

    Args:
        ordered: tell when columns stand in another order.
        without: kinds that do not count.
    """
    through = lens(before.major, after.major, ordered=ordered, without=without)
    found: list[Difference] = []
    for identity in before.objects.keys() | after.objects.keys():
        old, new = before.objects.get(identity), after.objects.get(identity)
        if old is new:
            continue
        item = new or old
        if item is None or item.kind in without:
            continue
        if old is not None and new is not None:
            if old.facts != new.facts:
                found.extend(_changes(old, new, through))
        elif not _goes_with(item, before, after):
            found.append(Difference(item, "", old is not None or None, new is not None or None))
    return tuple(sorted(found, key=lambda d: (d.what.name, d.what.kind, d.fact)))


def _goes_with(item: Object, before: Catalog, after: Catalog) -> bool:
    """Whether what it is a part of came or went, too."""
    return bool(item.part_of) and not (item.part_of in before.objects and item.part_of in after.objects)


def _changes(old: Object, new: Object, through: Lens) -> Iterator[Difference]:
    was, now = through.facts(old), through.facts(new)
    changed = {fact for fact in was.keys() | now.keys() if was.get(fact) != now.get(fact)}
    if "not null" in changed:  # from 18 on its name comes and goes with it
        changed.discard("not null constraint")
    for fact in sorted(changed):
        one, other = was.get(fact), now.get(fact)
        if not (fact == ORDER and _same_order(one, other)):
            yield Difference(new, fact, one, other)


def _same_order(one: Value | None, other: Value | None) -> bool:
    """Whether those columns that are in both stand in the same order: that one came or went is told of itself."""
    first, second = (v if isinstance(v, tuple) else () for v in (one, other))
    shared = set(first) & set(second)
    return [c for c in first if c in shared] == [c for c in second if c in shared]


def by_domain(
    differences: tuple[Difference, ...], domains: Mapping[str, str]
) -> Mapping[str, tuple[Difference, ...]]:
    """The differences of each domain, by identity; those of nobody's objects under the empty name."""
    out: dict[str, list[Difference]] = {}
    for difference in differences:
        out.setdefault(domains.get(difference.what.identity, ""), []).append(difference)
    return {name: tuple(out[name]) for name in sorted(out)}
