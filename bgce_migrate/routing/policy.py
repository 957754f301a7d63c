"""The built-in policy, as a plugin like any other: the least busy replica that may serve a read, else the primary.

Who may serve it is not its to say: a replica that is too old, or has not replayed the reader's write, is never offered.
"""

from __future__ import annotations

from bgce_migrate.access import Endpoint, RouteRequest
from bgce_migrate.hookspecs import hookimpl


class LeastBusy:
    """Of several that are equally busy the one declared first."""

    @hookimpl(trylast=True)
    def routing(self, request: RouteRequest, endpoints: tuple[Endpoint, ...]) -> Endpoint | None:
        """Replicas before the primary: it has the writes to do."""
        best = None
        for endpoint in endpoints:
            if endpoint.role == "replica" and (best is None or endpoint.busy < best.busy):
                best = endpoint
        return best if best is not None else endpoints[0]


plugin = LeastBusy()
