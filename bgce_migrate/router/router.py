"""The library's door: reads and writes of services, each on a server that may have it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType, TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from bgce_migrate.db.pooled import elsewhere, insert_position, is_misrouted
from bgce_migrate.errors import Unavailable
from bgce_migrate.host import Host
from bgce_migrate.router.deciding import Choice, Decider
from bgce_migrate.router.declared import Places
from bgce_migrate.router.leases import Lease
from bgce_migrate.router.lending import Lending
from bgce_migrate.router.loading import loaded
from bgce_migrate.routing import RoutingSettings, Signer, View

if TYPE_CHECKING:
    from psycopg import Connection

T = TypeVar("T")



class Router:
    """Sends reads to replicas and writes to the primary; `close` it, or use it in a `with`. Safe for threads.

    Without a token a read may be as old as `RoutingSettings.max_lag`. With the token of a write it sees that write, or
    goes to the primary. Make it after a fork: its threads do not live on in a child.

    Args:
        places: the servers; of a project: `Router.load`.
        key: at least 16 bytes, for tokens that other programs understand; None makes one up.
        host: plugins with a `routing` hook.

    Example:
        >>> with Router.load("/srv/postal") as router:  # doctest: +SKIP
        ...     with router.write("postal") as lease:
        ...         post(lease.connection, "news")
        ...     with router.read("postal", lease.token) as reading:
        ...         titles(reading.connection)
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
        self._lending = Lending(places, self.settings, self._decider)
        self._decider.start(self._lending.refresh)

    @classmethod
    def load(
        cls,
        directory: str | Path = ".",
        *,
        database_url: str | None = None,
        environment: Mapping[str, str] | None = None,
        settings: RoutingSettings | None = None,
    ) -> Router:
        """The router of a project: addresses and the key come from the environment, `settings` from `[routing]`.

        Raises:
            BgceError: configuration mistakes, or no database is named.
        """
        found = loaded(directory, database_url, environment)
        return cls(found.places, key=found.key, settings=settings or found.settings, host=found.host)

    @property
    def view(self) -> View:
        """What is known of all servers now."""
        return self._decider.view

    def ready(self, seconds: float = 5.0) -> bool:
        """Wait until every server was looked at once, or time is up; whether writes can be sent."""
        return self._decider.ready(seconds)

    def choose(
        self,
        service: str,
        intent: Literal["read", "write"] = "read",
        token: str | None = None,
        max_lag: float | None = None,
    ) -> Choice:
        """Where a read or write would go now; waits at most `max_wait` for a replica that is nearly there.

        Args:
            token: of the write that a read must see. One that cannot be read means the primary.
            max_lag: seconds; a read is surely no older.

        Raises:
            UsageError: there is no such service.
            Unavailable: there is no primary, and nobody else may serve it.
        """
        return self._decider.choose(service, intent, token, max_lag)

    @contextmanager
    def write(self, service: str, *, token: bool = True) -> Iterator[Lease[Connection[Any]]]:
        """A connection to the primary; commits at the end of the block, and rolls back when it raises.

        Args:
            token: ask for the position after the commit, which costs a round trip; see `Lease.token`.

        Raises:
            UsageError: there is no such service.
            Unavailable: no server takes writes, or none of the service's connections was free.
        """
        choice = self.choose(service, "write")
        with self._lending.lent(choice, service, reads=False) as lease:
            yield lease
            lease.connection.commit()
            if token:
                lease.keep_token(self._seal(lease))

    @contextmanager
    def read(self, service: str, token: str | None = None, *, max_lag: float | None = None) -> Iterator[Lease[Connection[Any]]]:
        """A connection for reading: transactions are READ ONLY, also where it leads to the primary.

        Errors of the server are the block's own to deal with; `reading` tries again elsewhere.

        Raises:
            UsageError, Unavailable: as `choose`.
        """
        choice = self.choose(service, "read", token, max_lag)
        with self._lending.lent(choice, service, reads=True) as lease:
            yield lease

    def reading(
        self, service: str, work: Callable[[Any], T], token: str | None = None, *, max_lag: float | None = None
    ) -> T:
        """Run `work(connection)`, elsewhere where a server fails it, on the primary at last.

        A work that writes is tried again on the primary, and counted in `misrouted`.

        Raises:
            Unavailable: nobody could serve it.
        """
        tried: set[int] = set()
        while True:
            choice = self._decider.choose(service, "read", token, max_lag, tried)
            try:
                with self._lending.lent(choice, service, reads=True) as lease:
                    return work(lease.connection)
            except Exception as error:
                if is_misrouted(error):
                    self._lending.misrouted[service] += 1
                    return self.writing(service, work, token=False)[0]
                if not elsewhere(error) or choice.index in tried:
                    raise
                tried.add(choice.index)

    def writing(self, service: str, work: Callable[[Any], T], *, token: bool = True) -> tuple[T, str | None]:
        """Run `work(connection)` on the primary; its answer, and the token.

        Tried once more only where surely nothing was written: the server was a standby meanwhile, or there was no
        connection to it. An error at the commit is the caller's to judge. `work` leaves the commit to us.
        """
        for last in (False, True):
            choice, begun = self.choose(service, "write"), False
            try:
                with self._lending.lent(choice, service, reads=False) as lease:
                    begun = True
                    answer = work(lease.connection)
                    lease.connection.commit()
                    sealed = self._seal(lease) if token else None
                return answer, sealed
            except Exception as error:
                # 25006: PostgreSQL refused it as a write to a standby, and with it the whole transaction.
                if last or not (is_misrouted(error) or (isinstance(error, Unavailable) and not begun)):
                    raise
                self._decider.look_again(self.settings.silence)
        raise AssertionError("the second time it returns or raises")

    @property
    def misrouted(self) -> Mapping[str, int]:
        """By service: writes that came as reads."""
        return MappingProxyType(dict(self._lending.misrouted))

    def close(self) -> None:
        """End the looks and all connections."""
        self._decider.close()
        self._lending.close()

    def _seal(self, lease: Lease[Connection[Any]]) -> str:
        """The token of what is committed. It stands whether or not anybody can say where: then nobody has replayed it."""
        try:
            return self._decider.seal(*insert_position(lease.connection))
        except Unavailable:
            return self._decider.seal_nowhere()

    def __enter__(self) -> Router:
        self.ready()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
