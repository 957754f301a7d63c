"""Asks one server again and again where it stands, over one connection."""

from __future__ import annotations

import time

from bgce_migrate.db.session import Session, connect, parameters
from bgce_migrate.db.wire import Failed
from bgce_migrate.errors import Unavailable
from bgce_migrate.routing import Standing

NAME = "bgce-migrate route"
_TIMEOUT = "2"  # seconds to reach a server: libpq's least


class Positions:
    """Looks at one server; connects again where the connection broke. Nothing is held between two looks."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._session: Session | None = None

    def look(self) -> Standing:
        """Ask once: one round trip.

        Raises:
            Unavailable: no answer, or none that can be used.
        """
        session = self._session or self._open()
        asked = time.monotonic()
        try:
            recovering, system, position, timeline = session.ask("routing", "standing")[0]
        except Failed as failed:
            # A promotion between two parts of the question, or a right that was taken away.
            raise Unavailable(f"cannot say where it stands: {failed.error.diag.message_primary}") from None
        except Unavailable:
            self.close()
            raise
        if position is None or timeline is None:
            raise Unavailable("has not replayed anything yet")
        return Standing(recovering == "true", int(system or 0), int(timeline), int(position), asked)

    def close(self) -> None:
        """End the connection."""
        session, self._session = self._session, None
        if session is not None:
            session.close()

    def _open(self) -> Session:
        known = parameters(self._conninfo)
        from psycopg.conninfo import make_conninfo

        conninfo = make_conninfo(**{"connect_timeout": _TIMEOUT, **known})
        self._session = connect(conninfo, "", name=NAME)
        return self._session
