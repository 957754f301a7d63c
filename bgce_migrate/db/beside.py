"""A statement that runs outside any transaction, seen by a second session that holds it up where it would be too quick."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable

import psycopg

from bgce_migrate.db.session import Session, connect
from bgce_migrate.db.statements import identifier, lock_tables
from bgce_migrate.db.wire import Command, Failed

_POLL = 0.002  # seconds


def run_observed(
    session: Session, text: str, url: str, tables: Iterable[tuple[str, str]]
) -> dict[int, tuple[str, ...]]:
    """Run one statement and return the lock modes it had or waited for, by relation.

    On scratch everything is over in a moment. So the administrator's session holds what such a statement waits
    for: first a lock that every one of them meets (SHARE UPDATE EXCLUSIVE), then only reads and a snapshot, for which
    the CONCURRENTLY forms wait in their later phases.

    Args:
        url: the administrator's, of the same database.
        tables: (schema, name) of all that could be meant.

    Raises:
        Failed: the server refused it.
    """
    seen: dict[int, set[str]] = {}
    names = [identifier(*name) for name in tables]
    with connect(url, "") as beside:
        stages = _hold(beside, names)
        running = _Running(session, text)
        running.start()
        while running.is_alive():
            rows = beside.ask("locks", "seen_from_beside", str(session.libpq_pid))
            for oid, mode, _, kind in rows:
                if kind == "relation" and oid is not None and mode is not None:
                    seen.setdefault(int(oid), set()).add(mode)
            if stages and any(granted == "false" for _, _, granted, _ in rows):
                beside.execute(stages.pop(0))
            time.sleep(_POLL)
        running.join()
    if running.error is not None:
        raise Failed(0, running.error)
    return {oid: tuple(sorted(modes)) for oid, modes in seen.items()}


def _hold(beside: Session, names: list[str]) -> list[str]:
    """Take the locks; what to say to give them up again, one after the other."""
    begin = [Command("BEGIN ISOLATION LEVEL REPEATABLE READ"), Command("SELECT 1")]
    if not names:
        beside.run(begin)
        return ["ROLLBACK"]
    first, then = (Command(lock_tables(names, mode)) for mode in ("ACCESS SHARE", "SHARE UPDATE EXCLUSIVE"))
    beside.run([*begin, first, Command("SAVEPOINT held"), then])
    return ["ROLLBACK TO SAVEPOINT held", "ROLLBACK"]


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
