"""Asks a standby who uses tables there: replay of an ACCESS EXCLUSIVE lock on them waits for these sessions."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from bgce_migrate.db.queries import array
from bgce_migrate.db.session import connect, parameters
from bgce_migrate.db.wire import Failed
from bgce_migrate.errors import Unavailable

_TIMEOUT = "2"  # seconds to reach a server: libpq's least


class StandbySession(Struct, frozen=True):
    """A session that uses one of the tables. `seconds` is its transaction's age; None and "" where this login sees none."""

    pid: int
    login: str
    application: str
    seconds: float | None
    query: str
    tables: str


class Readers(Struct, frozen=True):
    """What a standby said. `delay`: its max_standby_streaming_delay, for how long replay waits before it cancels."""

    recovering: bool
    delay: str
    sessions: tuple[StandbySession, ...]


def readers(conninfo: str, tables: Sequence[tuple[str, str]]) -> Readers:
    """Ask one standby once.

    Args:
        tables: as (schema, name).

    Raises:
        Unavailable: it does not answer.
    """
    from psycopg.conninfo import make_conninfo

    bounded = make_conninfo(**{"connect_timeout": _TIMEOUT, **parameters(conninfo)})
    session = connect(bounded, "", name="bgce-migrate preflight")
    try:
        rows = session.ask("routing", "readers", array(s for s, _ in tables), array(n for _, n in tables))
    except Failed as failed:
        raise Unavailable(str(failed.error).strip()) from None
    finally:
        session.close()
    _, recovering, delay, *_ = rows[0]
    found = tuple(
        StandbySession(
            int(pid or 0), login or "", application or "", float(age) if age is not None else None, query or "", names or ""
        )
        for pid, login, application, age, query, names in rows[1:]
    )
    return Readers(recovering == "true", delay or "", found)
