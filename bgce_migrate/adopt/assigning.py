"""Whose each table is: by what a person says, by declaration, schema, naming, or foreign keys; each with its reason."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase

from msgspec import Struct, field

from bgce_migrate.adopt.scope import parts
from bgce_migrate.adopt.units import Unit
from bgce_migrate.domain import name_fault
from bgce_migrate.errors import UsageError
from bgce_migrate.registry.model import Registry


class Hints(Struct, frozen=True):
    """What assignment goes by.

    Attributes:
        said: (pattern of table names, domain), as a person says it; the first that fits counts.
        names: words that domains may be called by, e.g. those of version tables and of Django's apps, with the domain.
        default: the domain of what nothing speaks of.
    """

    registry: Registry
    said: tuple[tuple[str, str], ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    default: str = "main"


class Assigned(Struct, frozen=True):
    """A table's domain, and why."""

    domain: str
    reason: str


def tables(units: Sequence[Unit], hints: Hints) -> dict[str, Assigned]:
    """The domain of each table, by name as it is shown.

    Raises:
        UsageError: a domain is said that cannot be one.
    """
    for _, domain in hints.said:
        if fault := name_fault(domain):
            raise UsageError(fault, hint="a domain is named like the service that writes it, e.g. wallet")
    out: dict[str, Assigned] = {}
    left = []
    for unit in units:
        if unit.kind != "table":
            continue
        found = _by_name(unit.name, hints)
        if found is None:
            left.append(unit)
        else:
            out[unit.name] = found
    _by_keys(left, units, out)
    for unit in left:
        out.setdefault(unit.name, Assigned(hints.default, "nothing says whose it is"))
    return out


def _by_name(shown: str, hints: Hints) -> Assigned | None:
    schema, table = parts(shown)
    for pattern, domain in hints.said:
        if fnmatchcase(shown, pattern) or fnmatchcase(table, pattern):
            return Assigned(domain, f"said: {pattern}={domain}")
    declared = hints.registry.owner_of(table, schema)
    if declared is not None:
        return Assigned(declared, "declared")
    if schema != "public" and not name_fault(schema):
        return Assigned(schema, f"schema {schema}")
    words = {**{d.name: d.name for d in hints.registry.domains}, **hints.names}
    for word in sorted(words, key=len, reverse=True):
        if table == word or table.startswith(f"{word}_"):
            return Assigned(words[word], f"its name begins with {word}")
    return None


def _by_keys(left: Iterable[Unit], units: Sequence[Unit], out: dict[str, Assigned]) -> None:
    """A table goes where most of its keys lead, else where most keys to it come from; again until nothing moves."""
    names = {target(unit): unit.name for unit in units if unit.kind == "table"}
    leads: dict[str, list[str]] = {}
    comes: dict[str, list[str]] = {}
    for unit in units:
        for key in unit.keys:
            to = names.get(key.target)
            if to is not None and to != unit.name:
                leads.setdefault(unit.name, []).append(to)
                comes.setdefault(to, []).append(unit.name)
    for way, words in ((leads, "its key leads to"), (comes, "a key comes from")):
        moved = True
        while moved:
            moved = False
            for unit in left:
                known = [n for n in way.get(unit.name, ()) if n in out]
                if unit.name in out or not known:
                    continue
                domain = Counter(out[n].domain for n in known).most_common(1)[0][0]
                other = next(n for n in known if out[n].domain == domain)
                out[unit.name] = Assigned(domain, f"{words} {parts(other)[1]}")
                moved = True


def target(unit: Unit) -> str:
    """A table's name as the server writes it in a foreign key."""
    return unit.head.split("TABLE ", 1)[1].strip() if unit.kind == "table" else unit.name
