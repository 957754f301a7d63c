"""Asks the server what it makes of statements, without running them: parse and describe, many in one round trip."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Any

import psycopg
from msgspec import Struct
from psycopg import pq
from psycopg.errors import error_from_result

from bgce_migrate.db.queries import array
from bgce_migrate.db.session import Rows, Session
from bgce_migrate.db.statements import identifier, set_role
from bgce_migrate.db.wire import Command, Failed
from bgce_migrate.errors import Unavailable

#: So many go out before answers are read: both sides' buffers hold them.
_AT_ONCE = 64


class Described(Struct, frozen=True):
    """The server's answer: types and columns by OID; or an error."""

    parameters: tuple[int, ...] = ()
    columns: tuple[tuple[str, int], ...] = ()
    error: psycopg.Error | None = None


def describe(session: Session, texts: Sequence[str]) -> list[Described]:
    """What each statement takes and gives; each is looked at by itself, outside any transaction.

    Raises:
        Unavailable: the connection is gone.
    """
    out: list[Described] = []
    pgconn = session.connection.pgconn
    left = iter(texts)
    pgconn.enter_pipeline_mode()
    try:
        while some := list(islice(left, _AT_ONCE)):
            for text in some:
                pgconn.send_prepare(b"", text.encode())
                pgconn.send_describe_prepared(b"")
                pgconn.pipeline_sync()
            out.extend(_answers(pgconn, len(some)))
    except psycopg.OperationalError as error:
        raise Unavailable(f"the connection to the server was lost: {error}") from None
    finally:
        if session.usable:
            pgconn.exit_pipeline_mode()
    return out


def _answers(pgconn: Any, count: int) -> Iterator[Described]:
    for _ in range(count):
        found, synced = Described(), False
        while not synced:
            result = pgconn.get_result()
            if result is None:
                if pgconn.status != pq.ConnStatus.OK:
                    raise psycopg.OperationalError(pgconn.error_message.decode("utf-8", "replace").strip())
                continue
            if result.status == pq.ExecStatus.PIPELINE_SYNC:
                synced = True
            elif result.status == pq.ExecStatus.FATAL_ERROR:
                found = Described(error=error_from_result(result, encoding="utf-8"))
            elif found.error is None and (result.nparams or result.nfields):
                found = Described(
                    tuple(result.param_type(n) for n in range(result.nparams)),
                    tuple(((result.fname(n) or b"").decode(), result.ftype(n)) for n in range(result.nfields)),
                )
        yield found


def type_names(session: Session, oids: Iterable[int]) -> dict[int, str]:
    """Types by OID, in PostgreSQL's words."""
    rows = session.ask("clients", "types", array(str(oid) for oid in sorted(set(oids))))
    return {int(oid or 0): name or "" for oid, name in rows}


def remembered(session: Session) -> Rows | None:
    """(login, text, calls) of what pg_stat_statements remembers of this database; None where it is not installed."""
    place = session.ask("clients", "statistics_place")
    if not place:
        return None
    text = session.query("clients", "statistics").replace("{extension}", identifier(place[0][0] or ""))
    if session.ask("target", "sees_activity")[0][0] == "true":
        # The migrator inherits nothing: what it is a member of counts once it acts as that.
        framed = [Command("BEGIN READ ONLY"), Command(set_role("pg_read_all_stats")), Command(text), Command("COMMIT")]
        try:
            return session.run(framed)[2].rows
        except Failed:
            session.execute("ROLLBACK")
    return session.execute(text)
