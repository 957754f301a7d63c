"""Which facts count when two catalogs are compared: majors say some things differently, and some things not at all."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from bgce_migrate.fingerprint.model import ORDER, RIGHTS, Object, Value

#: Texts that PostgreSQL writes from a parse tree, differently by major, and names that only some majors have.
_ONE_MAJOR: Mapping[str, frozenset[str]] = MappingProxyType({
    "view": frozenset({"definition"}),
    "materialized view": frozenset({"definition"}),
    "rule": frozenset({"definition"}),
    "function": frozenset({"sql body"}),
    "procedure": frozenset({"sql body"}),
    "column": frozenset({"not null constraint"}),
})  # fmt: skip
#: What stands for those texts between majors; within one the text says it already.
_STAND_IN = "uses"
#: The privilege that 17 brought.
_MAINTAIN, _MAINTAIN_SINCE = ": MAINTAIN", 17
_NO_MAINTAIN = ": no MAINTAIN"


class Lens(Struct, frozen=True):
    """What counts.

    Attributes:
        across: the catalogs are of different majors.
        maintain: both majors know the privilege MAINTAIN.
        ordered: the physical order of columns counts, which no ALTER TABLE can restore.
        without: kinds that do not count.
    """

    across: bool = False
    maintain: bool = True
    ordered: bool = True
    without: frozenset[str] = frozenset()

    def facts(self, of: Object) -> Mapping[str, Value]:
        """The facts that count."""
        facts = of.facts
        if not self.across:
            hidden = {_STAND_IN} if self.ordered else {_STAND_IN, ORDER}
            return {k: v for k, v in facts.items() if k not in hidden} if hidden & facts.keys() else facts
        told = _ONE_MAJOR.get(of.kind, frozenset())
        out = {k: v for k, v in facts.items() if k not in told and (self.ordered or k != ORDER)}
        if not self.maintain and RIGHTS in out:
            rights = out.pop(RIGHTS)
            kept = tuple(r for r in rights if not _is_maintain(r)) if isinstance(rights, tuple) else ()
            if kept:
                out[RIGHTS] = kept
        return out


def _is_maintain(right: str) -> bool:
    return _MAINTAIN in right or _NO_MAINTAIN in right


def lens(before: int, after: int, *, ordered: bool = True, without: frozenset[str] = frozenset()) -> Lens:
    """What counts between catalogs of these majors."""
    return Lens(before != after, min(before, after) >= _MAINTAIN_SINCE, ordered, without)
