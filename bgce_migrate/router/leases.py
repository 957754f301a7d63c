"""A connection lent to a service for one piece of work."""

from __future__ import annotations

from typing import Generic, TypeVar

from bgce_migrate.errors import UsageError

C = TypeVar("C")


class Lease(Generic[C]):
    """What `read` and `write` of a router lend; the transaction of a write commits at the end of the block.

    Attributes:
        connection: psycopg's `Connection`, of an `AsyncRouter` its `AsyncConnection`.
        server: the name of the server it leads to.
        why: why it was chosen.
    """

    def __init__(self, connection: C, server: str, why: str) -> None:
        self.connection = connection
        self.server = server
        self.why = why
        self._token: str | None = None

    @property
    def token(self) -> str:
        """After the block of a write: hand it to reads that must see the write.

        Raises:
            UsageError: asked for within the block, of a read, or with `token=False`.
        """
        if self._token is None:
            raise UsageError("there is no token yet", hint="ask after the block of `router.write` has ended")
        return self._token

    def keep_token(self, token: str) -> None:
        """The router's: what the write was sealed as."""
        self._token = token
