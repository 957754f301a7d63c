"""The library's door for asyncio: the same decisions as `Router`, and no thread waits for a database."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from bgce_migrate.db.pooled import elsewhere, is_misrouted
from bgce_migrate.db.pooled_async import insert_position
from bgce_migrate.errors import Unavailable
from bgce_migrate.host import Host
from bgce_migrate.router.async_deciding import AsyncDecider
from bgce_migrate.router.async_lending import AsyncLending
from bgce_migrate.router.deciding import Choice, Decider
from bgce_migrate.router.declared import Places
from bgce_migrate.router.leases import Lease
from bgce_migrate.router.loading import loaded
from bgce_migrate.routing import RoutingSettings, Signer, View

if TYPE_CHECKING:
    from psycopg import AsyncConnection

T = TypeVar("T")


class AsyncRouter:
    """As `Router`, for one event loop: use it in an `async with`. One thread a server looks where it stands.

    Args:
        places, key, settings, host: as of `Router`.

    Example:
        >>> async with AsyncRouter.load("/srv/postal") as router:  # doctest: +SKIP
        ...     async with router.write("postal") as lease:
        ...         await post(lease.connection, "news")
        ...     async with router.read("postal", lease.token) as reading:
        ...         await titles(reading.connection)
    """

    def __init__(
        self,
        places: Places,
        *,
        key: bytes | None = None,
        settings: RoutingSettings | None = None,
        host: Host | None = None,
    ) -> None:
        self.settings = settings or RoutingSettings()
        self.places = places
        self._decider = Decider(places, self.settings, Signer(key), host)
        self._deciding = AsyncDecider(self._decider, self.settings)
        self._lending = AsyncLending(places, self.settings, self._decider)

    @classmethod
    def load(
        cls,
        directory: str | Path = ".",
        *,
        database_url: str | None = None,
        environment: Mapping[str, str] | None = None,
        settings: RoutingSettings | None = None,
    ) -> AsyncRouter:
        """The router of a project; see `Router.load`.

        Raises:
            BgceError: configuration mistakes, or no database is named.
        """
        found = loaded(directory, database_url, environment)
        return cls(found.places, key=found.key, settings=settings or found.settings, host=found.host)

    @property
    def view(self) -> View:
        """What is known of all servers now."""
        return self._decider.view

    @property
    def misrouted(self) -> Mapping[str, int]:
        """By service: writes that came as reads."""
        return MappingProxyType(dict(self._lending.misrouted))

    async def choose(
        self,
        service: str,
        intent: Literal["read", "write"] = "read",
        token: str | None = None,
        max_lag: float | None = None,
    ) -> Choice:
        """Where a read or write would go now; see `Router.choose`.

        Raises:
            UsageError: there is no such service.
            Unavailable: there is no primary, and nobody else may serve it.
        """
        return await self._deciding.choose(service, intent, token, max_lag)

    @asynccontextmanager
    async def write(self, service: str, *, token: bool = True) -> AsyncIterator[Lease[AsyncConnection[Any]]]:
        """A connection to the primary; see `Router.write`.

        Raises:
            UsageError, Unavailable: as `Router.write`.
        """
        choice = await self.choose(service, "write")
        async with self._lending.lent(choice, service, reads=False) as lease:
            yield lease
            await lease.connection.commit()
            if token:
                lease.keep_token(await self._seal(lease))

    @asynccontextmanager
    async def read(
        self, service: str, token: str | None = None, *, max_lag: float | None = None
    ) -> AsyncIterator[Lease[AsyncConnection[Any]]]:
        """A connection for reading; see `Router.read`.

        Raises:
            UsageError, Unavailable: as `choose`.
        """
        choice = await self.choose(service, "read", token, max_lag)
        async with self._lending.lent(choice, service, reads=True) as lease:
            yield lease

    async def reading(
        self, service: str, work: Callable[[Any], Awaitable[T]], token: str | None = None, *, max_lag: float | None = None
    ) -> T:
        """Await `work(connection)`, elsewhere where a server fails it; see `Router.reading`.

        Raises:
            Unavailable: nobody could serve it.
        """
        tried: set[int] = set()
        while True:
            choice = await self._deciding.choose(service, "read", token, max_lag, tried)
            try:
                async with self._lending.lent(choice, service, reads=True) as lease:
                    return await work(lease.connection)
            except Exception as error:
                if is_misrouted(error):
                    self._lending.misrouted[service] += 1
                    return (await self.writing(service, work, token=False))[0]
                if not elsewhere(error) or choice.index in tried:
                    raise
                tried.add(choice.index)

    async def writing(
        self, service: str, work: Callable[[Any], Awaitable[T]], *, token: bool = True
    ) -> tuple[T, str | None]:
        """Await `work(connection)` on the primary; its answer, and the token. See `Router.writing`."""
        for last in (False, True):
            choice, begun = await self.choose(service, "write"), False
            try:
                async with self._lending.lent(choice, service, reads=False) as lease:
                    begun = True
                    answer = await work(lease.connection)
                    await lease.connection.commit()
                    sealed = await self._seal(lease) if token else None
                return answer, sealed
            except Exception as error:
                if last or not (is_misrouted(error) or (isinstance(error, Unavailable) and not begun)):
                    raise
                await self._deciding.look_again(self.settings.silence)
        raise AssertionError("the second time it returns or raises")

    async def open(self, seconds: float = 5.0) -> bool:
        """Begin to look; waits until every server was looked at once, or time is up. Whether writes can be sent."""
        return await self._deciding.open(self._lending.refresh, seconds)

    async def close(self) -> None:
        """End the looks and all connections."""
        await self._deciding.close()
        await self._lending.close()

    async def _seal(self, lease: Lease[AsyncConnection[Any]]) -> str:
        with contextlib.suppress(Unavailable):
            return self._decider.seal(*await insert_position(lease.connection))
        return self._decider.seal_nowhere()

    async def __aenter__(self) -> AsyncRouter:
        await self.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await asyncio.shield(self.close())
