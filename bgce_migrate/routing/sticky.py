"""The shipped plugin `bgce_sticky`: each service reads from one replica for as long as it may, by the `routing` hook.

`plugins = ["bgce_sticky"]` in bgce.toml loads it. A replica's cache then holds what its services read, and a service that
reads twice without a token does not go back in time between two replicas. All programs choose the same one, by the highest
weight of service and replica (rendezvous hashing): a replica that goes or comes moves only the services that were its own.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache

from bgce_migrate.access import Endpoint, RouteRequest
from bgce_migrate.hookspecs import hookimpl


class Sticky:
    """Chooses by names only, so that no state is to be shared."""

    @hookimpl
    def routing(self, request: RouteRequest, endpoints: tuple[Endpoint, ...]) -> Endpoint | None:
        """The service's own replica among those that may serve it; None leaves writes and lonely primaries to others."""
        replicas = [e for e in endpoints if e.role == "replica"] if request.intent == "read" else []
        return max(replicas, key=lambda e: weight(request.service, e.name), default=None)


@lru_cache(maxsize=10_000)
def weight(service: str, replica: str) -> bytes:
    """How much a service likes a replica: the same in every program."""
    return hashlib.blake2b(f"{service}\0{replica}".encode(), digest_size=8).digest()


plugin = Sticky()
