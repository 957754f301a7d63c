"""What a statement really does: strongest locks, rewritten relations, scans, losses, or its error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import psycopg

from bgce_migrate.lint import LintInput
from bgce_migrate.lint.facts import Transaction
from bgce_migrate.sqlparse import split

Connection: TypeAlias = psycopg.Connection[tuple[object, ...]]
MODES = (
    "AccessShareLock",
    "RowShareLock",
    "RowExclusiveLock",
    "ShareUpdateExclusiveLock",
    "ShareLock",
    "ShareRowExclusiveLock",
    "ExclusiveLock",
    "AccessExclusiveLock",
)
WORDS = {
    "ACCESS SHARE": 0,
    "ROW SHARE": 1,
    "ROW EXCLUSIVE": 2,
    "SHARE UPDATE EXCLUSIVE": 3,
    "SHARE": 4,
    "SHARE ROW EXCLUSIVE": 5,
    "EXCLUSIVE": 6,
    "ACCESS EXCLUSIVE": 7,
}
_RELATIONS = """
SELECT c.oid, c.relname, c.relkind::text, coalesce(pg_relation_filenode(c.oid), 0), n.nspname
FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
WHERE n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')
"""
_SCANS = (
    "SELECT c.oid, pg_stat_get_xact_numscans(c.oid) FROM pg_class AS c WHERE c.relkind IN ('r', 'p', 'm')"
)
_LOCKS = "SELECT relation, mode FROM pg_locks WHERE pid = pg_backend_pid() AND locktype = 'relation'"
_SCHEMAS = """
SELECT format('DROP SCHEMA %I CASCADE', nspname) FROM pg_namespace
WHERE nspname !~ '^pg_' AND nspname <> 'information_schema'
"""
_PUBLICATIONS = "SELECT format('DROP PUBLICATION %I', pubname) FROM pg_publication"
_METHODS = "SELECT format('DROP ACCESS METHOD %I', amname) FROM pg_am WHERE oid >= 16384"
_NAMES = """
SELECT relname FROM pg_class WHERE relkind <> 't' UNION SELECT conname FROM pg_constraint
UNION SELECT c.relname || '.' || attname FROM pg_attribute JOIN pg_class AS c ON c.oid = attrelid
WHERE NOT attisdropped
"""


@dataclass
class Measured:
    """Effects on relations that were there before."""

    rewritten: set[str] = field(default_factory=set)
    rebuilt: set[str] = field(default_factory=set)
    scanned: dict[str, int] = field(default_factory=dict)  # relation: strongest lock held on it
    locks: dict[str, int] = field(default_factory=dict)
    lost: set[str] = field(default_factory=set)
    error: str = ""

    def shows(self, effect: str) -> bool:
        """Whether a page's stated effect is there."""
        if effect == "none":
            return not self.error
        if effect == "rewrite":
            return bool(self.rewritten)
        if effect == "index rebuild":
            return bool(self.rebuilt) and not self.rewritten
        kind, _, rest = effect.partition(" ")
        if kind == "error":
            return self.error == rest
        if kind == "drops":
            return rest in self.lost
        if kind == "scan":
            return any(mode >= WORDS[rest.removeprefix("under ")] for mode in self.scanned.values())
        mode, _, name = rest.rpartition(" on ")
        return self.locks.get(name, -1) >= WORDS[mode]

    def __str__(self) -> str:
        locks = {name: MODES[mode] for name, mode in self.locks.items()}
        return f"{self.error or 'ok'} rewritten={self.rewritten} rebuilt={self.rebuilt} scanned={self.scanned} {locks}"


def prepare(connection: Connection, setup: Sequence[str]) -> None:
    """Run a page's setup, statement by statement."""
    for sql in setup:
        for statement in split(sql):
            connection.execute(statement.encode())


def run(connection: Connection, file: LintInput, *, keep: bool) -> Measured:
    """Run one migration as the engine would, and look at what it did; without `keep` undo it."""
    before = {row[0]: row for row in connection.execute(_RELATIONS)}
    names = {row[0] for row in connection.execute(_NAMES)}
    measured = Measured()
    if not file.transactional:
        _apart(connection, file, measured)
        _compare(connection, before, names, measured)
        return measured
    try:
        with connection.transaction(force_rollback=not keep):
            scans = {row[0]: row[1] for row in connection.execute(_SCANS)}
            for statement in _unwrapped(file):
                connection.execute(statement.encode())
            _inside(connection, before, scans, measured)
            _compare(connection, before, names, measured)
    except psycopg.Error as error:
        measured.error = error.sqlstate or "?"
    return measured


def reset(connection: Connection) -> None:
    """Empty a database: much faster than to make a new one."""
    for query in (_SCHEMAS, _PUBLICATIONS, _METHODS):
        for (statement,) in connection.execute(query).fetchall():
            connection.execute(str(statement).encode())
    connection.execute("CREATE SCHEMA public")


def _unwrapped(file: LintInput) -> list[str]:
    """The statements without a BEGIN and COMMIT around the file, which the engine takes off."""
    frame = {f.at.statement for f in file.facts if isinstance(f, Transaction) and f.wraps}
    return [text for index, text in enumerate(split(file.text)) if index not in frame]


def _apart(connection: Connection, file: LintInput, measured: Measured) -> None:
    """Statement by statement; where the file has a transaction of its own, in that."""
    try:
        for statement in split(file.text):
            connection.execute(statement.encode())
    except psycopg.Error as error:
        measured.error = error.sqlstate or "?"
        connection.rollback()


def _inside(
    connection: Connection,
    before: dict[object, tuple[object, ...]],
    earlier: dict[object, object],
    measured: Measured,
) -> None:
    for oid, mode in connection.execute(_LOCKS):
        if oid in before:
            name = str(before[oid][1])
            measured.locks[name] = max(measured.locks.get(name, -1), MODES.index(str(mode)))
    for oid, scans in connection.execute(_SCANS):
        if oid in before and scans != earlier.get(oid):
            name = str(before[oid][1])
            measured.scanned[name] = measured.locks.get(name, -1)


def _compare(
    connection: Connection,
    before: dict[object, tuple[object, ...]],
    names: set[object],
    measured: Measured,
) -> None:
    nodes = {(row[1], row[4]): row[3] for row in before.values()}
    for _, name, kind, node, schema in connection.execute(_RELATIONS):
        if nodes.get((name, schema), node) != node:
            (measured.rebuilt if kind == "i" else measured.rewritten).add(str(name))
    measured.lost = {str(name) for name in names - {row[0] for row in connection.execute(_NAMES)}}
