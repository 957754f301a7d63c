"""libpq's pipeline as we need it: commands out, replies in as they come, one round trip a call."""

from __future__ import annotations

import select
import time
from collections.abc import Callable, Sequence

import psycopg
from msgspec import Struct
from psycopg import pq
from psycopg.errors import error_from_result

from bgce_migrate.errors import Refused, Unavailable

#: How often a waiting call looks at its surroundings (seconds).
TICK = 0.1

_AFTER_SYNC = pq.ExecStatus.PIPELINE_SYNC
_ABORTED = pq.ExecStatus.PIPELINE_ABORTED
_COPY = {pq.ExecStatus.COPY_IN, pq.ExecStatus.COPY_OUT, pq.ExecStatus.COPY_BOTH}


class Command(Struct, frozen=True):
    """One statement for the pipeline. Parameters are text or None; rows are kept only where asked.

    `live`: its reply is to come while later commands still run (that costs the server and us a wake-up).
    """

    sql: str
    params: tuple[str | None, ...] = ()
    keep_rows: bool = True
    live: bool = False


class Reply(Struct, frozen=True):
    """What came back for a command: its tag and its rows as text."""

    tag: str
    rows: tuple[tuple[str | None, ...], ...] = ()


class Failed(Refused):
    """A command was refused by the server; those after it were not run.

    Where a step does not explain it, it is our own bookkeeping that was refused.

    Attributes:
        index: which command, counted from 0 over all commands of the call.
        error: psycopg's error with SQLSTATE and diagnostics.
    """

    def __init__(self, index: int, error: psycopg.Error) -> None:
        super().__init__(
            f"the server refused what bgce-migrate itself asked of it: {str(error).strip()}",
            hint="see that this login is the migrator's and that the bookkeeping is whole: bgce-migrate doctor",
        )
        self.index = index
        self.error = error


class Lost(Unavailable):
    """The connection ended while a call was under way; nobody said how it went. As text: the server's last words."""

    def __init__(self, said: str) -> None:
        super().__init__(
            f"the connection to the server was lost: {said}",
            hint="run again when the server is well: what is applied is recorded",
        )
        self.said = said

    def __str__(self) -> str:
        return self.said


def run(
    connection: psycopg.Connection[object],
    commands: Sequence[Command],
    *,
    on_reply: Callable[[int, Reply], None] | None = None,
    on_tick: Callable[[float], None] | None = None,
) -> list[Reply]:
    """Send all commands in one go and return their replies, in order.

    A flush request follows each `live` command, so `on_reply(index, reply)` is called for it, and for those before
    it, while later ones still run; a Sync closes the call. `on_tick(seconds)` is called about every 0.1 s of
    waiting; it may raise, but then the connection is no longer usable.

    Raises:
        Failed: a command failed. The pipeline is left clean (the transaction, if any, aborted).
        Lost: the connection is gone.
    """
    call = _Call(connection, commands, on_reply, on_tick)
    try:
        return call.run()
    except psycopg.OperationalError as error:
        # A server that ends us says why before it closes the connection.
        said = call.failed.error if call.failed else error
        connection.close()
        raise Lost(str(said).strip()) from error


class _Call:
    """One pipeline round trip."""

    def __init__(
        self,
        connection: psycopg.Connection[object],
        commands: Sequence[Command],
        on_reply: Callable[[int, Reply], None] | None,
        on_tick: Callable[[float], None] | None,
    ) -> None:
        self.pgconn = connection.pgconn
        self.encoding = "utf-8"
        self.commands = commands
        self.on_reply = on_reply
        self.on_tick = on_tick
        self.replies: list[Reply] = []
        self.failed: Failed | None = None

    def run(self) -> list[Reply]:
        self.pgconn.nonblocking = 1
        self.pgconn.enter_pipeline_mode()
        self._send()
        started = time.monotonic()
        poll = select.poll()
        poll.register(self.pgconn.socket, select.POLLIN)
        while not self._drain():
            wants_write = self.pgconn.flush() == 1
            poll.modify(self.pgconn.socket, select.POLLIN | (select.POLLOUT if wants_write else 0))
            if not poll.poll(TICK * 1000):
                if self.on_tick:
                    self.on_tick(time.monotonic() - started)
                continue
            self.pgconn.consume_input()
        self.pgconn.exit_pipeline_mode()
        if self.failed:
            raise self.failed
        return self.replies

    def _send(self) -> None:
        # libpq keeps what does not fit into the socket; with the socket non-blocking, we read while it writes.
        for command in self.commands:
            params = [None if p is None else p.encode() for p in command.params] or None
            self.pgconn.send_query_params(command.sql.encode(self.encoding), params)
            if command.live:
                self.pgconn.send_flush_request()
        self.pgconn.pipeline_sync()
        self.pgconn.flush()

    def _drain(self) -> bool:
        """Take in what has arrived; True once the Sync has come back."""
        while not self.pgconn.is_busy():
            result = self.pgconn.get_result()
            if result is None:
                # Between two commands, or nothing more yet.
                if self.pgconn.is_busy():
                    return False
                following = self.pgconn.get_result()
                if following is None:
                    if self.pgconn.status != pq.ConnStatus.OK:
                        raise psycopg.OperationalError(self._message())
                    return False
                result = following
            if self._take(result):
                return True
        return False

    def _message(self) -> str:
        return self.pgconn.error_message.decode("utf-8", "replace").strip() or "the connection is lost"

    def _take(self, result: pq.abc.PGresult) -> bool:
        status = result.status
        if status == _AFTER_SYNC:
            return True
        if status == pq.ExecStatus.FATAL_ERROR:
            error = error_from_result(result, encoding=self.encoding)
            if self.pgconn.status != pq.ConnStatus.OK:
                raise psycopg.OperationalError(str(error))
            if self.failed is None:
                self.failed = Failed(len(self.replies), error)
        elif status in _COPY:
            raise psycopg.OperationalError("COPY to or from the client is not possible here")
        elif status != _ABORTED and self.failed is None:
            index = len(self.replies)
            rows = _rows(result) if self.commands[index].keep_rows else ()
            reply = Reply((result.command_status or b"").decode(), rows)
            self.replies.append(reply)
            if self.on_reply:
                self.on_reply(index, reply)
        return False


def _rows(result: pq.abc.PGresult) -> tuple[tuple[str | None, ...], ...]:
    if result.status != pq.ExecStatus.TUPLES_OK:
        return ()
    columns = range(result.nfields)
    return tuple(
        tuple(None if (v := result.get_value(row, c)) is None else bytes(v).decode() for c in columns)
        for row in range(result.ntuples)
    )
