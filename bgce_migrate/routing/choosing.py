"""Which replicas may serve a read: they answer, do not rest, are young enough and have replayed what the reader wrote."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct

from bgce_migrate.routing.model import Reader, RoutingSettings, View
from bgce_migrate.routing.token import Token


class Pick(Struct, frozen=True):
    """Where a read may go.

    Attributes:
        readers: the replicas that may serve it, as declared; empty leaves the primary.
        why: in words.
        waits: a replica could serve it as soon as it has replayed the token.
    """

    readers: tuple[Reader, ...]
    why: str
    waits: bool = False


def pick(
    view: View,
    service: str,
    settings: RoutingSettings,
    now: float,
    *,
    token: Token | None = None,
    max_lag: float | None = None,
    resting: Collection[int] = (),
) -> Pick:
    """Find them for one read. Every reader it names shows the token's write, and is no older than `max_lag`.

    Args:
        now: monotonic seconds.
        token: of a write; not an expired one.
        resting: servers that nothing is sent to.
    """
    declared = view.readers.get(service, ())
    if not declared:
        return Pick((), "no replica serves it now")
    earliest = now - settings.silence
    live = [r for r in declared if r.asked >= earliest and r.index not in resting]
    if not live:
        return Pick((), "its replicas rest or do not answer")
    if max_lag is not None:
        live = [r for r in live if now - r.fresh <= max_lag]
        if not live:
            return Pick((), f"no replica is surely younger than {max_lag:g} s")
    if token is not None:
        if token.system != view.system or token.timeline != view.timeline:
            return Pick((), "the token is of another timeline")
        caught = [r for r in live if r.position >= token.position]
        if not caught:
            return Pick((), "no replica has replayed its last write", True)
        live = caught
    return Pick(tuple(live), "the least busy replica that may serve it" if len(live) > 1 else "the replica that may serve it")
