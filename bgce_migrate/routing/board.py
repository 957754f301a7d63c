"""Keeps the last look at every server and says what follows: who takes writes, who may serve whose reads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from bgce_migrate.routing.model import Reader, RoutingSettings, Served, Sight, Standing, Verdict, View
from bgce_migrate.routing.trail import Trail


class Board:
    """What is known of all servers. `tell` after each look; not safe for threads by itself.

    The primary is whoever is no standby and stands on the highest timeline ever seen of the cluster: PostgreSQL counts
    the timeline up with each promotion, so a primary that comes back after a failover is recognised, and gets nothing.
    """

    def __init__(self, servers: Sequence[Served], settings: RoutingSettings) -> None:
        self._servers = tuple(servers)
        self._settings = settings
        self._sights = [Sight(fault="not looked at yet") for _ in servers]
        self._trail = Trail()
        self._out: set[int] = set()
        self._system = 0
        self._timeline = 0
        self._primary: int | None = None
        self.view = self._judge()

    def tell(self, index: int, sight: Sight) -> View:
        """Take in a look at one server."""
        self._sights[index] = sight
        said = sight.standing
        if said is not None and not self._system and self._servers[index].declared == "primary":
            # Whatever the declared primary is part of now, even after a failover, is the cluster.
            self._system = said.system
        primary = self._find_primary()
        if primary is not None:
            standing = self._sights[primary].standing
            assert standing is not None
            if primary != self._primary or standing.timeline != self._timeline:
                self._trail.clear()
                self._out.clear()
            self._timeline = standing.timeline
            self._primary = primary
            self._trail.add(standing.asked, standing.position)
        self.view = self._judge()
        return self.view

    def _find_primary(self) -> int | None:
        candidates = [
            (-said.timeline, self._servers[i].declared != "primary", i)
            for i, sight in enumerate(self._sights)
            if (said := sight.standing) is not None
            and not sight.fault
            and not said.recovering
            and said.system == self._system
            and said.timeline >= self._timeline
        ]
        return min(candidates)[2] if candidates else None

    def _judge(self) -> View:
        primary = self._find_primary()
        verdicts: list[Verdict] = []
        readers: dict[str, list[Reader]] = {}
        for i, server in enumerate(self._servers):
            if i == primary:
                verdicts.append(Verdict(server.name, "primary", True, "takes writes"))
                continue
            verdict, reader = self._standby(i)
            verdicts.append(verdict)
            if reader is not None:
                for service in server.services:
                    readers.setdefault(service, []).append(reader)
        standing = self._sights[primary].standing if primary is not None else None
        return View(
            tuple(verdicts),
            {service: tuple(found) for service, found in readers.items()},
            primary,
            standing.asked if standing is not None else 0.0,
            "" if primary is not None else self._absence(verdicts),
            self._system,
            self._timeline,
        )

    def _absence(self, verdicts: Sequence[Verdict]) -> str:
        said = [f"{v.name} {v.why}" for v, s in zip(verdicts, self._servers, strict=True) if s.declared == "primary"]
        return "; ".join(said) or "no server takes writes"

    def _standby(self, i: int) -> tuple[Verdict, Reader | None]:
        name, sight = self._servers[i].name, self._sights[i]
        said = sight.standing
        role: Literal["replica", "none"] = "replica" if said is not None and said.recovering else "none"
        why = self._fault(sight)
        if why or said is None:
            return Verdict(name, role, False, why), None
        last, behind = self._trail.last, self._trail.behind(said.position)
        fresh = self._trail.fresh(said.position)
        missing = None if last is None else max(last[1] - said.position, 0)
        if last is None or missing is None:
            return Verdict(name, role, False, "its age is not known: no primary was seen yet"), None
        lag = f"{behind:.1f} s, {missing} bytes behind" if behind is not None else f"{missing} bytes behind"
        if self._lags(i, missing, behind):
            return Verdict(name, role, False, f"too old: {lag}", missing, behind), None
        if behind is None or fresh is None:
            # It was behind before we began to look; how long, shows with the next looks.
            fresh, behind = float("-inf"), 0.0
        return Verdict(name, role, True, lag, missing, behind), Reader(i, name, said.position, said.asked, fresh, behind)

    def _fault(self, sight: Sight) -> str:
        """Why a server that is not the primary serves nobody, whatever its lag."""
        said = sight.standing
        if sight.fault or said is None:
            return sight.fault or "not looked at yet"
        if self._system and said.system != self._system:
            return "is another cluster"
        if not said.recovering:
            return self._no_standby(said)
        if said.timeline != self._timeline and self._timeline:
            return f"follows timeline {said.timeline}, the primary is on {self._timeline}"
        return ""

    def _no_standby(self, said: Standing) -> str:
        if said.timeline < self._timeline:
            return f"is a primary of the past: timeline {said.timeline}, the primary is on {self._timeline}"
        return "is no standby, and another server takes writes" if self._system else "is no standby; no primary was seen"

    def _lags(self, i: int, missing: int, behind: float | None) -> bool:
        """Out beyond a limit, in again below a part of both: one that is near it does not come and go."""
        s = self._settings
        part = s.return_below if i in self._out else 1.0
        too_old = missing > s.max_lag_bytes * part or (behind or 0.0) > s.max_lag * part
        (self._out.add if too_old else self._out.discard)(i)
        return too_old
