"""The checked set of all domains of a project, and what the engine asks of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from heapq import heapify, heappop, heappush
from types import MappingProxyType

from msgspec import Struct, field

from bgce_migrate.domain import Domain, Service
from bgce_migrate.errors import ConfigError
from bgce_migrate.registry.checks import Locate, file_of, find_problems
from bgce_migrate.registry.references import parse_target


class Registry(Struct, frozen=True):
    """All domains of a project; made by `build`.

    Attributes:
        domains: each after those it requires; ties by rank, then name.
        services: every service by name.
    """

    domains: tuple[Domain, ...] = ()
    services: Mapping[str, Service] = field(default_factory=lambda: MappingProxyType({}))
    _by_name: Mapping[str, Domain] = field(default_factory=lambda: MappingProxyType({}))
    _homes: Mapping[str, str] = field(default_factory=lambda: MappingProxyType({}))
    _owners: Mapping[tuple[str, str], str] = field(default_factory=lambda: MappingProxyType({}))
    _closures: Mapping[str, frozenset[str]] = field(default_factory=lambda: MappingProxyType({}))

    def __contains__(self, domain: str) -> bool:
        return domain in self._by_name

    def __getitem__(self, domain: str) -> Domain:
        """The domain of that name. Raises KeyError."""
        return self._by_name[domain]

    def owner_of(self, table: str, schema: str | None = None) -> str | None:
        """The domain that declares a table, or None.

        `table` may be `schema.table`; without a schema it is looked up in `public`, then in whichever
        one schema declares it.
        """
        if schema is None and "." in table:
            schema, _, table = table.partition(".")
        if schema is not None:
            return self._owners.get((schema, table))
        if ("public", table) in self._owners:
            return self._owners[("public", table)]
        found = {owner for (_, name), owner in self._owners.items() if name == table}
        return found.pop() if len(found) == 1 else None

    def rank(self, domain: str) -> int:
        """The domain's place in `domains` of `bgce.toml`. Raises KeyError."""
        return self._by_name[domain].rank

    def requires_closure(self, domain: str) -> frozenset[str]:
        """All domains that `domain` requires, directly or through others; not itself. Raises KeyError."""
        return self._closures[domain]

    def domain_of(self, service: str) -> Domain:
        """The domain that declares a service. Raises KeyError."""
        return self._by_name[self._homes[service]]

    def shared(self, owner: str, service: str, table: str) -> frozenset[str]:
        """The columns above class public of `owner`'s table that `owner` shares with a service."""
        home = self._homes.get(service)
        out: set[str] = set()
        declared = self._by_name[owner]
        for reader, targets in declared.shares.items():
            if reader not in (service, home):
                continue
            for target in targets:
                name, columns, set_name = parse_target(target)
                if name == table:
                    chosen = declared.tables[table].sets[set_name] if set_name else columns
                    out.update(chosen or ())
        return frozenset(out)


def build(domains: Sequence[Domain], locate: Locate = file_of) -> Registry:
    """Check all domains against each other.

    Args:
        domains: in any order; the result does not depend on it.
        locate: where a key of a domain's declaration stands.

    Raises:
        ConfigError: with all mistakes in `problems`.
    """
    if problems := find_problems(domains, locate):
        count = len(problems)
        raise ConfigError(
            str(problems[0].message) if count == 1 else f"the declarations hold {count} mistakes",
            hint=problems[0].hint if count == 1 else None,
            where=problems[0].where if count == 1 else None,
            problems=problems,
        )
    return build_checked(domains)


def build_checked(domains: Sequence[Domain]) -> Registry:
    """`build` for domains of which `find_problems` has said that nothing is wrong with them."""
    ordered = _ordered(domains)
    closures: dict[str, frozenset[str]] = {}
    for domain in ordered:
        closures[domain.name] = frozenset(domain.requires).union(*(closures[r] for r in domain.requires))
    return Registry(
        domains=ordered,
        services=MappingProxyType({s.name: s for d in ordered for s in d.services}),
        _by_name=MappingProxyType({d.name: d for d in ordered}),
        _homes=MappingProxyType({s.name: d.name for d in ordered for s in d.services}),
        _owners=MappingProxyType({(d.schema, t): d.name for d in ordered for t in d.tables}),
        _closures=MappingProxyType(closures),
    )


def _ordered(domains: Sequence[Domain]) -> tuple[Domain, ...]:
    """Each domain after those it requires, the lowest (rank, name) first; there is no circle."""
    by_name = {d.name: d for d in domains}
    waiting = {d.name: set(d.requires) for d in domains}
    users: dict[str, list[str]] = {}
    for d in domains:
        for required in d.requires:
            users.setdefault(required, []).append(d.name)
    ready = [(d.rank, d.name) for d in domains if not d.requires]
    heapify(ready)
    out: list[Domain] = []
    while ready:
        _, name = heappop(ready)
        out.append(by_name[name])
        for user in users.get(name, ()):
            waiting[user].discard(name)
            if not waiting[user]:
                heappush(ready, (by_name[user].rank, user))
    return tuple(out)
