"""A statement that runs outside any transaction, seen by a second session that holds it up where it would be too quick."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterable

import psycopg

from bgce_migrate.db.session import Session, connect
from bgce_migrate.db.statements import identifier, lock_tables
from bgce_migrate.db.wire import Command, Failed

_POLL = 0.002  # seconds


def run_observed(
    session: Session, text: str, url: str, tables: Iterable[tuple[str, str]]
) -> dict[int, tuple[str, ...]]:
    """Run one statement and return the lock modes it had or waited for, by relation.

    On scratch everything is over in a moment. So the administrator's sessions hold what such a statement waits for:
    first a lock that every one of them meets (SHARE UPDATE EXCLUSIVE); then only reads and a snapshot, for which the
    CONCURRENTLY forms wait in their later phases; then reads that began after those, for what the last phase takes.

    Args:
        url: the administrator's, of the same database.
        tables: (schema, name) of all that could be meant.

    Raises:
        Failed: the server refused it.
    """
    seen: dict[int, set[str]] = {}
    names = [identifier(*name) for name in tables]
    with connect(url, "") as first, connect(url, "") as second:
        stages = _hold(first, second, names)
        running = _Running(session, text)
        running.start()
        while running.is_alive():
            rows = first.ask("locks", "seen_from_beside", str(session.libpq_pid))
            for oid, mode, _, kind in rows:
                if kind == "relation" and oid is not None and mode is not None:
                    seen.setdefault(int(oid), set()).add(mode)
            if stages and any(granted == "false" for _, _, granted, _ in rows):
                stages.pop(0)()
            time.sleep(_POLL)
        running.join()
    if running.error is not None:
        raise Failed(0, running.error)
    return {oid: tuple(sorted(modes)) for oid, modes in seen.items()}


def _hold(first: Session, second: Session, names: list[str]) -> list[Callable[[], object]]:
    """Take the locks; what gives them up again, to be called one after the other."""
    begin = [Command("BEGIN ISOLATION LEVEL REPEATABLE READ"), Command("SELECT 1")]
    if not names:
        first.run(begin)
        return [lambda: first.execute("ROLLBACK")]
    reads = Command(lock_tables(names, "ACCESS SHARE"))
    first.run([*begin, reads, Command("SAVEPOINT held"), Command(lock_tables(names, "SHARE UPDATE EXCLUSIVE"))])

    def exchange() -> None:
        # Who waits for ACCESS EXCLUSIVE already lets nobody past; then there is nothing more to be seen, either.
        with contextlib.suppress(Failed):
            second.run([Command("BEGIN"), Command(f"{reads.sql} NOWAIT")])
        first.execute("ROLLBACK")

    return [lambda: first.execute("ROLLBACK TO SAVEPOINT held"), exchange, lambda: second.execute("ROLLBACK")]


class _Running(threading.Thread):
    def __init__(self, session: Session, text: str) -> None:
        super().__init__(daemon=True)
        self.session = session
        self.text = text
        self.error: psycopg.Error | None = None

    def run(self) -> None:
        try:
            self.session.connection.execute(self.text.encode())
        except psycopg.Error as error:
            self.error = error
