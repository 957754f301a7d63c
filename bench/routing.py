"""What a routing decision costs: thirteen services, two replicas, everything seen; no server and no network."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bgce_migrate.router import Places
from bgce_migrate.router.deciding import Decider
from bgce_migrate.routing import RoutingSettings, Served, Sight, Signer, Standing, Token

_ROUNDS, _CALLS = 60, 1_000


@dataclass(frozen=True, slots=True)
class Routing:
    """Microseconds a decision (the best of the rounds), by what is asked."""

    decisions: dict[str, float]


def measure() -> Routing:
    """Choose some ten thousand times each."""
    services = [f"service{i}" for i in range(13)]
    served = tuple(services)
    places = Places(
        (Served("primary", "primary"), Served("replica1", "replica", served), Served("replica2", "replica", served)),
        ("", "", ""),
        dict.fromkeys(services, 5),
    )
    # Nobody looks while it is measured; what was seen counts for the whole time.
    signer = Signer(b"sixteen bytes of a key")
    decider = Decider(places, RoutingSettings(silence=600.0, token_lifetime=3600.0), signer, None)
    now = time.monotonic()
    decider.tell(0, Sight(Standing(False, 7, 1, 10**9, now)))
    for index in (1, 2):
        decider.tell(index, Sight(Standing(True, 7, 1, 10**9, now)))
    token = signer.seal(Token(7, 1, 10**9, int(time.time()) + 3600))
    return Routing({
        "a write": _cost(decider, "write", None, None),
        "a read": _cost(decider, "read", None, None),
        "a read with a token": _cost(decider, "read", token, None),
        "a read with a token and an age": _cost(decider, "read", token, 600.0),
    })  # fmt: skip


def _cost(decider: Decider, intent: str, token: str | None, max_lag: float | None) -> float:
    rounds = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        for _ in range(_CALLS):
            decider.choose("service7", intent, token, max_lag)  # type: ignore[arg-type]
        rounds.append((time.perf_counter() - began) / _CALLS * 1e6)
    # What else the machine does makes a round longer, never shorter.
    return min(rounds)
