"""What the checks of declarations know of all domains, and how they say what is wrong."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from msgspec import Struct
from msgspec.structs import replace

from bgce_migrate.domain import Domain
from bgce_migrate.registry.references import KeyPath


class Fault(Struct, frozen=True):
    """A mistake at a key of a domain's declaration."""

    domain: Domain
    path: KeyPath
    message: str
    hint: str | None = None

    def saying(self, message: str) -> Fault:
        """The same place with another message."""
        return replace(self, message=message)


class Scope(Struct, frozen=True):
    """All domains by name, the domain of each service, and the names that cannot be judged."""

    domains: Mapping[str, Domain]
    homes: Mapping[str, str]
    unreadable: frozenset[str]

    @classmethod
    def of(cls, domains: Sequence[Domain], unreadable: Collection[str]) -> Scope:
        """Index `domains`; of several with one name the first counts."""
        by_name: dict[str, Domain] = {}
        homes: dict[str, str] = {}
        for domain in domains:
            by_name.setdefault(domain.name, domain)
            for service in domain.services:
                homes.setdefault(service.name, domain.name)
        return cls(by_name, homes, frozenset(unreadable))

    def judged(self, name: str) -> Domain | None:
        """The declared domain of that name whose declaration can be held against others."""
        domain = self.domains.get(name)
        if domain is None or not domain.declared or name in self.unreadable:
            return None
        return domain

    def exists(self, name: str) -> bool:
        """Whether there is such a domain, readable or not."""
        return name in self.domains or name in self.unreadable
