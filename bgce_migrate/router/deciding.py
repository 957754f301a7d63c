"""Keeps the view of all servers up to date and chooses one for a request."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from typing import Literal

from msgspec import Struct

from bgce_migrate.access import ROUTING_POLICY, Endpoint, RouteRequest
from bgce_migrate.errors import Unavailable, UsageError
from bgce_migrate.host import Host, Plugin
from bgce_migrate.router.declared import Places
from bgce_migrate.router.watching import Watch
from bgce_migrate.routing import (
    Board,
    Breaker,
    Pick,
    Reader,
    RoutingSettings,
    Sight,
    Signer,
    Token,
    View,
    pick,
)

#: A position that no standby reaches.
_NOWHERE = 2**64 - 1
_NOBODY: frozenset[int] = frozenset()


class Choice(Struct, frozen=True):
    """Where one read or write goes. `index` is the server's place in the declarations, the primary's is 0."""

    index: int
    server: str
    why: str
    warnings: tuple[str, ...] = ()


class Question(Struct, frozen=True):
    """A read that wants a server: `without` are places that were tried."""

    service: str
    token: Token | None = None
    max_lag: float | None = None
    without: Collection[int] = ()


class Decider:
    """Watches servers and chooses. Safe for threads: a decision reads one frozen view and takes no lock.

    Attributes:
        view: what is known of all servers now.
        busy: what is under way at each server.
        looks: how often each server was looked at.
        heard: called after each look, in the thread that looked.
    """

    def __init__(self, places: Places, settings: RoutingSettings, signer: Signer, host: Host | None) -> None:
        self._places = places
        self._settings = settings
        self._signer = signer
        self._host = _with_policy(host)
        self._board = Board(places.servers, settings)
        self._changed = threading.Condition()
        self._breakers = [Breaker(settings) for _ in places.servers]
        self._resting: frozenset[int] = _NOBODY
        self._services = frozenset(places.services)
        self.looks = [0] * len(places.servers)
        self._back: Callable[[int], None] = lambda index: None
        self.heard: Callable[[], None] = lambda: None
        self.view: View = self._board.view
        self.busy = [0.0] * len(places.servers)
        self._watches = [Watch(c, settings, self._hears(i)) for i, c in enumerate(places.conninfos)]

    def start(self, back: Callable[[int], None]) -> None:
        """Begin to look; `back` hears of each server that answers again."""
        self._back = back
        for watch in self._watches:
            watch.start()

    def ready(self, seconds: float) -> bool:
        """Wait until every server was looked at once; whether writes can be sent."""
        with self._changed:
            self._changed.wait_for(lambda: all(self.looks), seconds)
        return self.view.primary is not None

    def look_again(self, seconds: float) -> None:
        """Look at all servers now, and wait for what they say."""
        with self._changed:
            # One look may be under way that began before: the next one surely began after.
            wanted = [count + 2 for count in self.looks]
            deadline = time.monotonic() + seconds
            while any(have < want for have, want in zip(self.looks, wanted, strict=True)):
                self.hurry()
                if not self._changed.wait(deadline - time.monotonic()):
                    return

    def choose(
        self,
        service: str,
        intent: Literal["read", "write"],
        token: str | None = None,
        max_lag: float | None = None,
        without: Collection[int] = (),
    ) -> Choice:
        """See `Router.choose`; `without` leaves servers out that were tried."""
        asked = self.ask(service, intent, token, max_lag, without)
        if isinstance(asked, Choice):
            return asked
        found = self.find(asked)
        if found.waits and self._settings.max_wait > 0:
            found = self._wait(asked)
        return self.settle(asked, found)

    def ask(
        self,
        service: str,
        intent: Literal["read", "write"],
        token: str | None = None,
        max_lag: float | None = None,
        without: Collection[int] = (),
    ) -> Question | Choice:
        """What is to be found out for a read; a write, and a token that is not ours, are answered at once.

        Raises:
            UsageError: there is no such service.
            Unavailable: there is no primary for it.
        """
        if service not in self._services:
            raise UsageError(f"there is no service '{service}'", hint=f"declared: {', '.join(self._places.services)}")
        if intent == "write":
            return self._asked(service, intent, self._primary("writes go to the primary"), (), max_lag)
        opened: Token | None = None
        if token is not None:
            opened = self._signer.open(token)
            if opened is None:
                return self._primary("its token was not made with our key")
            if opened.expires < time.time() and opened.timeline != self.view.timeline:
                opened = None
        return Question(service, opened, max_lag, without)

    def find(self, asked: Question) -> Pick:
        """The replicas that may serve it, from what was last seen: never waits."""
        resting = self._resting | frozenset(asked.without) if asked.without else self._resting
        return pick(
            self.view, asked.service, self._settings, time.monotonic(),
            token=asked.token, max_lag=asked.max_lag, resting=resting,
        )  # fmt: skip

    def settle(self, asked: Question, found: Pick) -> Choice:
        """One of the replicas found, or the primary.

        Raises:
            Unavailable: nobody may serve it.
        """
        if found.readers:
            best = found.readers[0]
            return self._asked(asked.service, "read", Choice(best.index, best.name, found.why), found.readers, asked.max_lag)
        return self._asked(asked.service, "read", self._primary(found.why, asked.without), (), asked.max_lag)

    def hurry(self, service: str | None = None) -> None:
        """Look now: at the replicas that may serve a service, or at all servers."""
        readers = self.view.readers.get(service, ()) if service is not None else None
        for index in range(len(self._watches)) if readers is None else [r.index for r in readers]:
            self._watches[index].hurry()

    def seal(self, system: int, timeline: int, position: int) -> str:
        """A token for what is written up to a position."""
        return self._signer.seal(Token(system, timeline, position, int(time.time() + self._settings.token_lifetime) + 1))

    def seal_nowhere(self) -> str:
        """A token for what is written nobody can say where: reads with it go to the primary."""
        return self.seal(self.view.system, self.view.timeline, _NOWHERE)

    def failed(self, index: int) -> None:
        """A server failed a piece of work: after some it rests, and it is looked at now."""
        with self._changed:
            self._breakers[index].failed(time.monotonic())
            self._rest()
        self._watches[index].hurry()

    def worked(self, index: int) -> None:
        """A server did a piece of work."""
        self._breakers[index].worked()

    def close(self) -> None:
        """End all looks."""
        for watch in self._watches:
            watch.close()
        for watch in self._watches:
            watch.join(0.5)

    def tell(self, index: int, sight: Sight) -> None:
        """Take in a look at one server."""
        with self._changed:
            self.view = self._board.tell(index, sight)
            self.looks[index] += 1
            self._rest()
            self._changed.notify_all()
        self.heard()

    def _hears(self, index: int) -> Callable[[Sight], None]:
        away = False

        def told(sight: Sight) -> None:
            nonlocal away
            if away and not sight.fault:
                # Before anybody is sent there again: what broke meanwhile still lies in the pools.
                self._back(index)
            self.tell(index, sight)
            away = bool(sight.fault)

        return told

    def _rest(self) -> None:
        now = time.monotonic()
        self._resting = frozenset(i for i, breaker in enumerate(self._breakers) if breaker.until > now)

    def _wait(self, asked: Question) -> Pick:
        deadline = time.monotonic() + self._settings.max_wait
        with self._changed:
            while True:
                found = self.find(asked)
                left = deadline - time.monotonic()
                if found.readers or not found.waits or left <= 0:
                    return found
                self.hurry(asked.service)
                self._changed.wait(left)

    def _primary(self, why: str, without: Collection[int] = ()) -> Choice:
        view = self.view
        hint = "`bgce-migrate route` shows how the servers stand"
        if view.primary is None:
            raise Unavailable(f"no server takes writes ({why}): {view.absence}", hint=hint)
        name = self._places.servers[view.primary].name
        silent = time.monotonic() - view.asked
        if silent > self._settings.silence:
            raise Unavailable(f"the primary {name} has not answered for {silent:.1f} s ({why})", hint=hint)
        return Choice(view.primary, name, why)

    def _asked(
        self, service: str, intent: Literal["read", "write"], choice: Choice, readers: tuple[Reader, ...], max_lag: float | None
    ) -> Choice:
        """Let plugins choose among those that may have it, the built-in policy last.

        Args:
            choice: the primary, or a replica where there is none; its `why` stands where the built-in policy chooses.
            readers: the replicas that may have it; one that would show too little is never offered.
        """
        view, now, servers = self.view, time.monotonic(), self._places.servers
        places = [view.primary] if view.primary is not None else []
        offered = [Endpoint(servers[i].name, "primary", busy=self.busy[i]) for i in places]
        for reader in readers:
            i = reader.index
            places.append(i)
            lag = max(now - reader.fresh, 0.0)
            offered.append(Endpoint(reader.name, "replica", servers[i].services, lag, True, self.busy[i]))
        answer = self._host.routing(RouteRequest(service, intent, max_lag), tuple(offered))
        if answer.endpoint is None:
            return Choice(choice.index, choice.server, choice.why, answer.warnings)
        chosen = places[offered.index(answer.endpoint)]
        why = choice.why if answer.plugin == ROUTING_POLICY else f"plugin {answer.plugin} chose it"
        return Choice(chosen, answer.endpoint.name, why, answer.warnings)


def _with_policy(host: Host | None) -> Host:
    """The plugins, and the built-in policy among them."""
    from bgce_migrate.routing.policy import plugin

    return Host((*(host.plugins if host is not None else ()), Plugin(ROUTING_POLICY, plugin)))
