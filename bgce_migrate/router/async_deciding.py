"""Waits in an event loop for what the looks at servers bring: a replica that is nearly there, a new primary."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable, Collection, Coroutine
from typing import Any, Literal

from bgce_migrate.router.deciding import Choice, Decider, Question
from bgce_migrate.routing import Pick, RoutingSettings


class AsyncDecider:
    """Asks a `Decider` without blocking. Its looks come from threads, one a server; what waits is woken in the loop."""

    def __init__(self, decider: Decider, settings: RoutingSettings) -> None:
        self._decider = decider
        self._settings = settings
        self._loop: asyncio.AbstractEventLoop | None = None
        self._heard: asyncio.Event | None = None
        self._waiting = 0

    async def open(self, back: Callable[[int], Coroutine[Any, Any, None]], seconds: float) -> bool:
        """Begin to look, and wait for the first looks; `back` is awaited for each server that answers again."""
        self._loop, self._heard = asyncio.get_running_loop(), asyncio.Event()
        self._decider.heard = self._wake
        self._decider.start(lambda index: self._await(back(index)))
        await self._until(lambda: all(self._decider.looks), seconds)
        return self._decider.view.primary is not None

    async def close(self) -> None:
        """End all looks."""
        self._loop = None
        # Once in a router's life: a look that is under way is waited for, but not in the loop.
        await asyncio.to_thread(self._decider.close)

    async def choose(
        self,
        service: str,
        intent: Literal["read", "write"],
        token: str | None = None,
        max_lag: float | None = None,
        without: Collection[int] = (),
    ) -> Choice:
        """See `Decider.choose`."""
        asked = self._decider.ask(service, intent, token, max_lag, without)
        if isinstance(asked, Choice):
            return asked
        found = self._decider.find(asked)
        if found.waits and self._settings.max_wait > 0:
            found = await self._nearly(asked)
        return self._decider.settle(asked, found)

    async def look_again(self, seconds: float) -> None:
        """Look at all servers now, and wait for what they say."""
        # One look may be under way that began before: the next one surely began after.
        wanted = [count + 2 for count in self._decider.looks]

        def seen() -> bool:
            self._decider.hurry()
            return all(have >= want for have, want in zip(self._decider.looks, wanted, strict=True))

        await self._until(seen, seconds)

    async def _nearly(self, asked: Question) -> Pick:
        found = self._decider.find(asked)

        def settled() -> bool:
            nonlocal found
            found = self._decider.find(asked)
            if found.waits:
                self._decider.hurry(asked.service)
            return not found.waits

        await self._until(settled, self._settings.max_wait)
        return found

    async def _until(self, holds: Callable[[], bool], seconds: float) -> None:
        """Until it holds or time is up; asked anew after each look at a server."""
        heard, end = self._heard, time.monotonic() + seconds
        self._waiting += 1
        try:
            while heard is not None:
                heard.clear()
                left = end - time.monotonic()
                if holds() or left <= 0:
                    return
                with contextlib.suppress(asyncio.TimeoutError):
                    await asyncio.wait_for(heard.wait(), left)
        finally:
            self._waiting -= 1

    def _wake(self) -> None:
        """From a thread that looks; the loop may be over."""
        if self._waiting and self._heard is not None and self._loop is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._heard.set)

    def _await(self, work: Coroutine[Any, Any, None]) -> None:
        """From a thread that looks, until it is done in the loop; not for long, and not where the loop is over."""
        loop = self._loop
        if loop is None or loop.is_closed():
            work.close()
            return
        with contextlib.suppress(Exception):
            asyncio.run_coroutine_threadsafe(work, loop).result(self._settings.patience)
