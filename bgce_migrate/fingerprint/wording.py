"""A difference as a person reads it: what, where, from, to."""

from __future__ import annotations

from difflib import SequenceMatcher

from bgce_migrate.fingerprint.compare import Difference
from bgce_migrate.fingerprint.model import ORDER, Value

#: Longer texts (bodies of functions, views) are shown by the part in which they differ.
_SHOWN = 100
_AROUND = 20
_COLUMNS = 10


def tell(difference: Difference) -> str:
    """One line, e.g. `column public.users.email: type is text, was character varying(50)`."""
    what, fact, before, after = difference.what, difference.fact, difference.before, difference.after
    if not fact:
        return f"{what.identity} is {'new' if after else 'gone'}"
    if fact == ORDER:
        return f"{what.identity}: {_order(before, after)}"
    if isinstance(before or after, tuple) and fact != "labels":
        return f"{what.identity}: {fact}: {_members(before, after)}"
    if (before or after) is True:
        return f"{what.identity}: {fact} {'is set' if after else 'is set no more'}"
    if before is None:
        return f"{what.identity}: {fact} is {_shown(after)}, was not set"
    if after is None:
        return f"{what.identity}: {fact} is not set, was {_shown(before)}"
    one, other = _parts(_shown(before), _shown(after))
    return f"{what.identity}: {fact} is {other}, was {one}"


def _list(value: Value | None) -> str:
    return f"({', '.join(value)})" if isinstance(value, tuple) else "()"


def _order(before: Value | None, after: Value | None) -> str:
    """Both orders; of many columns only those that moved."""
    was, now = (v if isinstance(v, tuple) else () for v in (before, after))
    if max(len(was), len(now)) <= _COLUMNS:
        return f"columns stand in the order {_list(after)}, were {_list(before)}"
    blocks = SequenceMatcher(None, was, now, autojunk=False).get_matching_blocks()
    kept = {column for block in blocks for column in was[block.a : block.a + block.size]}
    return f"columns stand in another order, moved: {', '.join(c for c in now if c not in kept and c in was)}"


def _members(before: Value | None, after: Value | None) -> str:
    """What came to a list and what left it; both lists where only their order differs."""
    was, now = (v if isinstance(v, tuple) else () for v in (before, after))
    came, went = [v for v in now if v not in was], [v for v in was if v not in now]
    told = [f"{word} {', '.join(of)}" for word, of in (("came", came), ("went", went)) if of]
    return "; ".join(told) or f"now {_list(after)}, were {_list(before)}"


def _shown(value: Value | None) -> str:
    return _list(value) if isinstance(value, tuple) else " ".join(str(value).split())


def _parts(one: str, other: str) -> tuple[str, str]:
    """Both texts, or of long ones the part where they differ with a little of what is around it."""
    if max(len(one), len(other)) <= _SHOWN:
        return one or "empty", other or "empty"
    limit = min(len(one), len(other))
    start = next((i for i in range(limit) if one[i] != other[i]), limit)
    end = next((i for i in range(limit - start) if one[-1 - i] != other[-1 - i]), limit - start)
    return _cut(one, start, end), _cut(other, start, end)


def _cut(text: str, start: int, end: int) -> str:
    first, last = max(start - _AROUND, 0), len(text) - max(end - _AROUND, 0)
    shown = text[first:last]
    if len(shown) > _SHOWN:
        shown = shown[:_SHOWN] + "..."
    return f"{'...' if first else ''}{shown}{'...' if last < len(text) else ''}"
